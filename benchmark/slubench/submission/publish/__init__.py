"""Publishes scores, cards and weights."""
