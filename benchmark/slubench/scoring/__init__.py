"""Predictions compared with gold: score files and the files beside them."""
