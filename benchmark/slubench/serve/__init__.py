"""Answering: adapters of one model asked through vLLM or transformers, in a process of its own.

The process is `python -m slubench.serve JOB.json` (`slubench.runtime.jobs.PredictJob`). This package and
`slubench.train` do not know one another: an adapter and its replies are all that pass.
"""
