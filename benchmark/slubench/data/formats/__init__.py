"""Readers of corpora's rows, one file for each format."""
