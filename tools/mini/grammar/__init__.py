"""The mini edition's grammar: sentences of our own in MASSIVE's ontology, parallel in three languages."""

from tools.mini.grammar.everyday import generic
from tools.mini.grammar.language import LANGUAGES, lexicon
from tools.mini.grammar.sentences import Meaning, Sentence, command, draw_meaning, part, say

__all__ = ["LANGUAGES", "Meaning", "Sentence", "command", "draw_meaning", "generic", "lexicon", "part", "say"]
