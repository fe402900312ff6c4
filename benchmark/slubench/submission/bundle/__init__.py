"""Bundles: their layout, packing, and opening as untrusted input."""
