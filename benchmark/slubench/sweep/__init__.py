"""Sweeps: a grid of runs, shared out among GPUs and machines."""
