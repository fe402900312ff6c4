"""Nouns of the benchmark: frozen dataclasses without input or output."""
