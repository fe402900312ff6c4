"""The synthesiser's own process: requests on stdin, samples and phonemes on stdout.

espeak-ng is GPL-3 and stays out of this package's processes: `slubench.data.synthesis` starts this
module as a program. What espeak-ng says depends on what it has said before, so it is initialised once
and every utterance is spoken in a fork of that state: the same request always gives the same bytes.

A request is one JSON line with `text`, `voice`, `rate`, `pitch`. A reply is two little-endian uint32,
the byte lengths of samples (int16, 22,050 Hz) and of phonemes (IPA, UTF-8), then both. On an error the
first length is 0 and the second part is the message.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import sys
from typing import BinaryIO

SAMPLE_RATE = 22_050

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT; mode 1 hangs after a fork
_RATE, _PITCH = 1, 3  # espeak_PARAMETER
_UTF8 = 1
_BY_CHARACTER = 1
_IPA = 2

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def load() -> ctypes.CDLL:
    """Load and initialise espeak-ng.

    Raises:
        RuntimeError: espeak-ng did not start or speaks at another sample rate.
    """
    import espeakng_loader

    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    data = str(espeakng_loader.get_data_path()).encode()
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
    if rate != SAMPLE_RATE:
        raise RuntimeError(f"espeak_Initialize returned {rate}, expected {SAMPLE_RATE}")
    return library


def speak(library: ctypes.CDLL, text: str, voice: str, rate: int, pitch: int) -> tuple[bytes, bytes]:
    """Return samples (int16 bytes) and phonemes (IPA, UTF-8) of a text.

    Raises:
        ValueError: there is no such voice.
    """
    pieces: list[bytes] = []

    def collect(wave: ctypes.Array[ctypes.c_short], count: int, _events: int) -> int:
        if wave and count > 0:
            pieces.append(ctypes.string_at(wave, count * 2))
        return 0

    callback = _CALLBACK(collect)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise ValueError(f"espeak-ng has no voice {voice!r}")
    library.espeak_SetParameter(_RATE, rate, 0)
    library.espeak_SetParameter(_PITCH, pitch, 0)
    spoken = text.encode() + b"\0"
    library.espeak_Synth(spoken, len(spoken), 0, _BY_CHARACTER, 0, _UTF8, None, None)
    phonemes: list[bytes] = []
    rest = ctypes.c_char_p(spoken)
    while rest.value:
        phonemes.append(library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA) or b"")
    return b"".join(pieces), b" ".join(phonemes)


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until stdin closes, each in a fork of the freshly initialised synthesiser."""
    library = load()
    for line in requests:
        child = os.fork()
        if child == 0:
            try:
                request = json.loads(line)
                # Breath and flutter of some voices are random, and seeded by the clock.
                library.espeak_ng_SetRandSeed(ctypes.c_long(1))
                samples, phonemes = speak(
                    library, request["text"], request["voice"], request["rate"], request["pitch"]
                )
                reply = struct.pack("<II", len(samples), len(phonemes)) + samples + phonemes
            except Exception as error:
                message = f"{type(error).__name__}: {error}".encode()
                reply = struct.pack("<II", 0, len(message)) + message
            replies.write(reply)
            replies.flush()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status != 0:
            message = f"the synthesiser died with status {status} at {line!r}".encode()
            replies.write(struct.pack("<II", 0, len(message)) + message)
            replies.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
