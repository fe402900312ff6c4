"""The conformance suite: what a declaration must hold to, as `slubench check` and the tests ask it.

Requirements on declarations, imports and lessons are plain functions; a strategy is moreover rehearsed in
processes whose file access is audited, trained and asked.
"""
