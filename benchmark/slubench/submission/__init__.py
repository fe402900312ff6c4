"""Runs handed in: a bundle is made of them, verified against the corpus, and merged with a tier of proof."""
