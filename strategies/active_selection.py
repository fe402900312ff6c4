"""Active selection: buy the recordings whose words are rarest among those bought so far, from many speakers.

It should help at small budgets: a random draw repeats frequent words and sentences, while recordings that
together cover many words and speakers say more of how the language sounds. Choosing what to record, with
distillation, is the idea of SALAD (OpenReview dDHnO3Vhyj). Only texts, durations and speakers are seen;
the draw is this strategy's own, so that its clips differ from those of other strategies at the same seed.
"""

from collections import Counter
from collections.abc import Iterable
from random import Random

from slubench import SPEECH, TEXT, Candidate, SpeechBudget, SpeechOffer, Stage, Strategy


def cover_words(pool: SpeechOffer, budget: SpeechBudget, rng: Random) -> Iterable[Candidate]:
    """Greedily the recording with the most words, and the speaker, that were bought least so far."""
    left = list(pool.speech())
    rng.shuffle(left)
    bought: list[Candidate] = []
    words: Counter[str] = Counter()
    speakers: Counter[str] = Counter()

    def gain(one: Candidate) -> float:
        said = set(one.text.lower().split())
        news = sum(1 / (1 + words[word]) for word in said)
        return news + 1 / (1 + speakers[one.speaker or ""])

    while left and budget.allows([*bought, left[-1]]):
        # Of a handful at a time, so that a large pool takes no square of its size.
        handful = range(max(0, len(left) - 64), len(left))
        best = left.pop(max(handful, key=lambda place: gain(left[place])))
        if not budget.allows([*bought, best]):
            break
        bought.append(best)
        words.update(set(best.text.lower().split()))
        speakers[best.speaker or ""] += 1
        rng.shuffle(left)
    return bought


ACTIVE_SELECTION = Strategy(
    name="active-selection",
    summary="Buy recordings that cover many words and speakers, then mix directly",
    source="OpenReview dDHnO3Vhyj",
    choose=cover_words,
    stages=(Stage(learns_from=TEXT | SPEECH),),
)
