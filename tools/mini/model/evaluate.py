"""Word error rates of the tiny model by the plain way: ``from_pretrained``, its processor and ``generate``.

``python -m tools.mini.model.evaluate --checkpoint DIR`` prints them as JSON for known and unseen voices:
of the embedded corpus's held-out commands, and of the speech cache's dev sets (half of them everyday words).
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Final

import jiwer
import pyarrow.parquet as pq

from slubench.data.editions import MINI_CORPUS
from tools.mini.grammar import LANGUAGES
from tools.mini.model.answers import KNOWN, Recording, Voices, _decoded, answer, recordings
from tools.mini.model.architecture import load
from tools.mini.model.features import SPEECH
from tools.mini.model.instructions import REPEAT

CORPUS: Final = MINI_CORPUS
UNSEEN: Final = "dev_unseen"


def held_out(corpus: Path, split: str, language: str, voices: Voices) -> list[Recording]:
    """Read what voices of the training split, or others alone, say in a split of the embedded corpus."""
    (train,) = corpus.glob(f"*/*/{language}-*/train-*.parquet")
    known = set(pq.read_table(train, columns=["speaker_id"])["speaker_id"].to_pylist())
    (file,) = corpus.glob(f"*/*/{language}-*/{split}-[0-9]*.parquet")
    columns = ["utt", "speaker_id", "condition", "audio"]
    rows = pq.read_table(file, columns=columns).rename_columns(["text", *columns[1:]]).to_pylist()
    return [_decoded(row) for row in rows if (row["speaker_id"] in known) == (voices == "known")]


def word_error_rates(
    checkpoint: Path, sets: Iterable[tuple[Mapping[str, str], list[Recording]]]
) -> Iterator[dict[str, str | float]]:
    """Give the word error rate of sets of recordings, each by what it is called."""
    model, processor = load(checkpoint)
    for name, heard in sets:
        found = answer(model, processor, REPEAT, [recording.samples for recording in heard])
        found = [text or "-" for text in found]
        for condition in ("all", "clean", "noisy"):
            at = [n for n, r in enumerate(heard) if condition in ("all", r.row["condition"])]
            said = [str(heard[n].row["text"]) for n in at]
            wer = float(jiwer.wer(reference=said, hypothesis=[found[n] for n in at]))
            yield {**name, "condition": condition, "utterances": len(at), "wer": round(wer, 4)}


def corpus_sets(corpus: Path, split: str) -> Iterator[tuple[dict[str, str], list[Recording]]]:
    """Give the sets of one split of the embedded corpus that are not empty, known voices first."""
    voices: Voices
    for voices in ("known", "unseen"):
        for language in LANGUAGES:
            if heard := held_out(corpus, split, language, voices):
                yield {"set": f"corpus {split}", "voices": voices, "language": language}, heard


def cache_sets(speech: Path, limit: int | None = None) -> Iterator[tuple[dict[str, str], list[Recording]]]:
    """Give the dev sets of the speech cache."""
    for voices in (KNOWN, UNSEEN):
        for language in LANGUAGES:
            name = {"set": "cache", "voices": voices, "language": language}
            yield name, recordings(speech, voices, language, limit)


def main() -> None:
    """Print word error rates, or with ``--probe-gap`` how far text-only fine-tuning reaches speech."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--speech", type=Path, default=SPEECH)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--limit", type=int, help="recordings of each dev set")
    parser.add_argument("--probe-gap", action="store_true")
    parser.add_argument("--language", choices=LANGUAGES, action="append", help="of the probe; all by default")
    parser.add_argument("--passes", type=int, default=6, help="of the probe, over its train set")
    parser.add_argument("--learning-rate", type=float, default=5e-3)
    options = parser.parse_args()
    if options.probe_gap:
        from tools.mini.model.gap import GapProbe, probe

        plan = GapProbe(passes=options.passes, rate=options.learning_rate)
        for language in options.language or LANGUAGES:
            for line in probe(options.checkpoint, options.speech, language, plan):
                print(json.dumps(line), flush=True)
    else:
        sets = corpus_sets(options.corpus, options.split)
        if options.speech.exists():
            sets = chain(sets, cache_sets(options.speech, options.limit))
        for line in word_error_rates(options.checkpoint, sets):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
