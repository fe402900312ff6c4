"""Verifies a bundle, one tier after the other."""
