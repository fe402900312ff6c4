"""Samples to a recording: level, noise at times, and the codec in which the mini edition is shipped."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from slubench.data.espeak import SAMPLE_RATE as SPOKEN_RATE
from slubench.data.synthesis import Samples

SAMPLE_RATE = 16_000
MAX_SECONDS = 5.5
NOISY_SHARE = 0.22
BIT_RATE = 12_000
BABBLERS = 4

Condition = Literal["clean", "noisy"]
Signal = npt.NDArray[np.float32]


class Disturbed(NamedTuple):
    """A clip as shipped: OGG/Opus bytes (mono, 16 kHz), its condition, and its length in seconds."""

    audio: bytes
    condition: Condition
    seconds: float


def encode(signal: Signal) -> bytes:
    """Encode a mono signal at 16 kHz as OGG/Opus.

    PyAV's libopus is several times faster than libsndfile's and nearer to the source at the same size.
    """
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="ogg") as container:
        options = {"application": "audio", "vbr": "on", "compression_level": "10"}
        stream = container.add_stream("libopus", rate=SAMPLE_RATE, options=options)
        stream.layout = "mono"
        stream.bit_rate = BIT_RATE
        samples = np.round(signal * 32_767).astype(np.int16)[np.newaxis]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts = 0
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return buffer.getvalue()


def decode(audio: bytes) -> Signal:
    """Decode a clip to float32 samples (n,) at 16 kHz."""
    signal, rate = soundfile.read(io.BytesIO(audio), dtype="float32")
    if rate != SAMPLE_RATE:
        raise ValueError(f"expected {SAMPLE_RATE} Hz, found {rate}")
    return np.asarray(signal, dtype=np.float32)


def level(samples: Samples, rng: random.Random) -> Signal:
    """Resample speech to 16 kHz and give it a loudness of -20 dB (RMS), give or take 4 dB."""
    signal = soxr.resample(samples.astype(np.float32) / 32_768, SPOKEN_RATE, SAMPLE_RATE)
    loudness = float(np.sqrt(np.mean(signal**2))) + 1e-9
    gain = 10 ** ((-20 + rng.uniform(-4, 4)) / 20) / loudness
    gain = min(gain, 0.95 / (float(np.abs(signal).max()) + 1e-9))
    return np.asarray(signal * gain, dtype=np.float32)


def _coloured(length: int, rng: random.Random, *, pink: bool) -> Signal:
    noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(length)
    if pink:
        spectrum = np.fft.rfft(noise)
        spectrum /= np.sqrt(np.maximum(np.arange(spectrum.size), 1))
        noise = np.fft.irfft(spectrum, length)
    return noise.astype(np.float32)


def _babble(length: int, rng: random.Random, voices: Sequence[Signal]) -> Signal:
    mixed = np.zeros(length, dtype=np.float32)
    for voice in rng.sample(list(voices), BABBLERS):
        mixed += np.roll(np.resize(voice, length), rng.randrange(length))
    return mixed


def _narrow(signal: Signal, low: float, high: float) -> Signal:
    spectrum = np.fft.rfft(signal)
    frequency = np.fft.rfftfreq(signal.size, 1 / SAMPLE_RATE)
    keep = 1 / (1 + (low / np.maximum(frequency, 1)) ** 4) / (1 + (frequency / high) ** 8)
    return np.fft.irfft(spectrum * keep, signal.size).astype(np.float32)


def disturb(signal: Signal, rng: random.Random, voices: Sequence[Signal]) -> Signal:
    """Add white or pink noise or the babble of other voices at 5 to 20 dB; at times narrow the band.

    Args:
        signal: clean speech (n,) at 16 kHz.
        rng: the source of chance.
        voices: clean clips to babble from; without `BABBLERS` of them there is no babble.
    """
    kinds = ["white", "pink"] + (["babble", "babble"] if len(voices) >= BABBLERS else [])
    kind = rng.choice(kinds)
    if kind == "babble":
        noise = _babble(signal.size, rng, voices)
    else:
        noise = _coloured(signal.size, rng, pink=kind == "pink")
    ratio = 10 ** (rng.uniform(5, 20) / 20)
    scale = np.sqrt(np.mean(signal**2)) / (ratio * np.sqrt(np.mean(noise**2)) + 1e-9)
    noisy = np.asarray(signal + scale * noise, dtype=np.float32)
    if rng.random() < 0.3:
        noisy = _narrow(noisy, rng.uniform(80, 300), rng.uniform(3_600, 7_000))
    return np.asarray(noisy / max(1.0, float(np.abs(noisy).max()) / 0.95), dtype=np.float32)


def record(samples: Samples, rng: random.Random, voices: list[Signal]) -> Disturbed:
    """Turn spoken samples into a clip; every clean signal joins `voices` (the last 32), to babble later."""
    signal = level(samples, rng)
    condition: Condition = "noisy" if rng.random() < NOISY_SHARE else "clean"
    heard = disturb(signal, rng, voices) if condition == "noisy" else signal
    voices.append(signal)
    del voices[:-32]
    return Disturbed(encode(heard), condition, signal.size / SAMPLE_RATE)
