"""Checks corpora: rows, clips and splits."""
