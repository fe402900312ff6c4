"""MAC-SLU: Chinese commands in a car, labelled with one or several intents and their slots.

Peng et al. 2025, "MAC-SLU: Multi-Intent Automotive Cabin Spoken Language Understanding Benchmark", arXiv
2512.01603. An utterance with several intents has their labels joined by `+` in the order of the annotation,
so that all must be right for the intent to be right; slots bear their domain, as in `music-singer`.
"""

from collections.abc import Iterable

from slubench import Clip, Corpus, Entity, Layout, Meaning, Task, Utterance
from slubench.data.formats.table import MULTIPLE
from slubench.domain.corpus import ANY, LIST, STRING, Row
from slubench.errors import DataError


def read(row: Row, language: str, clip: Clip | None) -> Utterance:
    """Read a row; one without any intent has the label `none`.

    Raises:
        DataError: The query is empty, or the semantics are of another form.
    """
    if not (row["query"] or "").strip():
        raise DataError("query is empty")
    scenarios, actions, entities = [], [], []
    for frame in row["semantics"] or []:
        if not isinstance(frame, dict) or not {"domain", "intent"} <= frame.keys():
            raise DataError("semantics must be a list of objects with domain, intent and slots")
        scenarios.append(str(frame["domain"]))
        actions.append(str(frame["intent"]))
        for slot, value in (frame.get("slots") or {}).items():
            for each in value if isinstance(value, list) else [value]:
                if each is not None:
                    entities.append(Entity(f"{frame['domain']}-{slot}", str(each)))
    return Utterance(
        id=str(row["id"]),
        language=language,
        text=row["query"],
        meaning=Meaning(
            MULTIPLE.join(scenarios) or "none", MULTIPLE.join(actions) or "none", tuple(entities)
        ),
        clip=clip,
        slices={"intents": "one" if len(actions) == 1 else "several" if actions else "none"},
    )


def recordings(row: Row) -> Iterable[tuple[Row, tuple[str, ...]]]:
    """The file of a row, in the folder that its authors' code reads, or in one for each split."""
    name = f"id_{row['id']}.wav"
    yield row, tuple(f"MAC_SLU/{folder}/{name}" for folder in FOLDERS)


FOLDERS = ("audio", "audio/train", "audio/dev", "audio/test", "wav", "train", "dev", "test")
MAC_SLU = Corpus(
    name="mac-slu",
    locales={"zh": "zh-CN"},
    layouts=(
        Layout(
            name="MAC-SLU's JSON lines",
            files=("MAC_SLU/{split}.jsonl", "MAC_SLU/data/{split}.jsonl", "MAC_SLU/label/{split}.jsonl"),
            columns={"id": ANY, "query": STRING, "semantics": LIST},
            read=read,
            splits={
                "train": ("train", "train_set"),
                "validation": ("dev", "dev_set"),
                "test": ("test", "test_set"),
            },
            recordings=recordings,
            assumed=True,
        ),
    ),
    licence="not stated",
    terms="Its licence was not found: ask its authors before you publish what you trained on it.",
    home_page="https://huggingface.co/datasets/Gatsby1984/MAC_SLU",
)

TASK = Task(
    name="mac-slu",
    corpus=MAC_SLU,
    test_in="zh",
    text_in=("zh",),
    speech_in=("zh",),
    summary="Chinese commands in a car, one or several intents, slots",
)
