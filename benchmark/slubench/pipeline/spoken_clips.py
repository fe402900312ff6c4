"""What stages have spoken (`pool.speak`): by espeak-ng, kept in HOME, the same on every machine."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from slubench.data.recordings import Recordings
from slubench.domain.utterance import Clip, SpokenClip
from slubench.errors import MissingError
from slubench.runtime.files import replacing

RATE, PITCH = 160, 50
"""Words a minute, and espeak-ng's pitch of 0 to 99."""


@dataclass
class StageSpeaker:
    """Speaks texts and keeps what it says as WAV files.

    Attributes:
        folder: Where they are kept.
        recordings: The run's recordings; what is spoken is decoded into the same store.
    """

    folder: Path
    recordings: Recordings
    keys: dict[Clip, str] = field(default_factory=dict)

    def __call__(self, wanted: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], SpokenClip]:
        """The clips of texts, each with a voice.

        Raises:
            MissingError: No synthesiser is installed.
            SynthesisError: It does not know a voice, or died.
        """
        places = {one: self.folder / f"{_name(*one)}.wav" for one in wanted}
        if missing := [one for one, path in places.items() if not path.is_file()]:
            self._speak(missing, places)
        spoken = {}
        for (text, voice), path in places.items():
            clip = SpokenClip(str(path), None, text, voice)
            self.keys[clip] = self.recordings.store.add(path.read_bytes())
            spoken[text, voice] = clip
        return spoken

    def with_spoken(self, recordings: Recordings) -> Recordings:
        """Recordings, with what was spoken among them."""
        return replace(recordings, keys={**recordings.keys, **self.keys}) if self.keys else recordings

    def _speak(self, wanted: Sequence[tuple[str, str]], places: Mapping[tuple[str, str], Path]) -> None:
        import soundfile

        from slubench.data.espeak import SAMPLE_RATE
        from slubench.data.synthesis import Synthesizer

        with Synthesizer() as synthesiser:
            for text, voice in wanted:
                samples = synthesiser.speak(text, voice, RATE, PITCH).samples
                encoded = io.BytesIO()
                soundfile.write(encoded, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
                with replacing(places[text, voice]) as temporary:
                    temporary.write_bytes(encoded.getvalue())


def _name(text: str, voice: str) -> str:
    try:
        synthesiser = version("espeakng-loader")
    except PackageNotFoundError:
        raise MissingError(
            "A stage calls pool.speak, and no synthesiser is installed: pip install slubench[tts]"
        ) from None
    content = f"{synthesiser}\0{RATE}\0{PITCH}\0{voice}\0{text}"
    return hashlib.sha256(content.encode()).hexdigest()[:32]
