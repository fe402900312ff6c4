"""The tier `retrained`: composing and training in the sandbox; inference and scoring outside.

Inside there is no network, and of the corpus just what a strategy may read and hear: the pool's transcripts
and the recordings that were bought. Neither test, dev nor other recordings are there, whatever the strategy's
code does. It runs twice, each time in a sandbox of its own: to compose, whose train set is held against the
rules before anything learns from them; and, where it has a loss of its own, to train. What comes out is read
as a stranger's. What this does not prevent: a loss that trains longer or otherwise than it says, since it
runs in the process that trains.
"""
