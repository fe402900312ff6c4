"""The columns of every Parquet file that one part writes and another reads."""

from __future__ import annotations

import pyarrow as pa

from slubench.domain.renamed_columns import COLUMNS, INPUTS
from slubench.domain.selection import LAST, SELECTIONS
from slubench.errors import DataError
from slubench.metrics.measures import SLURP

SCHEMA_VERSION = 4
"""Of score files; `carried_over` reads those of earlier versions too."""
OLDEST_READ = 2
WHOLE_IDENTITY = 4
"""From this version on the scores' fingerprint is made of all that identifies their row."""
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
        ("transcript", pa.string()),  # of its recording, for an objective that compares both modalities
    ]
)

REQUESTS = pa.schema(
    [
        ("utterance", pa.string()),
        ("input", pa.string()),  # speech, text, asr; transcript where the words are wanted
        ("parts", PARTS),
    ]
)

# Gold is not among the answers; it is joined from the corpus when they are scored.
PREDICTIONS = pa.schema(
    [
        ("utterance", pa.string()),
        ("input", pa.string()),
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
        ("input", pa.string()),  # speech, text
        ("reply", pa.string()),
        ("reply_tokens", pa.int32()),
    ]
)

# In a bundle: the train set by id, in the order of training; neither words nor targets.
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
    ("asr_fingerprint", pa.string()),  # of the answers to its own transcripts, where they were asked
    ("scores_fingerprint", pa.string()),
    ("edition", pa.string()),
    ("corpus", pa.string()),
    ("corpus_revision", pa.string()),  # the Hub's commit, or the digest of a mirror's files
    ("task", pa.string()),
    ("test_in", pa.string()),
    ("speech_in", pa.list_(pa.string())),
    ("text_in", pa.list_(pa.string())),
    ("strategy", pa.string()),
    ("strategy_digest", pa.string()),  # SHA-256 of the strategy's file, where it is known
    ("strategy_fingerprint", pa.string()),  # of all that is declared and its functions reach, if known
    ("model", pa.string()),
    ("model_weights", pa.string()),  # commit or digest of the base model's weights, where it is known
    ("track", pa.string()),
    ("data_track", pa.string()),  # closed or open
    ("ruleset", pa.string()),
    ("selection", pa.string()),  # which weights count, and what was looked at: last, watch-text, ...
    ("engine", pa.string()),
    ("serving", pa.string()),  # live, merged, native
    ("dtype", pa.string()),  # number format served in, as in bfloat16; not told by files from before
    ("data_seed", pa.int32()),
    ("train_seed", pa.int32()),
    ("speech", pa.string()),  # the budget as given: 5%, 20min, 230, 0
    ("speech_share", pa.float64()),  # clips bought / clips in the pool
    ("target", pa.string()),  # condition on target-language data
    ("clips_bought", pa.int32()),
    ("clips_unique", pa.int32()),  # different clips used in training
    ("clip_exposures", pa.int32()),  # repeats included
    ("minutes_bought", pa.float64()),
    ("minutes_exposed", pa.float64()),
    ("text_rows", pa.int32()),
    ("updates", pa.int32()),
    ("cell_updates", pa.int32()),  # those that the rules give the cell; not told by files from before
    ("flops", pa.float64()),  # estimate
    ("train_seconds", pa.float64()),
    ("answer_seconds", pa.float64()),
    ("tier", pa.string()),  # local, claimed, rescored, replayed, retrained
    ("created", pa.timestamp("s", tz="UTC")),
]
TIERS = ("claimed", "local", "rescored", "replayed", "retrained")
"""What a row's scores rest on (RULES.md, "Proof"), lowest first; `local` rows were not handed in."""

IDENTIFYING = tuple(
    """
    schema_version rules scorer_version train_fingerprint answers_fingerprint asr_fingerprint
    edition corpus corpus_revision task strategy strategy_fingerprint model model_weights track data_track
    ruleset selection engine serving speech target
    """.split()
)
"""What of a row its scores' fingerprint is made of. Seeds are there by the training's fingerprint, as far as
they count: a model that learns nothing is one row, whatever the seeds it is asked for with."""


SCORES = pa.schema(
    [
        *IDENTITY,
        ("input", pa.string()),  # speech, text, asr
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

ADDED = ("speaker", "speakers", "effective")
"""Columns of sums and replicates that files of scorers before 3 lack."""

# Beside the scores, in `sums/`: counts summed by sentence and speaker, from which any two runs are compared.
# A row a sentence, speaker and counting; `slubench.domain.metric.Counting` tells what its counts are.
SUMS = pa.schema(
    [
        ("scores_fingerprint", pa.string()),
        ("input", pa.string()),
        ("slice_by", pa.string()),
        ("slice", pa.string()),
        ("normalised", pa.bool_()),
        ("cluster", pa.string()),
        ("speaker", pa.string()),  # None where they are unknown, and in what is published
        ("counting", pa.string()),  # slurp, slots, words, ...
        ("columns", pa.string()),  # the names of its counts, joined by commas
        ("counts", pa.list_(pa.float64())),
    ]
)

# Beside the scores, in `replicates/`: headline metrics of the whole test in each bootstrap replicate. Weights
# are the same for any two runs, so that the page's intervals come from them without a look at sentences.
REPLICATES = pa.schema(
    [
        ("scores_fingerprint", pa.string()),
        ("input", pa.string()),
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
        ("input", pa.string()),
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


# ---- what earlier versions wrote ------------------------------------------------------------------------


def check_version(table: pa.Table, place: object) -> None:
    """Refuse score rows of a schema that this version cannot read.

    Args:
        table: Rows with a column `schema_version`; where it lacks, nothing is checked.
        place: Where they are from, for the message.

    Raises:
        DataError: They are of a later version, or of one that is too old.
    """
    if "schema_version" not in table.column_names:
        return
    import pyarrow.compute as pc

    for version in pc.unique(table.column("schema_version")).to_pylist():
        if not isinstance(version, int) or version < OLDEST_READ:
            raise DataError(
                f"{place} is of schema version {version}, and this version of slubench reads {OLDEST_READ} to"
                f" {SCHEMA_VERSION}. Make the scores again (`slubench rescore`), or take the file away."
            )
        if version > SCHEMA_VERSION:
            raise DataError(
                f"{place} is of schema version {version}, and this version of slubench reads up to"
                f" {SCHEMA_VERSION}. Update slubench to read it."
            )


def carried_over(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table that an earlier version wrote, with the columns of today; one of today as it is.

    Columns are renamed, `own-transcript` becomes `asr`, and what an earlier version did not know is null. Of
    sums there was one counting, in a column a count. The rows' `schema_version` stays what it was.

    Args:
        table: As it was read.
        schema: One of this module, which tells what the table should hold.
    """
    nested = "samples" in table.column_names and "asked" in str(table.schema.field("samples").type)
    if set(schema.names) <= set(table.column_names) and not nested:
        return table
    names = [COLUMNS.get(name, name) for name in table.column_names]
    if "asked" in table.column_names and len(set(names)) == len(names):
        table = table.rename_columns(names)
        table = _replaced(table, "input", _input_of_today(table.column("input")))
    if schema is SUMS and set(SLURP.columns) <= set(table.column_names):
        table = _one_counting(table)
    if nested:
        table = _replaced(table, "samples", _samples_of_today(table.column("samples")))
    for name in (*_SINCE_2, *(ADDED if schema in (SUMS, REPLICATES) else ())):
        if name in schema.names and name not in table.column_names:
            table = table.append_column(schema.field(name), pa.nulls(len(table), schema.field(name).type))
    if "selection" in schema.names and "selection" not in table.column_names:
        table = table.append_column(schema.field("selection"), _selection_of(table.column("ruleset")))
    return table


def schema_before(schema: pa.Schema) -> pa.Schema:
    """The columns that version 2 wrote in place of those of a schema; none of `SUMS` and `RECORDS`."""
    old = {new: before for before, new in COLUMNS.items()}
    since = (*_SINCE_2, "selection", *(ADDED if schema == REPLICATES else ()))
    return pa.schema(
        [field.with_name(old.get(field.name, field.name)) for field in schema if field.name not in since]
    )


UNTOLD = ("strategy_fingerprint", "dtype")
"""Columns that files of version 3 do not tell."""
_SINCE_2 = ("strategy_digest", "strategy_fingerprint", "model_weights", "cell_updates", "dtype")


def _replaced(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.column_names.index(name), name, values)


def _input_of_today(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    for old, new in INPUTS.items():
        if pa.types.is_string(column.type):
            column = pc.if_else(pc.equal(column, old), new, column)
    return column


def _selection_of(rulesets: pa.ChunkedArray) -> pa.ChunkedArray:
    """What the marks behind a ruleset say of the selection: `fixed+oracle-selection`."""
    found = {
        ruleset: next((mark for mark in str(ruleset).split("+")[1:] if mark in SELECTIONS), LAST)
        for ruleset in rulesets.unique().to_pylist()
    }
    return pa.chunked_array([[found[ruleset] for ruleset in rulesets.to_pylist()]], pa.string())


def _samples_of_today(column: pa.ChunkedArray) -> pa.ChunkedArray:
    samples = column.combine_chunks()
    if not pa.types.is_list(samples.type) or not pa.types.is_struct(samples.type.value_type):
        return column
    names = [COLUMNS.get(field.name, field.name) for field in samples.type.value_type]
    values = samples.values
    parts = [values.field(place) for place in range(len(names))]
    if "input" in names:
        place = names.index("input")
        parts[place] = _input_of_today(pa.chunked_array([parts[place]])).combine_chunks()
    renamed = pa.StructArray.from_arrays(parts, names=names)
    return pa.chunked_array([pa.ListArray.from_arrays(samples.offsets, renamed)])


def _one_counting(table: pa.Table) -> pa.Table:
    import numpy as np

    counts = np.column_stack([table.column(name).to_numpy() for name in SLURP.columns])
    offsets = np.arange(0, counts.size + 1, len(SLURP.columns), dtype=np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(counts.ravel()))
    kept = table.drop_columns(list(SLURP.columns))
    size = len(table)
    return (
        kept.append_column("counting", pa.array([SLURP.name] * size, pa.string()))
        .append_column("columns", pa.array([",".join(SLURP.columns)] * size, pa.string()))
        .append_column("counts", lists)
    )
