"""GRPO: after direct mixing, sampled replies are rewarded by how much of the meaning they hold.

It should help where cross-entropy asks for more than the measure does: the reward looks at scenario,
action and entities, as SLU-F1 does, and not at the order of keys. Group relative policy optimisation for
speech tasks is arXiv 2509.16990. Four replies are sampled for each example; each one's advantage is its
reward less the group's mean, by the group's deviation; the policy's own replies are used once, so that no
ratio is clipped. The cross-entropy stays with a small share, which keeps replies readable.
"""

import json
from dataclasses import replace
from typing import Any

from slubench import SPEECH, TEXT, Stage, Strategy

SAMPLES = 4
SHARE = 0.2


def rewarded(model: Any, batch: Any) -> Any:
    """The policy gradient of sampled replies, and some cross-entropy."""
    import torch

    loss = SHARE * batch.cross_entropy()
    replies = batch.generate(SAMPLES, max_new_tokens=96)
    sampled, advantages = [], []
    for example, several in zip(batch.examples, replies, strict=True):
        rewards = [reward(reply, example.target) for reply in several]
        mean = sum(rewards) / len(rewards)
        spread = (sum((one - mean) ** 2 for one in rewards) / len(rewards)) ** 0.5
        if spread < 1e-6:
            continue
        for reply, one in zip(several, rewards, strict=True):
            if reply.strip():
                sampled.append(replace(example, target=reply))
                advantages.append((one - mean) / spread)
    if not sampled:
        return loss
    view = batch.view(sampled)
    told = view.reply_log_probs().sum(1) / view.reply_mask.sum(1)
    gains = torch.tensor(advantages, device=told.device, dtype=told.dtype)
    return loss - (told * gains).mean()


def reward(reply: str, target: str) -> float:
    """F1 of scenario, action and entities of a reply; 0 where it is no JSON object."""
    found, due = items(reply), items(target)
    if not found:
        return 0.0
    return 2 * len(found & due) / (len(found) + len(due))


def items(reply: str) -> set[str]:
    """What a reply says, each part as text."""
    try:
        content = json.loads(reply)
    except ValueError:
        return set()
    if not isinstance(content, dict):
        return set()
    entities = content.get("entities")
    parts = entities if isinstance(entities, list) else []
    told = {f"{name}={content.get(name)}" for name in ("scenario", "action")}
    return told | {json.dumps(one, sort_keys=True) for one in parts}


GRPO = Strategy(
    name="grpo",
    summary="Direct mixing, then sampled replies rewarded by SLU-F1",
    source="arXiv 2509.16990",
    stages=(
        Stage(learns_from=TEXT | SPEECH, share=0.9),
        Stage(learns_from=TEXT | SPEECH, share=0.1, rate=0.1, objective=rewarded),
    ),
)
