"""Runs a strategy from plan to scores, one file for each step; start reading with `run.py`."""
