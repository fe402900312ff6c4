"""Decoded and resampled recordings in a folder, keyed by the hash of their encoded bytes."""

from __future__ import annotations

import hashlib
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from slubench.errors import DataError
from slubench.runtime.files import temporary_beside

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


TRAILER: Final = b"crc32:"
"""Follows the samples in a clip's file; then come the four bytes of their checksum."""


@dataclass(frozen=True)
class ClipStore:
    """Decoded clips at one sampling rate, one file of 16-bit mono samples each.

    Several processes may add to it at once: a clip is written under a name of its own and renamed.

    Attributes:
        folder: Where the clips of every rate lie.
        sampling_rate: Hertz.
        max_seconds: What is longer is cut here.
    """

    folder: Path
    sampling_rate: int
    max_seconds: float

    def path(self, key: str) -> Path:
        """The path of the clip with that key, which may not exist yet."""
        return self.folder / f"{self.sampling_rate}-{self.max_seconds:g}s" / key[:2] / f"{key}.npy"

    def add(self, encoded: bytes) -> str:
        """Decode, mix to mono and resample a clip unless this was done before.

        Args:
            encoded: WAV, FLAC, OGG/Vorbis, OGG/Opus or MP3.

        Returns:
            The clip's key: the first 32 hexadecimal digits of the SHA-256 of `encoded`.

        Raises:
            DataError: The bytes cannot be decoded, hold no sample, or hold NaN or infinity.
        """
        key = hashlib.sha256(encoded).hexdigest()[:32]
        path = self.path(key)
        if not is_whole(path):
            import numpy as np

            samples = decode(encoded, self.sampling_rate)[: int(self.max_seconds * self.sampling_rate)]
            self._write(path, np.round(samples * 32767.0).astype(np.int16))
        return key

    def cut(self, key: str, begin: float, end: float) -> str:
        """Keep a stretch of a clip as one of its own, unless this was done before.

        A stretch shorter than a tenth of a second is filled up with silence: encoders make no token of less.

        Args:
            key: The whole clip's.
            begin: Where it begins, as a share of the clip.
            end: Where it ends.

        Returns:
            The stretch's key.
        """
        name = hashlib.sha256(f"{key}:{begin:.6f}:{end:.6f}".encode()).hexdigest()[:32]
        path = self.path(name)
        if not is_whole(path):
            import numpy as np

            samples = np.round(self.load(key) * 32767.0).astype(np.int16)
            stretch = samples[round(begin * len(samples)) : round(end * len(samples))]
            lacking = max(0, self.sampling_rate // 10 - len(stretch))
            self._write(path, np.pad(stretch, (0, lacking)))
        return name

    def _write(self, path: Path, kept: NDArray[np.int16]) -> None:
        import numpy as np

        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_beside(path)
        try:
            with temporary.open("wb") as file:
                np.save(file, kept)
                # Readers of the format stop where the samples end.
                file.write(TRAILER + zlib.crc32(kept.data).to_bytes(4, "big"))
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def load(self, key: str) -> NDArray[np.float32]:
        """The samples of a clip in [-1, 1], shape (samples,).

        Raises:
            DataError: The file is damaged.
        """
        import numpy as np

        try:
            samples: NDArray[np.int16] = np.load(self.path(key))
        except (ValueError, EOFError) as error:
            raise DataError(
                f"{self.path(key)}: incomplete or damaged decoded clip ({error}). Delete it and run the"
                " command again."
            ) from None
        return samples.astype(np.float32) / np.float32(32767.0)

    def seconds(self, key: str) -> float:
        """The length of a clip, from its file's header and size."""
        import numpy as np

        return float(np.load(self.path(key), mmap_mode="r").shape[0]) / self.sampling_rate


def is_whole(path: Path) -> bool:
    """Whether a decoded clip is complete and matches its checksum, if it has one."""
    import numpy as np

    try:
        with path.open("rb") as file:
            samples: NDArray[np.int16] = np.load(file, allow_pickle=False)
            trailer = file.read()
    except (OSError, ValueError, EOFError):
        return False
    if samples.dtype != np.int16 or samples.ndim != 1 or not len(samples):
        return False
    # Clips of version 0.1 have no checksum.
    return not trailer or trailer == TRAILER + zlib.crc32(samples.data).to_bytes(4, "big")


@dataclass(frozen=True)
class DecodedClip:
    """A decoded clip before mixing and resampling.

    Attributes:
        samples: In [-1, 1], shape (samples, channels).
        rate: Hertz.
    """

    samples: NDArray[np.float32]
    rate: int

    @property
    def channels(self) -> int:
        """1 for mono, 2 for stereo."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.rate


def hear(encoded: bytes) -> DecodedClip:
    """Decode a clip without mixing or resampling.

    Raises:
        DataError: The bytes cannot be decoded, hold no sample, or hold NaN or infinity.
    """
    import numpy as np
    import soundfile

    if not encoded:
        raise DataError("the audio is empty (zero bytes)")
    try:
        samples, rate = soundfile.read(io.BytesIO(encoded), dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise DataError(f"the audio cannot be decoded ({error})") from None
    if not len(samples):
        raise DataError("the audio has no samples")
    if not np.isfinite(samples).all():
        raise DataError("the audio contains NaN or infinite samples")
    return DecodedClip(samples, rate)


def decode(encoded: bytes, sampling_rate: int) -> NDArray[np.float32]:
    """Decode a clip to mono float samples in [-1, 1], shape (samples,), at `sampling_rate` hertz.

    Raises:
        DataError: The bytes cannot be decoded, hold no sample, or hold NaN or infinity.
    """
    import numpy as np
    import soxr

    sound = hear(encoded)
    mono = sound.samples.mean(axis=1)
    if sound.rate != sampling_rate:
        mono = soxr.resample(mono, sound.rate, sampling_rate, quality="HQ")
        if not len(mono):
            raise DataError("the audio is too short to resample")
    clipped: NDArray[np.float32] = np.clip(mono, -1.0, 1.0)
    return clipped
