"""Text to samples: a client of the synthesiser's process, and the trimming of silence."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from slubench.data.espeak import SAMPLE_RATE
from slubench.errors import SlubenchError

_MARGIN = int(0.04 * SAMPLE_RATE)
_SILENCE = 200  # of 32,768: about -44 dB

Samples = npt.NDArray[np.int16]


class SynthesisError(SlubenchError):
    """The synthesiser is missing, died, or does not know a voice."""


class Spoken(NamedTuple):
    """An utterance: mono samples (n,) at 22,050 Hz, silence trimmed, and its phonemes in IPA."""

    samples: Samples
    phonemes: str


def trim(samples: Samples) -> Samples:
    """Cut silence before and after the speech down to a margin of 40 ms."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _SILENCE)
    if loud.size == 0:
        return samples
    return samples[max(0, int(loud[0]) - _MARGIN) : int(loud[-1]) + _MARGIN]


class Synthesizer:
    """espeak-ng in a process of its own; use as a context manager.

    The same text, voice, rate and pitch always give the same samples, in whatever order they are asked.
    """

    def __enter__(self) -> Self:
        """Start the process."""
        root = Path(__file__).resolve().parents[2]  # the folder that holds the package
        inherited = os.environ.get("PYTHONPATH")
        path = f"{root}{os.pathsep}{inherited}" if inherited else str(root)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "slubench.data.espeak"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def speak(self, text: str, voice: str, rate: int, pitch: int) -> Spoken:
        """Speak a text.

        Args:
            text: the words.
            voice: an espeak-ng voice with an optional variant, `de+f2`.
            rate: words a minute.
            pitch: 0 to 99.

        Raises:
            SynthesisError: the process is gone, or it does not know the voice.
        """
        request = json.dumps({"text": text, "voice": voice, "rate": rate, "pitch": pitch})
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(request.encode() + b"\n")
            self._process.stdin.flush()
            samples, phonemes = struct.unpack("<II", self._read(8))
        except (BrokenPipeError, EOFError) as error:
            raise SynthesisError(
                "The synthesiser's process ended; it needs espeak-ng from the package espeakng-loader:"
                " pip install slubench[tts]"
            ) from error
        audio, text_of_phonemes = self._read(samples), self._read(phonemes).decode()
        if samples == 0:
            raise SynthesisError(f"The synthesiser could not say {text!r}: {text_of_phonemes}")
        return Spoken(trim(np.frombuffer(audio, dtype=np.int16)), text_of_phonemes)

    def _read(self, count: int) -> bytes:
        assert self._process.stdout is not None
        data = self._process.stdout.read(count)
        if len(data) < count:
            raise EOFError
        return data
