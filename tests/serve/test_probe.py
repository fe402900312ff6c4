"""What a probe concludes from log-probabilities: acting, ignored in part or whole, disagreeing, undecided."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from slubench.serve.probe import LIMITS, ProbeError, choose, compare, judge
from slubench.serve.replies import Reply
from slubench.serve.requests import Request
from slubench.serve.scored_reply import ALL, ScoredReply

KINDS = ("q_proj", "o_proj", "multi_modal_projector")
END = 9


def scored(
    *tokens: int, best: Sequence[Mapping[int, float]] = (), off: Mapping[str, float] | None = None
) -> ScoredReply:
    """A reply whose taken token is the best at each place, ahead of token 0 by three nats.

    Args:
        tokens: Of the reply.
        best: Log-probabilities by place, where they are others.
        off: By kind of module, what its absence takes from the best token.
    """
    at = best or tuple({token: -0.05, 0: -3.05} for token in tokens)
    without = {
        kind: [[known - loss * (token != 0) for token, known in place.items()] for place in at]
        for kind, loss in (off or {}).items()
    }
    return ScoredReply(
        reply=Reply("u1", "speech", " ".join(map(str, tokens)), len(tokens), "stop"),
        tokens=tokens,
        best=tuple(at),
        without=without,
    )


def moved(reply: ScoredReply, by: float) -> ScoredReply:
    """The reply as an engine tells it that gives its tokens less."""
    best = tuple({token: known - by * (token != 0) for token, known in place.items()} for place in reply.best)
    return ScoredReply(reply=reply.reply, tokens=reply.tokens, best=best)


WHOLE = scored(5, 6, END, off={"q_proj": 1.0, "o_proj": 2.0, "multi_modal_projector": 3.0, ALL: 6.0})


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_equal_numbers_agree(dtype: str) -> None:
    found = judge("mine", [compare(WHOLE, WHOLE)] * 8, dtype)
    assert (found.outcome, found.compared, found.equal, found.places) == ("agrees", 8, 8, 24)
    assert (found.apart, found.behind, found.untold) == (0.0, 0.0, ())
    assert found.told == (*KINDS, ALL)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_of_module_that_vllm_ignores_is_named(kind: str, dtype: str) -> None:
    only = scored(5, 6, END, off={kind: 1.0})
    with pytest.raises(ProbeError, match=f"vLLM ignores the {kind} modules of the adapter of mine"):
        judge("mine", [compare(moved(only, 1.0), only)] * 8, dtype)


def test_an_adapter_that_vllm_ignores_altogether() -> None:
    only = scored(5, 6, END, off={ALL: 6.0})
    with pytest.raises(ProbeError, match="vLLM ignores the adapter of mine"):
        judge("mine", [compare(moved(only, 6.0), only)] * 8, "bfloat16")


def test_the_replies_need_not_differ_for_an_ignored_module_to_be_seen() -> None:
    served = moved(WHOLE, 2.0)
    assert served.tokens == WHOLE.tokens
    with pytest.raises(ProbeError, match="ignores"):
        judge("mine", [compare(served, WHOLE)] * 8, "bfloat16")


def test_rounding_is_no_ignored_module() -> None:
    nearly = moved(WHOLE, LIMITS["bfloat16"].apart / 2)
    assert judge("mine", [compare(nearly, WHOLE)] * 8, "bfloat16").outcome == "agrees"
    with pytest.raises(ProbeError, match="disagree about mine"):
        judge("mine", [compare(nearly, WHOLE)] * 8, "float32")


def test_a_near_tie_may_go_either_way_and_what_follows_is_not_compared() -> None:
    tie = scored(5, 6, END, best=({5: -0.7, 7: -0.75}, {6: -0.1, 0: -4.0}, {END: -0.1, 0: -4.0}))
    other = scored(7, 1, 1, best=({7: -0.7, 5: -0.72}, {1: -0.1}, {1: -9.0}))
    found = judge("mine", [compare(other, tie)] * 8, "bfloat16")
    assert (found.outcome, found.equal, found.places) == ("agrees", 0, 8)
    assert found.behind == pytest.approx(0.05)


def test_a_token_far_behind_is_refused_even_in_one_reply() -> None:
    other = scored(7, END, best=({7: -0.7, 5: -0.72}, {END: -0.1, 0: -3.0}))
    sure = scored(5, END, best=({5: -0.05, 7: -3.0}, {END: -0.1, 0: -3.0}))
    compared = [compare(WHOLE, WHOLE)] * 40 + [compare(other, sure)]
    with pytest.raises(ProbeError, match=r"up to 2\.95 behind"):
        judge("mine", compared, "bfloat16")


def test_a_reply_that_ends_early_is_a_token_like_another() -> None:
    empty = scored(END, best=({END: -0.1, 5: -2.5},))
    assert judge("mine", [compare(empty, empty)] * 8, "bfloat16").outcome == "agrees"
    with pytest.raises(ProbeError, match="transformers"):
        judge("mine", [compare(empty, WHOLE)] * 8, "bfloat16")


def test_a_token_that_vllm_does_not_tell_is_less_likely_than_those_it_tells() -> None:
    known = scored(5, best=({5: -0.1, 7: -2.0, 8: -9.0},))
    untold = scored(5, best=({5: -0.1, 4: -4.0},))
    found = compare(untold, known)
    # Token 7 lost at least two nats; of token 8, below all that is told, nothing is known.
    assert found.squares == pytest.approx(4.0)
    assert found.numbers == 3


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(broken: float) -> None:
    served = scored(5, 6, END, best=({5: broken, 0: -3.0}, {6: -0.1}, {END: -0.1}))
    for pair in ((served, WHOLE), (WHOLE, served)):
        with pytest.raises(ProbeError):
            judge("mine", [compare(WHOLE, WHOLE)] * 7 + [compare(*pair)], "bfloat16")


def test_an_adapter_that_changes_less_than_rounding_leaves_it_undecided() -> None:
    idle = scored(5, 6, END, off={"q_proj": 1e-3, ALL: 2e-3})
    rounded = tuple({token: known + 0.01 * (token == 0) for token, known in one.items()} for one in idle.best)
    served = ScoredReply(reply=idle.reply, tokens=idle.tokens, best=rounded)
    found = judge("mine", [compare(served, idle)] * 8, "bfloat16")
    assert (found.outcome, found.told, found.untold) == ("undecided", (), ("q_proj", ALL))


def test_one_small_part_may_be_untold_where_the_adapter_is_told() -> None:
    idle = scored(5, 6, END, off={"q_proj": 1e-3, "o_proj": 1.0, ALL: 2.0})
    rounded = tuple({token: known + 0.01 * (token == 0) for token, known in one.items()} for one in idle.best)
    served = ScoredReply(reply=idle.reply, tokens=idle.tokens, best=rounded)
    found = judge("mine", [compare(served, idle)] * 8, "bfloat16")
    assert (found.outcome, found.told, found.untold) == ("agrees", ("o_proj", ALL), ("q_proj",))


def test_an_adapter_ignored_altogether_is_not_told_as_one_of_its_parts() -> None:
    served = moved(WHOLE, 6.0)
    with pytest.raises(ProbeError, match="vLLM ignores the adapter of mine"):
        judge("mine", [compare(served, WHOLE)] * 8, "float32")


def test_weights_without_an_adapter_only_have_to_agree() -> None:
    bare = scored(5, 6, END)
    assert judge("mine", [compare(bare, bare)] * 8, "bfloat16").outcome == "agrees"
    with pytest.raises(ProbeError, match="disagree"):
        judge("mine", [compare(moved(bare, 2.0), bare)] * 8, "bfloat16")


def test_a_number_format_of_which_nothing_is_measured_is_held_to_the_coarsest() -> None:
    nearly = moved(WHOLE, LIMITS["bfloat16"].apart / 2)
    assert judge("mine", [compare(nearly, WHOLE)] * 8, "float16").outcome == "agrees"


@pytest.mark.parametrize(
    ("speech", "text", "chosen"),
    [(20, 20, (4, 4)), (20, 0, (8, 0)), (0, 20, (0, 8)), (20, 2, (6, 2)), (3, 20, (3, 5)), (1, 1, (1, 1))],
)
def test_half_the_questions_are_text_where_there_is_some(
    speech: int, text: int, chosen: tuple[int, int]
) -> None:
    questions = [Request(f"u{i}", "speech", ("",)) for i in range(speech)]
    questions += [Request(f"u{i}", "text", ("",)) for i in range(text)]
    found = [question.input for question in choose(questions)]
    assert (found.count("speech"), found.count("text")) == chosen
