"""Files of a bundle as a stranger may write them: hypothesis over bytes, JSON, Parquet and Python."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

TEXTS = (
    "",
    " ",
    "../../x",
    "/etc/passwd",
    "~/x",
    "evil.py",
    "x" * 300,
    "x" * 30_000,
    "<script>",
    "\x00",
    "\x1b[31m",
    "\u202eabc",
    "\u200b",
    "\ufeff",
    "\ud800",
    "curr\u0456culum",
    "CURRICULUM",
    "NaN",
    "1e999",
    "9" * 5_000,
    "-1",
    "%",
    "5%+stratified",
    "999999999999min",
    "\U0001f600",
    "a\nb",
    "{}",
    "[" * 2_000,
    "vllm 1",
    "tiny",
    "zero-shot",
    '{"scenario":"a","action":"b","entities":[{"\\ud800":"x"}]}',
    '{"scenario":1,"action":[],"entities":{}}',
    '{"scenario":"a","action":"b","entities":[' + ",".join('{"t":"f"}' for _ in range(900)) + "]}",
    '{"scenario":"a","action":"b","entities":[{' + ",".join(f'"t{n}":"f"' for n in range(300)) + "}]}",
)
NUMBERS = (0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308, -1e308, 5e-324)
RAW = (
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "01",
    "'x'",
    '"\\ud800"',
    "9" * 5_000,
    "[" * 500,
    "{" * 30_000,
)

texts = st.sampled_from(TEXTS) | st.text(max_size=20)
odd = st.recursive(
    st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
Changed = st.SearchStrategy[bytes]


def as_bytes(content: bytes) -> Changed:
    """The content cut, turned over, repeated, encoded otherwise, or something else altogether."""
    places = st.integers(0, max(len(content) - 1, 0))
    text = content.decode("utf-8", "replace")
    return st.one_of(
        st.binary(max_size=64),
        places.map(lambda at: content[:at]),
        places.map(lambda at: content[at:]),
        st.tuples(places, st.binary(min_size=1, max_size=8)).map(
            lambda one: content[: one[0]] + one[1] + content[one[0] + len(one[1]) :]
        ),
        st.sampled_from(("utf-16", "utf-32", "utf-8-sig", "utf-7", "utf-16-be")).map(
            lambda name: text.encode(name, "replace")
        ),
        st.sampled_from((b"", b"\x00" * 1_000, content * 2, b"PAR1", b"PAR1" + b"\xff" * 50 + b"PAR1")),
        st.just(text.encode("latin-1", "replace") + b"\xe9"),
    )


@st.composite
def as_json(draw: st.DrawFn, content: bytes) -> bytes:
    """JSON with a value changed, taken out, added, told twice, or written as no JSON is."""
    value = json.loads(content)
    holder, key = draw(st.sampled_from(list(_places(value))))
    how = draw(st.sampled_from(("odd", "odd", "odd", "gone", "more", "twice", "raw", "whole")))
    if how == "whole":
        return _written(draw(odd))
    if how == "gone":
        del holder[key]
    elif how == "more" and isinstance(holder, dict):
        holder[draw(texts)] = draw(odd)
    elif how == "raw":
        holder[key] = "RAW VALUE"
        return _written(value).replace(b'"RAW VALUE"', draw(st.sampled_from(RAW)).encode(), 1)
    elif how == "twice" and isinstance(holder, dict):
        name = json.dumps(key).encode()
        return _written(value).replace(name + b":", name + b": 1, " + name + b":", 1)
    else:
        holder[key] = draw(odd)
    return _written(value)


def _written(value: Any) -> bytes:
    return json.dumps(value).encode()


def _places(value: Any) -> Any:
    for key, one in list(value.items()) if isinstance(value, dict) else list(enumerate(value)):
        yield value, key
        if isinstance(one, dict | list):
            yield from list(_places(one))[:20]


_TYPES = (
    pa.int64(),
    pa.int8(),
    pa.float32(),
    pa.float64(),
    pa.string(),
    pa.large_string(),
    pa.binary(),
    pa.bool_(),
    pa.timestamp("ns"),
    pa.timestamp("us", "UTC"),
    pa.date32(),
    pa.decimal128(10, 2),
    pa.null(),
    pa.list_(pa.string()),
    pa.struct([("a", pa.int8())]),
    pa.map_(pa.string(), pa.string()),
    pa.dictionary(pa.int32(), pa.string()),
    pa.list_(pa.list_(pa.list_(pa.int8()))),
)


@st.composite
def as_parquet(draw: st.DrawFn, content: bytes) -> bytes:
    """Parquet with values, types, names, rows, groups or an encoding that are not the usual."""
    table = pq.read_table(io.BytesIO(content))
    column = draw(st.integers(0, table.num_columns - 1))
    field = table.schema.field(column)
    how = draw(st.sampled_from(("values", "values", "values", "type", "names", "rows", "utf8", "more")))
    options: dict[str, Any] = {}
    if how == "values":
        table = table.set_column(column, field, _values(draw, table, column))
    elif how == "type":
        table = table.set_column(column, field.name, pa.nulls(len(table), draw(st.sampled_from(_TYPES))))
    elif how == "names":
        names = table.column_names
        names[column] = draw(st.sampled_from((names[0], "", "\x00", "x" * 5_000, "asked", "gold")))
        table = table.rename_columns(names)
    elif how == "rows":
        start = draw(st.integers(0, len(table)))
        table = draw(st.sampled_from((table.slice(start), pa.concat_tables([table] * 3), table.slice(0, 0))))
    elif how == "utf8":
        bad = pa.array([b"\xff\xfe"] * len(table), pa.binary())
        table = table.set_column(column, field.name, bad.view(pa.string()))
    else:
        table = draw(
            st.sampled_from(
                (table.append_column("gold", pa.nulls(len(table))), table.drop_columns([field.name]))
            )
        )
    options["store_schema"] = draw(st.booleans())
    options["row_group_size"] = draw(st.sampled_from((1, 3, 10_000)))
    options["compression"] = draw(st.sampled_from(("zstd", "none", "gzip")))
    buffer = io.BytesIO()
    try:
        pq.write_table(table, buffer, **options)
    except (pa.ArrowException, ValueError, UnicodeError):
        return b""
    return buffer.getvalue()


def _values(draw: st.DrawFn, table: pa.Table, column: int) -> pa.Array:
    kind = table.schema.field(column).type
    values = table.column(column).to_pylist()
    rows = range(len(values)) if draw(st.booleans()) else range(min(1, len(values)))
    other: Any = draw(_of(kind))
    for row in rows:
        values[row] = other
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, ValueError, OverflowError, TypeError, UnicodeError):
        return pa.nulls(len(values), kind)


def _of(kind: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_integer(kind):
        most = 2 ** (kind.bit_width - 1)
        return st.none() | st.sampled_from((0, -1, most - 1, -most, 1, 7))
    if pa.types.is_floating(kind):
        return st.none() | st.floats(width=kind.bit_width)
    if pa.types.is_timestamp(kind):
        return st.none() | st.sampled_from((0, -1, -62_135_596_800, -(2**40), 2**40, 2**45))
    if pa.types.is_boolean(kind):
        return st.none() | st.booleans()
    if pa.types.is_list(kind):
        return st.none() | st.lists(_of(kind.value_type), max_size=3)
    if pa.types.is_struct(kind):
        return st.none() | st.fixed_dictionaries({field.name: _of(field.type) for field in kind})
    return st.none() | texts


_ONES = ("-1", "1e999", "0", "True", "'1'", "(1,)", "None")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DOUBLED = "a = (1, 1)\n" + "\n".join(f"{b} = ({a}, {a})" for a, b in pairwise(_LETTERS))
_LINES = (
    "import os",
    "x = (" * 300,
    "-" * 5_000 + "1",
    "a.b" * 3_000,
    "\x00",
    "\u202e# x",
    "def f(): global CURRICULUM",
    "CURRICULUM = None",
    "del CURRICULUM",
    "if True:\n    CURRICULUM = 1",
    "X = 10 ** 10 ** 10",
    "X = 'a' * 10**12",
    _DOUBLED,
    "from slubench import *",
    "S = Strategy(name='x' * 3)",
    "S = Strategy(name='curriculum', stages=())",
    "T = Strategy(name='t', stages=(Stage(learns_from=TEXT, share=-1),))",
    "globals().update(a=1)",
    "@x\nclass A: pass",
    "T = Strategy(track=('a',), name='t')",
    "lambda: (yield)",
    "match 1:\n    case {**x}: pass",
    "async def a(): pass",
)


@st.composite
def as_python(draw: st.DrawFn, content: bytes) -> bytes:
    """A strategy's file with a line put in, changed or taken out."""
    lines = content.decode().split("\n")
    at = draw(st.integers(0, len(lines) - 1))
    how = draw(st.sampled_from(("in", "in", "out", "word")))
    if how == "out":
        del lines[at]
    elif how == "word":
        lines[at] = lines[at].replace(
            "1", draw(st.sampled_from(("-1", "1e999", "0", "True", "'1'", "(1,)", "None")))
        )
    else:
        lines.insert(at, draw(st.sampled_from(_LINES)))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def changed(path: str, content: bytes) -> st.SearchStrategy[bytes]:
    """A file of a bundle, changed after its kind or as bytes."""
    kinds: dict[str, Callable[[bytes], st.SearchStrategy[bytes]]]
    kinds = {"json": as_json, "parquet": as_parquet, "py": as_python}
    kind = kinds.get(path.rpartition(".")[2])
    return as_bytes(content) if kind is None else st.one_of(kind(content), kind(content), as_bytes(content))
