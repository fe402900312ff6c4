"""Parquet that holds other columns, that tells less than it holds, or more than anyone should read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slubench.schemas import EXAMPLE_IDS, REPLIES
from slubench.submission.bundle import untrusted_parquet as parquet
from slubench.submission.bundle.layout import MEBI
from slubench.submission.bundle.untrusted_parquet import read_table
from slubench.submission.problems import Refusal
from tests.submission.conftest import Verify
from tests.submission.made_bundles import sign, the, write_table

PATH = "runs/a/replies.parquet"


def replies(count: int = 3, **columns: Any) -> pa.Table:
    names = {
        "utterance": [str(number) for number in range(count)],
        "input": ["speech"] * count,
        "reply": ["{}"] * count,
        "reply_tokens": pa.array([1] * count, pa.int32()),
    }
    return pa.table(names | columns)


def written(table: pa.Table, **options: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", store_schema=False, **options)
    return buffer.getvalue()


def test_what_is_in_form_is_read_whole() -> None:
    table = read_table(written(replies(10_000), row_group_size=3_000), REPLIES, PATH)
    assert table.num_rows == 10_000
    assert table.schema == REPLIES
    assert table.column("utterance").to_pylist()[-1] == "9999"
    nested = pa.Table.from_pylist(
        [{"stage": 0, "position": 0, "heard": [{"language": "de", "utterance": "1"}]}], schema=EXAMPLE_IDS
    )
    assert (
        read_table(written(nested), EXAMPLE_IDS, "runs/a/lessons.parquet").to_pylist() == nested.to_pylist()
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as Parquet"),
        (b"PAR1" + b"x" * 100 + b"PAR1", "cannot be read as Parquet"),
        (written(replies())[:-30], "cannot be read as Parquet"),
        (written(replies(gold=["a"] * 3)), "column 'gold' is unexpected"),
        (written(replies().drop_columns(["reply"])), "column 3 is 'reply_tokens', expected 'reply'"),
        (written(replies().drop_columns(["reply_tokens"])), "column 4 is 'none', expected 'reply_tokens'"),
        (written(replies(reply=[1, 2, 3])), "column 'reply' holds 'int64', expected string"),
        (written(replies(reply=[b"a"] * 3)), "column 'reply' holds 'binary', expected string"),
    ],
)
def test_what_is_not_in_form_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        read_table(content, REPLIES, PATH)


def test_a_footer_of_too_many_rows() -> None:
    with pytest.raises(Refusal, match="its footer declares 200,001 rows; the maximum is 200,000"):
        read_table(written(replies(200_001)), REPLIES, PATH)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits at which a bomb is cheap to make."""
    monkeypatch.setattr(parquet, "MOST_BYTES", 8 * MEBI)
    monkeypatch.setattr(parquet, "MOST_MEMORY", 64 * MEBI)


@pytest.mark.usefixtures("small")
def test_a_text_that_stands_in_many_rows() -> None:
    """Tens of kilobytes on disk and in the footer, gigabytes once each row has its own."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 50_000, pa.int32()), pa.array(["a" * MEBI]))
    content = written(replies(50_000, reply=text))
    assert len(content) < MEBI
    with pytest.raises(Refusal, match="more than 8,388,608 bytes while reading"):
        read_table(content, REPLIES, PATH)


@pytest.mark.usefixtures("small")
def test_a_nested_text_that_stands_in_many_rows() -> None:
    ids = pa.array([[{"language": "a" * MEBI, "utterance": "1"}]] * 200, EXAMPLE_IDS.field("heard").type)
    table = pa.Table.from_pylist([{"stage": 0, "position": n} for n in range(200)], schema=EXAMPLE_IDS)
    content = written(table.set_column(4, EXAMPLE_IDS.field("heard"), ids))
    assert len(content) < MEBI
    with pytest.raises(Refusal, match=r"while reading|memory"):
        read_table(content, EXAMPLE_IDS, "runs/a/lessons.parquet")


@pytest.mark.usefixtures("small")
def test_a_page_that_unpacks_to_very_much_and_a_footer_that_lies_about_it() -> None:
    content = written(replies(1, reply=["a" * (100 * MEBI)]), use_dictionary=False)
    assert len(content) < MEBI
    with pytest.raises(Refusal, match="its footer declares 104,857,"):
        read_table(content, REPLIES, PATH)
    with pytest.raises(Refusal, match=r"memory limit|while reading"):
        read_table(_lying(content), REPLIES, PATH)
    # What was bounded is as it was: much is read again.
    assert read_table(written(replies(100_000)), REPLIES, PATH).num_rows == 100_000


def _lying(content: bytes) -> bytes:
    """The same file with a footer that tells of next to no bytes."""
    group = pq.read_metadata(io.BytesIO(content)).row_group(0)
    length = int.from_bytes(content[-8:-4], "little")
    body, footer = content[: -8 - length], content[-8 - length :]
    for size in (group.column(2).total_uncompressed_size, group.total_byte_size):
        told = _varint(size)
        assert told in footer
        footer = footer.replace(told, bytes([told[0] | 128]) + b"\x80" * (len(told) - 2) + b"\x00")
    lying = body + footer
    assert pq.read_metadata(io.BytesIO(lying)).row_group(0).total_byte_size < 1_000
    return lying


def _varint(number: int) -> bytes:
    """A number as Thrift's compact protocol writes it."""
    number, out = number << 1, b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def test_a_bundle_with_other_columns_is_refused(bundle: Path, held: Verify) -> None:
    path = the(bundle, "curriculum") / "replies.parquet"
    table = pq.read_table(path)
    write_table(path, table.append_column("speaker_sex", pa.array(["Male"] * len(table))))
    sign(bundle)
    verification = held(bundle)
    assert verification.tier is None
    (finding,) = verification.findings.found
    assert finding.file.endswith("/replies.parquet")
    assert "column 'speaker_sex' is unexpected" in finding.message
