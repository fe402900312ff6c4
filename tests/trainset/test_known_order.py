"""Which examples a strategy meets, and in which order, worked out again by plain hashing."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from random import Random

import pytest

from slubench import SPEECH, TEXT, Clip, Example, Meaning, Stage, Strategy, Utterance
from slubench.data.rows import one_each
from slubench.domain.budget import Budget
from slubench.domain.pool import Pool
from slubench.domain.strategy import Modality
from slubench.registry import Registry
from slubench.trainset.ledger import PoolContents, consumption, count, look
from slubench.trainset.order import recycled
from slubench.trainset.train_set import StageExamples, compose, exposure

STRATEGIES = Registry().strategies


def sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def utterances(language: str, size: int) -> list[Utterance]:
    return [
        Utterance(
            str(n), language, f"{language} {n}", Meaning("alarm", "set"), Clip(language, n), recording="r"
        )
        for n in range(size)
    ]


# The two languages hold the same ids, as translations do.
GERMAN, FRENCH = utterances("de", 12), utterances("fr", 12)
POOL = Pool({"de": GERMAN, "fr": FRENCH}, {"de": GERMAN[:5], "fr": FRENCH[:4]}, Budget.parse("9"))
CELL = exposure(24, 30, 9, 4)


def name(utterance: Utterance) -> tuple[str, str]:
    return utterance.language, utterance.key


def passes(of: Sequence[Utterance], size: int, seed: str) -> list[tuple[str, str]]:
    """`size` utterances, pass after pass, each sorted by the hash of seed, pass, language and key."""
    turns = -(-size // len(of))
    orders = (
        sorted(of, key=lambda u: sha(f"{seed}:{turn}:{u.language}:{u.id}/{u.recording}"))
        for turn in range(turns)
    )
    return [name(u) for order in orders for u in order][:size]


def mixed(size: int, heard: int, seed: str) -> list[tuple[str, tuple[str, str]]]:
    """Clips at the places of the least hashes, what is read at the others."""
    places = sorted(range(size), key=lambda place: sha(f"{seed}:slot:{place}"))[:heard]
    speech = iter(passes(POOL.speech(), heard, f"{seed}:speech"))
    text = iter(passes(POOL.text(), size - heard, f"{seed}:text"))
    return [("heard", next(speech)) if place in places else ("read", next(text)) for place in range(size)]


def met(stage: StageExamples) -> list[tuple[str, tuple[str, str]]]:
    return [("heard" if e.clips else "read", (e.language, e.utterance)) for e in stage.examples]


@pytest.mark.parametrize("size", [5, 12, 31])
def test_each_pass_goes_by_the_hash_of_seed_pass_language_and_key(size: int) -> None:
    both = [*GERMAN, *FRENCH]
    assert [name(u) for u in recycled(both, size, "3:1:text")] == passes(both, size, "3:1:text")
    # Translations of one sentence do not stand side by side.
    order = passes(both, 24, "0")
    assert [key for language, key in order if language == "de"] != [
        key for lang, key in order if lang == "fr"
    ]


def test_the_cell_is_known() -> None:
    assert (CELL.updates, CELL.heard, CELL.unique) == (26, 27, 9)  # (3 * 24 + 30) / 4; 3 * 9


@pytest.mark.parametrize("seed", [0, 7])
def test_direct_mixing_meets_what_the_hashes_say(seed: int) -> None:
    (stage,) = compose(STRATEGIES["direct-mix"], POOL, CELL, seed)
    assert met(stage) == mixed(26 * 4, 27, f"{seed}:0")


@pytest.mark.parametrize("seed", [0, 7])
def test_the_curriculum_reads_by_the_first_stages_seed_and_mixes_by_the_seconds(seed: int) -> None:
    first, second = compose(STRATEGIES["curriculum"], POOL, CELL, seed)
    assert met(first) == [("read", one) for one in passes(POOL.text(), 13 * 4, f"{seed}:0:text")]
    assert met(second) == mixed(13 * 4, 27, f"{seed}:1")


def test_speech_only_hears_pass_after_pass() -> None:
    (stage,) = compose(STRATEGIES["speech-only"], POOL, CELL, 5)
    assert met(stage) == [("heard", one) for one in passes(POOL.speech(), 104, "5:0:speech")]


def shuffled(pool: Pool, rng: Random) -> Iterator[Example]:
    rows = list(pool.text())
    rng.shuffle(rows)
    return map(Example.written, rows)


@pytest.mark.parametrize("seed", [0, 7])
def test_each_pass_of_a_compose_has_the_random_numbers_of_seed_stage_and_pass(seed: int) -> None:
    stages = tuple(Stage(learns_from=TEXT, share=1 / 2, compose=shuffled) for _ in range(2))
    made = compose(Strategy(name="mine", stages=stages), POOL, CELL, seed)
    for number, stage in enumerate(made):
        due: list[tuple[str, str]] = []
        for turn in range(3):
            rows = [name(u) for u in POOL.text()]
            Random(int.from_bytes(sha(f"{seed}:{number}:{turn}:compose")[:8])).shuffle(rows)
            due += rows
        assert [one for _, one in met(stage)] == due[: 13 * 4]


def both_parts(pool: Pool, rng: Random) -> Iterator[Example]:
    for u in pool.speech():
        assert u.clip is not None
        yield Example((u.clip, u.clip, u.text), Example.written(u).target, u.key, u.language)
    yield from map(Example.written, pool.text()[:3])


def test_an_example_of_two_clips_counts_twice_and_what_is_read_goes_on() -> None:
    """27 clips: nine twice are 18, four more twice are 26; the 27th would be half an example."""
    strategy = Strategy(name="twice", stages=(Stage(learns_from=TEXT | SPEECH, compose=both_parts),))
    (stage,) = compose(strategy, POOL, CELL, 0)
    heard = sum(len(example.clips) for example in stage.examples)
    assert heard == 26
    assert len(stage.examples) == 104
    assert [len(e.clips) for e in stage.examples[:27]] == [2] * 9 + [0] * 3 + [2] * 4 + [0] * 3 + [0] * 8


@pytest.mark.parametrize(
    ("learns", "passes_declared", "examples"),
    [(TEXT, 1.5, 36), (SPEECH, 2, 18), (TEXT | SPEECH, 1, 33), (TEXT, 0.01, 1), (TEXT, 50, 104)],
)
def test_declared_passes_are_over_what_the_stage_learns_from(
    learns: Modality, passes_declared: float, examples: int
) -> None:
    strategy = Strategy(name="few", stages=(Stage(learns_from=learns, passes=passes_declared),))
    (stage,) = compose(strategy, POOL, CELL, 0)
    assert len(stage.examples) == examples
    assert stage.updates == -(-examples // 4)


def test_shares_of_several_stages_add_up() -> None:
    shares = (0.2, 0.3, 0.5)
    strategy = Strategy(name="three", stages=tuple(Stage(learns_from=TEXT, share=share) for share in shares))
    # 5.2, 13 and 26 of 26 updates, each end rounded.
    assert [stage.updates for stage in compose(strategy, POOL, CELL, 0)] == [5, 8, 13]


def seconds(clip: Clip) -> float:
    return 30.0 if clip.file == "de" else 90.0


def stage_of(*examples: Example) -> StageExamples:
    return StageExamples(Stage(learns_from=TEXT | SPEECH), 3, examples)


def test_the_ledger_tells_minutes_from_seconds_and_unique_from_heard() -> None:
    spoken = [Example.spoken(u) for u in (GERMAN[0], GERMAN[0], GERMAN[1], FRENCH[0])]
    written = [Example.written(u) for u in (GERMAN[0], GERMAN[0], FRENCH[2])]
    clips = [u.clip for u in (*GERMAN[:3], FRENCH[0]) if u.clip]
    given = PoolContents(40, clips[:3], "text+speech", clips[3:], frozenset(clips[:1]))
    ledger = count([stage_of(*spoken[:2]), stage_of(*spoken[2:], *written)], given, seconds)
    assert (ledger.clips_there, ledger.clips_bought, ledger.target_clips) == (40, 3, 1)
    assert (ledger.minutes_bought, ledger.target_minutes) == (1.5, 1.5)
    assert ledger.clips_unique == {"de": 2, "fr": 1}
    assert ledger.clip_exposures == {"de": 3, "fr": 1}
    assert ledger.minutes_unique == {"de": 1.0, "fr": 1.5}
    assert ledger.minutes_exposed == {"de": 1.5, "fr": 1.5}
    assert ledger.synthetic_minutes == 1.0  # one machine-spoken clip of half a minute, heard twice
    assert ledger.text_unique == {"de": 1, "fr": 1}
    assert ledger.text_exposures == {"de": 2, "fr": 1}
    assert ledger.updates == (3, 3)
    watched = [Example.spoken(GERMAN[5]), Example.written(GERMAN[6]), Example.written(GERMAN[7])]
    looked = look(ledger, "val-text", watched, seconds=90.0)
    assert (looked.validation_clips, looked.validation_texts, looked.validation_minutes) == (1, 2, 1.5)
    assert looked.clip_exposures == ledger.clip_exposures
    told = consumption([stage_of(*spoken, *written)], watched).to_json()
    assert told["heard"] == {"de": ["0/r", "1/r"], "fr": ["0/r"]}
    assert told["read"] == {"de": ["0/r"], "fr": ["2/r"]}
    assert told["watched"] == {"de": ["5/r", "6/r", "7/r"]}


def recordings(size: int) -> list[Utterance]:
    return [
        Utterance(str(n), "en", "x", Meaning("a", "b"), Clip(f"{n}-{r}"), recording=str(r))
        for n in range(size)
        for r in range(3)
    ]


@pytest.mark.parametrize("seed", [0, 3])
def test_one_recording_of_a_sentence_is_drawn_by_the_hash_of_seed_sentence_and_recording(seed: int) -> None:
    rows = recordings(20)
    due = [
        min(some, key=lambda u: sha(f"{seed}:{u.id}:{u.recording}"))
        for _, group in itertools.groupby(rows, key=lambda u: u.id)
        for some in [list(group)]
    ]
    assert one_each(rows, seed) == due
    assert one_each(rows, seed) != one_each(rows, seed + 1)


@pytest.mark.parametrize("seed", [0, 3])
def test_clips_are_bought_by_the_hash_of_seed_and_sentence(seed: int) -> None:
    rows = recordings(40)
    order = sorted(rows, key=lambda u: (sha(f"{seed}:{u.id}"), u.recording))

    def bought(speech: str) -> list[Utterance]:
        return Budget.parse(speech).buy(rows, seed, lambda u: 10.0 * (1 + int(u.recording)))

    assert bought("7") == order[:7]
    assert bought("12.5%") == order[:15]
    # A share of 120 recordings: 1.25 % are one and a half, which buy two, and 1.2 % one.
    assert (len(bought("1.25%")), len(bought("1.2%")), len(bought("0.1%"))) == (2, 1, 1)
    # A sentence's recordings last 10, 20 and 30 s: two minutes are two sentences, and 2.5 two and a half.
    assert bought("2min") == order[:6]
    assert bought("2.5min") == order[:8]
    assert bought("2.49min") == order[:7]
    # All recordings of sentences: 12.5 % of 40 sentences are five.
    assert bought("12.5%+all-recordings") == order[:15]
    assert {u.id for u in bought("12.5%+all-recordings")} == {u.id for u in order[:15:3]}
    assert len(bought("3.75%+all-recordings")) == 6  # one and a half of 40 sentences buy two


def test_stratified_puts_the_first_of_each_intent_where_its_share_says() -> None:
    rows = [
        Utterance(str(n), "de", "x", Meaning("s", "many" if n < 6 else "few"), Clip("f", n)) for n in range(9)
    ]
    order = sorted(rows, key=lambda u: sha(f"0:{u.id}"))
    many, few = ([u for u in order if u.meaning.action == action] for action in ("many", "few"))
    # The k-th of n stands at (2 k + 1) / 2 n: 1/12, 3/12, ... and 1/6, 3/6, 5/6.
    due = [many[0], few[0], many[1], many[2]]
    assert Budget.parse("4+stratified").buy(rows, 0, lambda u: 1.0) == due
