"""Everything that pretraining asks of a sentence, spoken or written, and what it wants to be answered.

The benchmark's own instruction is not here, and its keys (scenario, action, entities) occur only in JSON to
be copied, filled at random: what a sentence means under the benchmark's names is left for fine-tuning.
Structured tasks use other keys, other names of slots and six coarse topics.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

REPEAT: Final = "Repeat what you hear."
"""The instruction by which word error rates are measured."""
REPEATS: Final = (REPEAT, REPEAT, REPEAT, "Write it down.", "Say it again.")

TOPICS: Final[Mapping[str, tuple[str, ...]]] = {
    "hours": ("alarm", "calendar", "datetime"),
    "sounds": ("play", "audio", "music"),
    "house": ("iot", "lists"),
    "people": ("email", "social"),
    "errands": ("transport", "takeaway", "cooking"),
    "world": ("news", "weather", "qa", "recommendation", "general"),
}
WISHES: Final[Mapping[str, tuple[str, ...]]] = {
    "ask": ("query", "querycontact", "definition", "factoid", "maths", "currency", "recipe", "traffic"),
    "drop": ("remove", "hue_lightoff", "wemo_off", "volume_mute"),
}
OTHER_WISH: Final = "do"
NICKNAMES: Final[Mapping[str, tuple[str, str]]] = {
    "time": ("moment", "clock"),
    "date": ("day", "calendar day"),
    "timeofday": ("part of day", "daylight"),
    "general_frequency": ("rhythm", "how often"),
    "place_name": ("town", "spot"),
    "house_place": ("room", "corner"),
    "person": ("who", "human"),
    "relation": ("family", "kin"),
    "artist_name": ("singer", "star"),
    "song_name": ("tune", "track"),
    "music_genre": ("style", "sound"),
    "playlist_name": ("mix", "tracks"),
    "podcast_name": ("show", "talk"),
    "radio_name": ("station", "channel"),
    "audiobook_name": ("story", "volume"),
    "media_type": ("outlet", "medium"),
    "news_topic": ("theme", "matter"),
    "device_type": ("gadget", "machine"),
    "color_type": ("hue", "tint"),
    "change_amount": ("how much", "step"),
    "event_name": ("occasion", "happening"),
    "list_name": ("sheet", "notes"),
    "business_type": ("shop", "trade"),
    "business_name": ("brand", "firm"),
    "food_type": ("dish", "meal"),
    "meal_type": ("course", "eating"),
    "order_type": ("way", "handover"),
    "transport_type": ("vehicle", "ride"),
    "weather_descriptor": ("sky", "climate"),
    "game_name": ("match", "fun"),
    "definition_word": ("term", "thing"),
    "currency_name": ("money", "coin"),
    "joke_type": ("humour", "laugh"),
    "coffee_type": ("drink", "brew"),
    "personal_info": ("fact", "data"),
}
"""Other names for MASSIVE's slot types; a type without one is called ``detail``."""
UNNAMED: Final = ("detail", "item")
OUTER: Final = (("kind", "parts"), ("topic", "found"), ("group", "values"))
MARKS: Final = tuple("red blue green oak fox north south gold seven delta kilo zulu".split())


class Instructed(NamedTuple):
    """One instruction and the answer that is wanted."""

    instruction: str
    answer: str


@dataclass(frozen=True)
class Material:
    """A sentence as pretraining knows it."""

    language: str
    text: str
    scenario: str = ""
    action: str = ""
    entities: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> list[str]:
        """The words of the text, as white space parts them."""
        return self.text.split()


@dataclass(frozen=True)
class Surroundings:
    """What tasks draw from beside the sentence: other words, and names that mean nothing there."""

    words: Mapping[str, Sequence[str]]
    """Words and short phrases of each language."""
    labels: Sequence[str]
    """Names of scenarios, actions and slot types, used at random only."""


Task = Callable[[Material, Surroundings, Random], Instructed]


def ask(material: Material, around: Surroundings, rng: Random, tasks: Mapping[Task, float]) -> Instructed:
    """Draw a task by its weight and put it to ``material``."""
    (task,) = rng.choices(list(tasks), weights=list(tasks.values()))
    return task(material, around, rng)


def repeat(material: Material, around: Surroundings, rng: Random) -> Instructed:
    """Ask for all words."""
    return Instructed(rng.choice(REPEATS), material.text)


def language(material: Material, around: Surroundings, rng: Random) -> Instructed:
    """Ask which language it is."""
    return Instructed("Which language?", material.language)


def word(material: Material, around: Surroundings, rng: Random) -> Instructed:
    """Ask for one word by its place: first, last, after or before another."""
    selector, answer = _one_word(material, rng)
    return Instructed(f"The word {selector}?", answer)


def span(material: Material, around: Surroundings, rng: Random) -> Instructed:
    """Ask for the words from one to another."""
    selector, answer = _some_words(material, rng)
    return Instructed(f"The words {selector}?", answer)


def one_entity(material: Material, around: Surroundings, rng: Random) -> Instructed:
    """Ask for one entity under another name, sometimes for one that is not there."""
    if not material.entities:
        return span(material, around, rng)
    if rng.random() < 0.15:
        absent = [slot for slot in NICKNAMES if slot not in dict(material.entities)]
        return Instructed(f"Find the {rng.choice(NICKNAMES[rng.choice(absent)])}.", "none")
    slots = [slot for slot, _ in material.entities]
    single = [(slot, filler) for slot, filler in material.entities if slots.count(slot) == 1]
    if not single:
        return span(material, around, rng)
    slot, filler = rng.choice(single)
    return Instructed(f"Find the {_nickname(slot, rng)}.", filler)


def all_entities(material: Material, around: Surroundings, rng: Random) -> Instructed:
    """Ask for topic, wish and all entities as JSON, under other keys and names."""
    first, second = OUTER[0]
    found = [{NICKNAMES.get(slot, UNNAMED)[0]: filler} for slot, filler in material.entities]
    if rng.random() < 0.5:
        return Instructed(f"List the {second} as JSON.", _json({second: found}))
    reply = {first: _topic(material), "wish": _wish(material), second: found}
    return Instructed(f"Tell {first}, wish and {second} as JSON.", _json(reply))


def topic(material: Material, around: Surroundings, rng: Random) -> Instructed:
    """Ask for the coarse topic or the kind of wish."""
    if rng.random() < 0.5:
        return Instructed("What is it about?", _topic(material))
    return Instructed("What is wished?", _wish(material))


def choose(material: Material, around: Surroundings, rng: Random) -> Instructed:
    """Say one name if a word is heard, else another."""
    instruction, answer = _choice(material, around, rng)
    return Instructed(instruction, answer)


def fields(material: Material, around: Surroundings, rng: Random) -> Instructed:
    """Fill JSON whose names stand in the instruction and whose values come from the sentence."""
    outer, inner = rng.choice(OUTER)
    rule, label = _choice(material, around, rng)
    known = [name for pair in NICKNAMES.values() for name in pair]
    names = rng.sample([*known, *MARKS], rng.choice((1, 2, 2)))
    asked, values = [], []
    for name in names:
        if material.entities and rng.random() < 0.5:
            slot, value = rng.choice(material.entities)
            selector = f"the {_nickname(slot, rng)}"
        else:
            selector, value = rng.choice((_one_word, _some_words))(material, rng)
        asked.append(f"{name}: {selector}.")
        values.append({name: value})
    if rng.random() < 0.5:
        return Instructed(f"JSON {inner}. {' '.join(asked)}", _json({inner: values}))
    return Instructed(
        f"JSON {outer}, {inner}. {rule} {' '.join(asked)}", _json({outer: label, inner: values})
    )


def copy(material: Material, around: Surroundings, rng: Random) -> Instructed:
    """Repeat JSON that stands in the instruction, with names drawn at random: the sentence plays no part."""
    entities = [
        {rng.choice(around.labels): rng.choice(around.words[material.language])}
        for _ in range(rng.choice((0, 1, 1, 2, 3)))
    ]
    keys = rng.choice((("scenario", "action", "entities"), ("kind", "wish", "parts")))
    values = (rng.choice(around.labels), rng.choice(around.labels), entities)
    text = _json(dict(zip(keys, values, strict=True)))
    return Instructed(f"Copy: {text}", text)


IN_BOTH_MODES: Final[Mapping[Task, float]] = {
    repeat: 0.36,
    word: 0.12,
    span: 0.08,
    one_entity: 0.07,
    all_entities: 0.12,
    topic: 0.05,
    choose: 0.07,
    fields: 0.09,
    copy: 0.03,
    language: 0.01,
}
WRITTEN_ONLY: Final[Mapping[Task, float]] = {
    repeat: 0.28,
    word: 0.10,
    span: 0.08,
    one_entity: 0.06,
    all_entities: 0.10,
    topic: 0.04,
    choose: 0.06,
    fields: 0.10,
    copy: 0.18,
}

LENGTHY: Final = frozenset({all_entities, fields, copy})
"""Tasks with long instructions or answers."""


def alike(tasks: Mapping[Task, float], rng: Random) -> Mapping[Task, float]:
    """Draw either the lengthy or the short ones of ``tasks``, by their weight.

    A batch is as long as its longest question; batches of questions alike in length cost a third less.
    """
    lengthy: Mapping[Task, float] = {task: weight for task, weight in tasks.items() if task in LENGTHY}
    short: Mapping[Task, float] = {task: weight for task, weight in tasks.items() if task not in LENGTHY}
    weights = [sum(lengthy.values()), sum(short.values())]
    return rng.choices([lengthy, short], weights=weights)[0]


def _one_word(material: Material, rng: Random) -> tuple[str, str]:
    words = material.words
    way = rng.choice(("first", "last", "after", "before")) if len(words) > 1 else "first"
    if way in ("first", "last"):
        return way, words[0 if way == "first" else -1]
    unique = [i for i, w in enumerate(words) if words.count(w) == 1]
    places = [i for i in unique if 0 <= (i + 1 if way == "after" else i - 1) < len(words)]
    if not places:
        return "last", words[-1]
    place = rng.choice(places)
    return f'{way} "{words[place]}"', words[place + 1 if way == "after" else place - 1]


def _some_words(material: Material, rng: Random) -> tuple[str, str]:
    words = material.words
    unique = [i for i, w in enumerate(words) if words.count(w) == 1]
    if len(unique) < 2:
        return "first", words[0]
    start, end = sorted(rng.sample(unique, 2))
    end = min(end, start + 4)
    if words[end] not in [words[i] for i in unique]:
        return "first", words[0]
    return f'from "{words[start]}" to "{words[end]}"', " ".join(words[start : end + 1])


def _choice(material: Material, around: Surroundings, rng: Random) -> tuple[str, str]:
    yes, no = rng.sample(list(around.labels) if rng.random() < 0.6 else list(MARKS), 2)
    if rng.random() < 0.5:
        return f'"{yes}" if you hear "{rng.choice(material.words)}", else "{no}".', yes
    other = rng.choice(around.words[material.language]).split()[0]
    return f'"{yes}" if you hear "{other}", else "{no}".', yes if other in material.words else no


def _topic(material: Material) -> str:
    return next((name for name, scenarios in TOPICS.items() if material.scenario in scenarios), "nothing")


def _wish(material: Material) -> str:
    if not material.action:
        return "nothing"
    return next((name for name, actions in WISHES.items() if material.action in actions), OTHER_WISH)


def _nickname(slot: str, rng: Random) -> str:
    return rng.choice(NICKNAMES.get(slot, UNNAMED))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
