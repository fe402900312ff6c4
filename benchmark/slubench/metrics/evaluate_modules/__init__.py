"""The measures as modules of Hugging Face's `evaluate`, a folder each, that load from a path without network.

`evaluate.load(slubench.evaluate_path("slurp_slu"))`; the folder's README is the module's card.
"""
