"""The columns of every Parquet file that one part writes and another reads."""

from __future__ import annotations

import pyarrow as pa

from slubench.metrics.tally import COUNT_NAMES

COMPARED = ("slu_f1", "intent_accuracy", "exact_match")
"""Measures whose replicates are kept."""


SCHEMA_VERSION = 2


RULES = 1


PARTS = pa.list_(pa.struct([("text", pa.string()), ("clip", pa.string())]))

# A row an example, in the order it is learnt; stage s of a run holds updates * batch rows.
TRAIN_EXAMPLES = pa.schema(
    [
        ("stage", pa.int16()),
        ("position", pa.int32()),
        ("utterance", pa.string()),
        ("language", pa.string()),
        ("modality", pa.string()),  # speech, text, or both
        ("parts", PARTS),
        ("target", pa.string()),
        ("weight", pa.float32()),
    ]
)

REQUESTS = pa.schema(
    [
        ("utterance", pa.string()),
        ("asked", pa.string()),  # speech, text, own-transcript; transcript where the words are wanted
        ("parts", PARTS),
    ]
)

# Gold is not among the answers; it is joined from the corpus when they are scored.
PREDICTIONS = pa.schema(
    [
        ("utterance", pa.string()),
        ("asked", pa.string()),
        ("reply", pa.string()),
        ("parsed", pa.bool_()),
        ("why", pa.string()),  # why it did not parse
        ("scenario", pa.string()),
        ("action", pa.string()),
        ("entities", pa.list_(pa.struct([("type", pa.string()), ("filler", pa.string())]))),
        ("reply_tokens", pa.int32()),
        ("slices", pa.map_(pa.string(), pa.string())),
        ("transcript", pa.string()),  # what was understood as said: the text asked, or told in the reply
        ("seconds", pa.float64()),  # of the clip
    ]
)

# The words that a model without an adapter hears in a test's recordings.
TRANSCRIPTS = pa.schema([("utterance", pa.string()), ("transcript", pa.string())])

# In a bundle that is handed in: replies by id. What was asked and what is right is joined from the corpus.
REPLIES = pa.schema(
    [
        ("utterance", pa.string()),
        ("asked", pa.string()),  # speech, text
        ("reply", pa.string()),
        ("reply_tokens", pa.int32()),
    ]
)

# In a bundle: lessons by id, in the order they were learnt; neither words nor targets.
EXAMPLE_IDS = pa.schema(
    [
        ("stage", pa.int16()),
        ("position", pa.int32()),
        ("utterance", pa.string()),
        ("language", pa.string()),
        ("heard", pa.list_(pa.struct([("language", pa.string()), ("utterance", pa.string())]))),  # its clips
        ("texts", pa.int16()),  # how many of its parts are text
        ("weight", pa.float32()),
    ]
)

# All that identifies a run stands on each of its score rows; nothing ever parses a file name.
IDENTITY = [
    ("schema_version", pa.int16()),
    ("rules", pa.int16()),
    ("scorer_version", pa.string()),
    ("run", pa.string()),
    ("train_fingerprint", pa.string()),
    ("answers_fingerprint", pa.string()),
    ("own_fingerprint", pa.string()),  # of the answers to its own transcripts, where they were asked
    ("scores_fingerprint", pa.string()),
    ("edition", pa.string()),
    ("corpus", pa.string()),
    ("corpus_revision", pa.string()),  # the Hub's commit, or the digest of a mirror's files
    ("task", pa.string()),
    ("test_in", pa.string()),
    ("speech_in", pa.list_(pa.string())),
    ("text_in", pa.list_(pa.string())),
    ("strategy", pa.string()),
    ("model", pa.string()),
    ("track", pa.string()),
    ("data_track", pa.string()),  # closed or open
    ("ruleset", pa.string()),
    ("engine", pa.string()),
    ("serving", pa.string()),  # live, merged, native
    ("data_seed", pa.int32()),
    ("train_seed", pa.int32()),
    ("speech", pa.string()),  # the budget as given: 5%, 20min, 230, 0
    ("speech_share", pa.float64()),  # clips bought / clips in the pool
    ("target", pa.string()),  # condition on target-language data
    ("clips_bought", pa.int32()),
    ("clips_unique", pa.int32()),  # unique clips heard
    ("clips_heard", pa.int32()),  # repeats included
    ("minutes_bought", pa.float64()),
    ("minutes_heard", pa.float64()),
    ("text_rows", pa.int32()),
    ("updates", pa.int32()),
    ("flops", pa.float64()),  # estimate
    ("train_seconds", pa.float64()),
    ("answer_seconds", pa.float64()),
    ("tier", pa.string()),  # local, claimed, rescored, replayed, retrained
    ("created", pa.timestamp("s", tz="UTC")),
]

SCORES = pa.schema(
    [
        *IDENTITY,
        ("asked", pa.string()),  # speech, text, own-transcript
        ("slice_by", pa.string()),  # all, condition, speaker_sex, ...
        ("slice", pa.string()),
        ("metric", pa.string()),  # slu_f1, intent_accuracy, entity_f1, exact_match, parse_failures, ...
        ("normalised", pa.bool_()),  # both sides normalised (ranked) or as published
        ("value", pa.float64()),  # in [0, 1]
        ("low", pa.float64()),  # 95 % interval of test sampling
        ("high", pa.float64()),
        ("n", pa.int32()),  # answers
        ("clusters", pa.int32()),  # sentences
        ("speakers", pa.int32()),  # where they are known: slices over few are not shown in public
    ]
)

# Beside the scores, in `sums/`: counts summed by sentence and speaker, from which any two runs are compared.
ADDED = ("speaker", "speakers", "effective")
"""Columns of sums and replicates that files of scorers before 3 lack."""

SUMS = pa.schema(
    [
        ("scores_fingerprint", pa.string()),
        ("asked", pa.string()),
        ("slice_by", pa.string()),
        ("slice", pa.string()),
        ("normalised", pa.bool_()),
        ("cluster", pa.string()),
        ("speaker", pa.string()),  # None where they are unknown, and in what is published
        *((name, pa.float64()) for name in COUNT_NAMES),
    ]
)

# Beside the scores, in `replicates/`: measures of the whole test in each bootstrap replicate. Weights are
# the same for any two runs, so that the page's intervals come from them without a look at sentences.
REPLICATES = pa.schema(
    [
        ("scores_fingerprint", pa.string()),
        ("asked", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("clusters", pa.int32()),  # sentences
        ("speakers", pa.int32()),  # None where only sentences were sampled
        ("effective", pa.float64()),  # clusters that the measure rests on, of speakers where these are fewer
        ("replicates", pa.list_(pa.float32())),
    ]
)

# An answer to show: gold stands there only where the corpus' terms let it (RULES.md, "Proof").
SAMPLE = pa.struct(
    [
        ("utterance", pa.string()),
        ("asked", pa.string()),
        ("reply", pa.string()),
        ("parsed", pa.bool_()),
        ("right", pa.bool_()),  # intent and every entity, normalised
        ("said", pa.string()),  # the gold transcript
        ("meant", pa.string()),  # gold, written as the reply that is wanted
    ]
)

# Beside the scores, in `records/`: a row a run, what its page and its strategy's page show.
RECORDS = pa.schema(
    [
        ("scores_fingerprint", pa.string()),
        ("train_fingerprint", pa.string()),
        ("strategy_file", pa.string()),  # strategies/curriculum.py on the shelf, else a bare name or a plugin
        ("strategy_sha256", pa.string()),
        ("strategy_source", pa.string()),
        ("facts", pa.map_(pa.string(), pa.string())),  # of card and answering: recipe.rate, ledger.updates
        ("curve_updates", pa.list_(pa.int32())),  # the last update of each stretch
        ("curve_losses", pa.list_(pa.float32())),  # its mean loss
        ("samples", pa.list_(SAMPLE)),
    ]
)
