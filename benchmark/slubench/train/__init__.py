"""The training process, which turns a `TrainJob` into an adapter.

`python -m slubench.train JOB.json` trains and writes the adapter's folder; killed at any moment, the same
command resumes. `training.train` reads from top to bottom. Importing this package alone loads no torch.
"""
