"""The serving process: predicts with adapters of one model, by vLLM or transformers.

The process is `python -m slubench.serve JOB.json` (`slubench.runtime.jobs.PredictJob`). This package and
`slubench.train` do not know one another: an adapter and its replies are all that pass.
"""
