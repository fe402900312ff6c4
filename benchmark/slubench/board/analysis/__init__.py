"""Comparisons, rankings, references and seeds, computed from the runs of a board."""
