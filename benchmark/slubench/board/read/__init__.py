"""Reads score files and the files beside them."""
