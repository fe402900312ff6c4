"""The tiny model: architecture, pretraining, export and evaluation."""
