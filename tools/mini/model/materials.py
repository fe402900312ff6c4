"""What pretraining knows of sentences: drawn from the grammar, or recognised in the speech cache.

Only sentences of the grammar's pretraining part are ever drawn.
"""

import re
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Final, NamedTuple

from tools.mini.grammar import LANGUAGES, Sentence, command, generic, part
from tools.mini.grammar.language import language
from tools.mini.grammar.ontology import SLOT_OF_KIND, action_of, scenario_of
from tools.mini.model.instructions import Material, Surroundings

COMMANDS: Final = 0.75
"""Share of commands among written sentences."""
_PLACE: Final = re.compile(r"\{(\w+)\}")


class _Template(NamedTuple):
    pattern: re.Pattern[str]
    intent: str
    kinds: tuple[str, ...]


def draw(rng: Random) -> Material:
    """Draw a sentence of the pretraining part, a command or everyday words, in any of the languages."""
    code = rng.choice(LANGUAGES)
    while True:
        if rng.random() < COMMANDS:
            found = from_command(command(code, rng))
        else:
            found = Material(code, generic(code, rng))
        if part(found.text) == "pretraining":
            return found


def from_command(sentence: Sentence) -> Material:
    """Give a command of the grammar as material."""
    return Material(sentence.language, sentence.text, sentence.scenario, sentence.action, sentence.entities)


def from_row(row: Mapping[str, str | int]) -> Material:
    """Give what is known of a clip of the speech cache, whose rows hold words alone."""
    return recognise(str(row["language"]), str(row["text"]))


@cache
def recognise(code: str, text: str) -> Material:
    """Find the template that says ``text``; words that no template says are everyday words."""
    for template in _templates(code):
        match = template.pattern.fullmatch(text)
        if match is not None:
            return Material(
                code,
                text,
                scenario_of(template.intent),
                action_of(template.intent),
                tuple(
                    (slot, _fillers(code, kind)[spoken])
                    for kind, spoken in zip(template.kinds, match.groups(), strict=True)
                    if (slot := SLOT_OF_KIND[kind]) is not None
                ),
            )
    return Material(code, text)


def surroundings() -> Surroundings:
    """Collect the words of each language and the ontology's names, for tasks that need some at random."""
    words: dict[str, list[str]] = {}
    labels: set[str] = set()
    for code in LANGUAGES:
        spoken = language(code)
        entities = [fillers for kind, fillers in spoken.fillers.items() if SLOT_OF_KIND[kind]]
        phrases = {filler.words for fillers in entities for filler in fillers}
        words[code] = sorted(phrases | spoken.command_words() | spoken.everyday_words())
        labels.update(slot for slot in SLOT_OF_KIND.values() if slot is not None)
        labels.update(scenario_of(intent) for intent in spoken.templates)
        labels.update(action_of(intent) for intent in spoken.templates)
    return Surroundings(words, sorted(labels))


@cache
def _fillers(code: str, kind: str) -> dict[str, str]:
    return {filler.spoken: filler.words for filler in language(code).fillers[kind]}


@cache
def _templates(code: str) -> list[_Template]:
    spoken = language(code)
    before = "|".join(map(re.escape, spoken.before))
    after = "|".join(map(re.escape, spoken.after))
    found = []
    for intent, templates in spoken.templates.items():
        for template in templates:
            pieces = _PLACE.split(template)
            body = "".join(
                f"({'|'.join(map(re.escape, _fillers(code, piece)))})" if number % 2 else re.escape(piece)
                for number, piece in enumerate(pieces)
            )
            pattern = re.compile(f"(?:(?:{before}) )?{body}(?: (?:{after}))?")
            found.append(_Template(pattern, intent, tuple(pieces[1::2])))
    return found
