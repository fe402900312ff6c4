"""The forms in which a column of Parquet holds audio: encoded bytes, paths, or decoded samples.

The form that is written on the Hub is a struct of `bytes` and `path`. The others come about where a data set
is loaded and written again; each is read, or named with what to do.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slubench.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

REMEDY = (
    "Write the column as a struct of bytes and path: with the datasets library,"
    " cast_column('audio', Audio()) and to_parquet."
)
_UP = 3
"""A path is looked for beside its file and in so many folders above it."""
_PCM, _FLOAT = 1, 3


def encoded_of(value: pa.Scalar, folder: Path) -> bytes:
    """The encoded bytes of a clip; samples are encoded as WAV, always in the same bytes.

    Args:
        value: Of the column of audio.
        folder: Where the Parquet file lies, for recordings in files of their own.

    Raises:
        DataError: There is no audio, or in a form that cannot be read; the message names it.
    """
    import pyarrow as pa

    kind = value.type
    if not value.is_valid or pa.types.is_null(kind):
        raise DataError("the row has no audio")
    if pa.types.is_dictionary(kind):
        return encoded_of(value.value, folder)
    if pa.types.is_struct(kind):
        return _of_struct(value, {field.name for field in kind}, folder)
    if _is_binary(kind):
        return bytes(value.as_py())
    if _is_text(kind):
        return _of_path(value.as_py(), folder)
    if _is_list(kind) and pa.types.is_struct(kind.value_type):
        # Several recordings of a sentence in one row: the first stands for it.
        first = next((one for one in value.values if one.is_valid), None)
        if first is None:
            raise DataError("the row has no audio")
        return encoded_of(first, folder)
    if _is_list(kind):
        raise DataError(f"the audio is a list of samples without a sampling rate. {REMEDY}")
    raise DataError(f"the audio column is of type {kind}, which is not a known audio format. {REMEDY}")


def _of_struct(value: Any, names: set[str], folder: Path) -> bytes:
    for name in ("bytes", "array", "path"):
        if name not in names or not value[name].is_valid:
            continue
        part = value[name]
        if name == "array":
            return _of_samples(part, value["sampling_rate"].as_py() if "sampling_rate" in names else None)
        if name == "path":
            return _of_path(part.as_py(), folder)
        if not _is_binary(part.type):
            raise DataError(f"the bytes of the audio are of type {part.type}. {REMEDY}")
        return bytes(part.as_py())
    if names & {"bytes", "array", "path"}:
        raise DataError("the row has no audio")
    raise DataError(f"the audio is a struct of {', '.join(sorted(names))} without bytes. {REMEDY}")


def _of_path(path: object, folder: Path) -> bytes:
    if not isinstance(path, str) or not path:
        raise DataError("the row has no audio")
    for place in (folder, *folder.parents[:_UP]):
        try:
            if (place / path).is_file():
                return (place / path).read_bytes()
        except (OSError, ValueError):
            continue
    raise DataError(
        f"the row has no audio, only the path {path!r}, and that file was not found next to the Parquet"
        " file or in the folders above."
        f" Put the recordings there. Or: {REMEDY}"
    )


def _of_samples(value: Any, rate: object) -> bytes:
    import numpy as np
    import pyarrow as pa

    if not _is_list(value.type):
        raise DataError(f"the array of the audio is of type {value.type}. {REMEDY}")
    if not isinstance(rate, int) or not 0 < rate < 1_000_000:
        raise DataError(f"the sampling rate of the audio array is {rate}. {REMEDY}")
    if _is_list(value.type.value_type):
        raise DataError(f"the audio array has several channels. Mix them to one. Or: {REMEDY}")
    samples = value.values.to_numpy(zero_copy_only=False)
    if pa.types.is_floating(value.type.value_type):
        return wav(np.asarray(samples, np.float32), rate)
    if value.type.value_type == pa.int16():
        return wav(np.asarray(samples, np.int16), rate)
    raise DataError(
        f"the audio array is of type {value.type.value_type}, whose scale is unknown: expected"
        f" float in [-1, 1] or int16. {REMEDY}"
    )


def wav(samples: NDArray[np.float32] | NDArray[np.int16], rate: int) -> bytes:
    """A mono WAV file of samples; the same samples always give the same bytes."""
    import numpy as np

    size = samples.dtype.itemsize
    form = _FLOAT if samples.dtype == np.float32 else _PCM
    content = samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    head = struct.pack("<HHIIHH", form, 1, rate, rate * size, size, 8 * size)
    parts = (
        b"fmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", len(content)) + content
    )
    return b"RIFF" + struct.pack("<I", 4 + len(parts)) + b"WAVE" + parts


def _is_binary(kind: pa.DataType) -> bool:
    import pyarrow as pa

    tests = (
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_fixed_size_binary,
        pa.types.is_binary_view,
    )
    return any(test(kind) for test in tests)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return any(t(kind) for t in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return any(t(kind) for t in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))
