"""The mini edition's grammar: sentences of our own in MASSIVE's ontology, parallel in three languages."""

from tools.mini.grammar.draw_sentences import DrawnMeaning, Sentence, command, draw_meaning, part, say
from tools.mini.grammar.everyday import generic
from tools.mini.grammar.language import LANGUAGES, lexicon

__all__ = [
    "LANGUAGES",
    "DrawnMeaning",
    "Sentence",
    "command",
    "draw_meaning",
    "generic",
    "lexicon",
    "part",
    "say",
]
