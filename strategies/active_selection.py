"""Active selection: buy the recordings whose words are rarest among those bought so far, from many speakers.

It should help at small budgets: a random draw repeats frequent words and sentences, while recordings that
together cover many words and speakers say more of how the language sounds. Choosing what to record, with
distillation, is the idea of SALAD (OpenReview dDHnO3Vhyj). Only texts, durations and speakers are seen;
the draw is this strategy's own, so that its clips differ from those of other strategies at the same seed.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from random import Random

from slubench import SPEECH, TEXT, Candidate, SpeechBudget, SpeechOffer, Stage, Strategy


def cover_words(pool: SpeechOffer, budget: SpeechBudget, rng: Random) -> Iterable[Candidate]:
    """Greedily the recording with the most words, and the speaker, that were bought least so far."""
    return budget.fill(by_news(list(pool.speech()), rng))


def by_news(left: list[Candidate], rng: Random) -> Iterator[Candidate]:
    """All recordings, each the best of a random handful: a large pool takes no square of its size."""
    words: Counter[str] = Counter()
    speakers: Counter[str] = Counter()

    def gain(one: Candidate) -> float:
        news = sum(1 / (1 + words[word]) for word in set(one.text.lower().split()))
        return news + 1 / (1 + speakers[one.speaker or ""])

    while left:
        handful = rng.sample(range(len(left)), min(64, len(left)))
        best = max(handful, key=lambda place: gain(left[place]))
        left[best], left[-1] = left[-1], left[best]
        one = left.pop()
        yield one
        words.update(set(one.text.lower().split()))
        speakers[one.speaker or ""] += 1


ACTIVE_SELECTION = Strategy(
    name="active-selection",
    summary="Buy recordings that cover many words and speakers, then mix directly",
    source="OpenReview dDHnO3Vhyj",
    choose=cover_words,
    stages=(Stage(learns_from=TEXT | SPEECH),),
)
