"""The conformance suite: the requirements on declarations, checked by `slubench check` and by the tests.

Requirements on declarations, imports and examples are plain functions; a strategy is moreover rehearsed in
processes whose file access is audited, trained and asked.
"""
