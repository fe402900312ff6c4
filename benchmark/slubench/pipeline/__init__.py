"""One run from its plan to its scores, a file a step; `run.py` is the story from top to bottom."""
