"""Interleaved: some words of an utterance are heard and the others read, in their order, within one example.

It should help because it ties the two modalities together word by word: the model must go on in the one where
it left off in the other. Interleaved speech and text is the idea of arXiv 2503.02769 and 2505.18644. Where a
word begins and ends is estimated: proportional to its letters within the recording, not by CTC alignment, so
that cuts may fall into neighbouring words. A third of the examples are interleaved, a third are whole
recordings, and the others are transcripts.
"""

from collections.abc import Iterator
from random import Random

from slubench import SPEECH, TEXT, Clip, Example, Pool, Stage, Strategy, Utterance


def by_turns(pool: Pool, rng: Random) -> Iterator[Example]:
    """Recordings by turns interleaved and whole, each followed by a transcript."""
    recordings = list(pool.speech())
    rng.shuffle(recordings)
    written = pool.text()
    for number, utterance in enumerate(recordings):
        yield interleave(utterance, rng) if number % 2 else Example.spoken(utterance)
        yield Example.written(rng.choice(written))


def interleave(utterance: Utterance, rng: Random) -> Example:
    """An example whose middle words are heard and whose other words are read, or the other way round."""
    spoken = Example.spoken(utterance)
    clip, words = utterance.clip, utterance.text.split()
    if clip is None or len(words) < 3:
        return spoken
    first = rng.randrange(1, len(words) - 1)
    last = rng.randrange(first + 1, len(words))
    sizes = [len(word) + 1 for word in words]
    begin, end = sum(sizes[:first]) / sum(sizes), sum(sizes[:last]) / sum(sizes)
    before, within, after = (" ".join(part) for part in (words[:first], words[first:last], words[last:]))
    if rng.random() < 0.5:
        parts: tuple[str | Clip, ...] = (before + " ", clip.part(begin, end), " " + after)
    else:
        parts = (clip.part(0, begin), " " + within + " ", clip.part(end, 1))
    return Example(parts, spoken.target, spoken.utterance, spoken.language)


INTERLEAVED = Strategy(
    name="interleaved",
    summary="Some words of an utterance are heard and the others read",
    source="arXiv 2503.02769",
    stages=(Stage(learns_from=TEXT | SPEECH, compose=by_turns),),
)
