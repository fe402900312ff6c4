"""Decodes every clip of a part and reports problems and oddities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from slubench.data.check.issues import Checked, CheckReport, Issue, Severity, finding
from slubench.data.clips import hear
from slubench.data.recordings import Progress, encoded_clips
from slubench.data.source import SplitFiles
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import DataError

LEFT_OUT = "It is left out of training and listed on the card; a test set with such a row cannot be used"


def inspect_clips(
    shards: SplitFiles,
    utterances: Sequence[Utterance],
    checked: Checked,
    report: CheckReport,
    sampling_rate: int,
    max_seconds: float,
    watch: Progress,
) -> None:
    """Decode every clip of a part; report issues and count good clips.

    Args:
        shards: The part.
        utterances: Its rows.
        checked: Where clips and minutes are counted.
        report: Where findings go.
        sampling_rate: Hertz that the model hears.
        max_seconds: What the model hears of a clip.
        watch: Opens a progress bar of so many clips.
    """
    by_clip: Mapping[Clip, Utterance] = {u.clip: u for u in utterances if u.clip is not None}
    if shards.form.spoken:
        for utterance in utterances:
            if utterance.clip is None:
                report.findings.append(
                    finding(
                        "problem", "clip", str(shards), "the row has no recording", LEFT_OUT, "", utterance
                    )
                )
    with watch(f"checking {shards}", len(by_clip)) as done:
        for number, (clip, encoded) in enumerate(encoded_clips(list(by_clip), shards.corpus.audio)):
            utterance = by_clip[clip]
            try:
                if isinstance(encoded, DataError):
                    raise encoded
                sound = hear(encoded)
            except DataError as error:
                report.findings.append(_of_clip("problem", "clip", shards, utterance, str(error), LEFT_OUT))
                continue
            finally:
                done(number + 1)
            checked.clips += 1
            checked.minutes += sound.seconds / 60
            odd = []
            if sound.channels > 1:
                odd.append(("channels", f"the clip has {sound.channels} channels", "They are averaged"))
            if sound.rate < sampling_rate:
                odd.append(
                    (
                        "rate",
                        f"the clip's {sound.rate:,} Hz are fewer than the model's {sampling_rate:,}",
                        "It is resampled; frequencies above half its rate are missing",
                    )
                )
            if sound.seconds > max_seconds:
                remedy = f"It is cut off after {max_seconds:g} s"
                odd.append(("length", f"the clip is {sound.seconds:.1f} s long", remedy))
            if not sound.samples.any():
                odd.append(("silence", "the clip is silent", "It is used unchanged"))
            report.findings += [_of_clip("remark", kind, shards, utterance, *told) for kind, *told in odd]


def _of_clip(
    severity: Severity, kind: str, shards: SplitFiles, utterance: Utterance, what: str, remedy: str
) -> Issue:
    clip = utterance.clip or Clip("")
    row = -1 if clip.row is None else clip.row
    return Issue(severity, kind, str(shards), Path(clip.file).name, row, utterance.key, what, remedy)
