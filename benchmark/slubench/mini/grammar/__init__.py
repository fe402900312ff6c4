"""The mini edition's grammar: sentences of our own in MASSIVE's ontology, parallel in three languages."""

from slubench.mini.grammar.everyday import generic
from slubench.mini.grammar.language import LANGUAGES, lexicon
from slubench.mini.grammar.sentences import Meaning, Sentence, command, draw_meaning, part, say

__all__ = ["LANGUAGES", "Meaning", "Sentence", "command", "draw_meaning", "generic", "lexicon", "part", "say"]
