"""Corpora: finds, downloads, reads and checks their files."""
