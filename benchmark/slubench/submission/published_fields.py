"""What each field of a card, a report of inference, a manifest and a score row may be in public."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any, Final

from slubench.domain.ledger import Ledger
from slubench.domain.strategy import NAME
from slubench.registry.adapters import CARD_VERSION, Adapter
from slubench.runtime.redaction import public_line, redacted, without_paths
from slubench.submission.field_rules import (
    Either,
    Fault,
    Fields,
    Flag,
    Listed,
    Mapped,
    Number,
    Text,
    known_fields,
)

_COUNT: Final = Number(0, 2**53, whole=True)
_SECONDS: Final = Number(0, 10 * 366 * 86_400)
_MINUTES: Final = Number(0, 10 * 366 * 1_440)
_SEED: Final = Number(0, 2**31 - 1, whole=True)
_NAME: Final = Text("at most 100 lower-case letters, digits, hyphens and dots", 100, NAME.pattern)
_HEX: Final = Text("64 hexadecimal digits", 64, "[0-9a-f]{64}")
_HEX_OR_NONE: Final = Text("64 hexadecimal digits, or nothing", 64, "(?:[0-9a-f]{64})?")
_WORD: Final = Text("a word of ASCII letters and digits", 80, r"[A-Za-z0-9][A-Za-z0-9.+_-]*")
_KEY: Final = Text(
    "a name of ASCII letters, digits, dots, hyphens and underscores", 80, r"[A-Za-z][A-Za-z0-9._-]*"
)
_LINE: Final = Text("a line of at most 500 printable characters", 500)
_LANGUAGE: Final = Text("the code of a language", 20, r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_VERSION: Final = Either((Text("a version", 60, r"[0-9A-Za-z][0-9A-Za-z.+!_-]*"),), none=True)
_VERSIONS: Final = Mapped(_KEY, _VERSION, 30)
_REFERENCE: Final = Text("a commit, a digest, or nothing", 300, r"[A-Za-z0-9._/@:+-]*")
_WEIGHTS_FILE: Final = Text("the name of a safetensors file", 200, r"[A-Za-z0-9][A-Za-z0-9._-]*\.safetensors")
_STRETCHES: Final = 1_000_000

_OF_LANGUAGES: Final = {
    name: Mapped(_LANGUAGE, rule)
    for names, rule in (
        ("clips_unique clip_exposures text_unique text_exposures", _COUNT),
        ("minutes_unique minutes_exposed", _MINUTES),
    )
    for name in names.split()
}
_ADDED: Final = (
    "unlabelled_unique unlabelled_exposures predicted predicted_unlabelled spoken_unique spoken_exposures"
).split()
_LEDGER: Final = Fields(
    {
        **_OF_LANGUAGES,
        **dict.fromkeys(
            (
                "minutes_bought target_minutes synthetic_minutes validation_minutes unlabelled_minutes"
                " spoken_minutes"
            ).split(),
            _MINUTES,
        ),
        **dict.fromkeys("clips_there clips_bought target_clips cell_updates texts_derived".split(), _COUNT),
        **dict.fromkeys("validation_clips validation_texts".split(), _COUNT),
        **dict.fromkeys("clip_ids text_ids validation_ids".split(), _HEX_OR_NONE),
        **dict.fromkeys(_ADDED, _COUNT),
        "target": Text("a condition on target data", 40, "[a-z+-]+"),
        "selection": Text("a selection", 40, "[a-z-]+"),
        "updates": Listed(_COUNT, 1_000),
        "rejected": Listed(_LINE, 100_000),
        "draw": Text("how the clips were drawn", 40, "[a-z -]+"),
        "chosen": Mapped(_LANGUAGE, Listed(_LINE, 100_000)),
    },
    needed=frozenset(field.name for field in fields(Ledger))
    - {"cell_updates", "texts_derived", "draw", "chosen", "unlabelled_minutes", "spoken_minutes", *_ADDED},
)
_POINT: Final = Fields(
    {"update": _COUNT, "loss": Number(-1e12, 1e12), "rate": Number(0, 1e6)},
    needed=frozenset(("update", "loss")),
    closed=False,
)
_STAGE: Final = Fields({"updates": _COUNT, "rate": Number(0, 1e6), "objective": Flag()}, closed=False)
_TRAINING: Final = Fields(
    {
        **dict.fromkeys("updates examples clips_heard clips_unique tokens reply_tokens kept".split(), _COUNT),
        **dict.fromkeys("parameters trainable_parameters peak_memory_bytes".split(), _COUNT),
        "name": _LINE,
        "model": _NAME,
        "track": _WORD,
        "seed": _SEED,
        "repository": _LINE,
        "revision": Either((_REFERENCE,), none=True),
        "trainable_share": Number(0, 1),
        "flops": Number(0, 1e30),
        "seconds": _SECONDS,
        "device": _LINE,
        "dtype": _WORD,
        "versions": _VERSIONS,
        "stages": Listed(_STAGE, 1_000),
        "curve": Listed(_POINT, _STRETCHES),
        "watched": Listed(_POINT, _STRETCHES),
    },
    closed=False,
)
_CARD: Final = Fields(
    {
        **dict.fromkeys(("base", "strategy", "corpus"), _NAME),
        **dict.fromkeys(("data_seed", "train_seed"), _SEED),
        **dict.fromkeys(("edition", "track", "ruleset", "budget"), Text("a word", 80, "[A-Za-z0-9.%+-]+")),
        "name": Text("a name of letters, digits and .+_-", 250, r"[a-z0-9][A-Za-z0-9.+_-]*"),
        "fingerprint": _HEX,
        "weights": _REFERENCE,
        "strategy_digest": _HEX_OR_NONE,
        "pools": Mapped(Text("corpus/language/split", 100, "[A-Za-z0-9._/-]+"), _REFERENCE),
        "recipe": Mapped(_KEY, Either((Number(-1e9, 1e9), _WORD, Flag()), none=True)),
        "ledger": _LEDGER,
        "training": _TRAINING,
        "licence": _LINE,
        "sha256": Mapped(_WEIGHTS_FILE, _HEX, 1_000),
        "version": Number(1, CARD_VERSION, whole=True),
    },
    needed=frozenset(field.name for field in fields(Adapter)),
)
_REPORT: Final = Fields(
    {
        "engine": Text("vllm or transformers", 20, "vllm|transformers"),
        "version": Text("a version", 40, r"[0-9A-Za-z][0-9A-Za-z.+_-]*"),
        "serving": Text("live, merged or native", 10, "live|merged|native"),
        "seconds": _SECONDS,
        **dict.fromkeys(("distribution", "decoding", "dtype"), _WORD),
        **dict.fromkeys(("device", "why"), _LINE),
        **dict.fromkeys(("tokens", "asked", "kept"), _COUNT),
        "spent": Mapped(_KEY, _SECONDS),
        "probe": Either(
            (Mapped(_KEY, Either((Number(-1e18, 1e18), _LINE, Flag(), Listed(_WORD, 100)), none=True)),),
            none=True,
        ),
        "versions": _VERSIONS,
    },
    needed=frozenset(("engine", "version", "serving", "seconds")),
    closed=False,
)
_ENVIRONMENT: Final = Fields(
    {"python": _LINE, "platform": _LINE, "machine": _LINE, "packages": _VERSIONS},
    needed=frozenset(("python", "platform", "machine", "packages")),
)
_MANIFEST: Final = Fields(
    {
        **dict.fromkeys(("bundle", "rules", "schema_version"), Number(1, 1_000, whole=True)),
        **dict.fromkeys(
            ("slubench", "scorer_version"), Text("a version", 60, r"[0-9A-Za-z][0-9A-Za-z.+!_-]*")
        ),
    },
    closed=False,
)
_IDENTITY: Final = Fields(
    {
        **dict.fromkeys("task model".split(), _NAME),
        "strategy": Text("at most 64 lower-case letters, digits, hyphens and dots", 64, NAME.pattern),
        **dict.fromkeys("train_fingerprint answers_fingerprint scores_fingerprint".split(), _HEX),
        "engine": Text("vllm or transformers, and a version", 60,
                       "(?:vllm|transformers)(?: [0-9A-Za-z.+_-]{1,40})?"),
        "serving": Text("live, merged or native", 10, "live|merged|native"),
        "dtype": Text("a number format, as in bfloat16", 20, "[a-z0-9_]+"),
        "tier": Text("claimed: a tier is granted, not declared", 10, "claimed"),
        **dict.fromkeys("data_seed train_seed".split(), _SEED),
        **dict.fromkeys("clips_bought clips_unique clip_exposures".split(), _COUNT),
        **dict.fromkeys("text_rows updates cell_updates".split(), _COUNT),
        **dict.fromkeys("minutes_bought minutes_exposed".split(), _MINUTES),
        **dict.fromkeys("train_seconds answer_seconds".split(), _SECONDS),
        **dict.fromkeys("edition corpus track data_track ruleset selection target".split(),
                        Text("a word of at most 80 characters", 80, "[A-Za-z0-9.%+_-]+")),
        "speech": Text("a budget of at most 80 characters", 80, "[A-Za-z0-9.%+_ -]+"),
        **dict.fromkeys("speech_in text_in".split(), Listed(_LANGUAGE, 100)),
        **dict.fromkeys("corpus_revision model_weights".split(), _REFERENCE),
        **dict.fromkeys("strategy_digest strategy_fingerprint".split(), _REFERENCE),
        "test_in": _LANGUAGE,
        "run": Text("a name of letters, digits and .+_-", 250, r"[a-z0-9][A-Za-z0-9.+_-]*"),
        "speech_share": Number(0, 1),
        "flops": Number(0, 1e30),
    },
    closed=False,
)  # fmt: skip


def public_content(card: Adapter) -> dict[str, Any]:
    """A card as JSON for others: without folders, user and host of this machine."""
    content = asdict(card)
    return {
        **without_paths(content),
        "ledger": content["ledger"] | {"rejected": [public_line(row) for row in card.ledger.rejected]},
        "training": known_training(redacted(content["training"])),
    }


def card_faults(content: Any) -> Iterator[Fault]:
    """What of a card's JSON, with the names of today, is not what a card may hold."""
    return _CARD.faults(content, "")


def report_faults(content: Any) -> Iterator[Fault]:
    """What of a report of inference is not what it may hold."""
    return _REPORT.faults(content, "")


def environment_faults(content: Any) -> Iterator[Fault]:
    """What of `environment.json` is not what it may hold."""
    return _ENVIRONMENT.faults(content, "")


def manifest_faults(content: Any) -> Iterator[Fault]:
    """What of a manifest's versions is not what it may be; its files and runs are for who opens it."""
    return _MANIFEST.faults(content, "")


def identity_faults(row: Any) -> Iterator[Fault]:
    """What of a score row's identity is not what it may hold; what is null is left to others."""
    return _IDENTITY.faults({name: value for name, value in row.items() if value is not None}, "")


def known_training(training: Any) -> Any:
    """What a card tells of its training, without what nobody knows the form of."""
    return known_fields(training, _TRAINING)


def known_report(report: Any) -> Any:
    """A report of inference, without what nobody knows the form of."""
    return known_fields(report, _REPORT)
