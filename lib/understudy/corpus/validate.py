"""Validation of a corpus before hours are spent on it: every fault names its utterance and the way out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from lhotse import MonoCut

from understudy.corpus.audio import SAMPLE_RATE, tells_no_length
from understudy.corpus.build import read_cuts
from understudy.corpus.facts import Facts
from understudy.corpus.levels import Levels, Meter, on_another_scale
from understudy.corpus.split import set_of_speakers
from understudy.step import UserError, log

UNTRANSCRIBED = ("unlabelled", "nonspeech")
"""Sets that need no transcripts: speech that a teacher listens to, and sounds without words."""
TIME_MASK = 0.36  # seconds; the longest mask of time that training has by default (SpecAugment: 12 frames of 30 ms)
SHORTEST = 0.045  # seconds; the window of 25 ms at three places 10 ms apart, which make one stacked frame
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What ends a line or a column, in some reader of tables"""
_RESAMPLE = (
    f"Resample it to {SAMPLE_RATE} Hz: steps/prepare_corpus.py does, of all kinds of corpora (docs/new-recipe.md)."
)
_BLOCK = 16000 * 30  # samples read at a time
_TOLERANCE = 0.5 / SAMPLE_RATE  # seconds; half a sample


@dataclass(frozen=True)
class Fault:
    """What is wrong with one utterance, and what to do about it."""

    utterance: str
    kind: str
    """A few words, the same for all such faults, to count by."""
    message: str


@dataclass
class Report:
    """What a validation has seen so far; filled while its cuts are consumed."""

    cuts: int = 0
    seconds: float = 0.0
    speakers: set[str] = field(default_factory=set)
    excluded: Counter[str] = field(default_factory=Counter)
    short: int = 0
    """Cuts that are shorter than a mask of time."""
    short_seconds: float = 0.0
    levels: Levels = field(default_factory=Levels)
    """Of what was kept, where audio is read."""
    facts: Facts = field(default_factory=Facts)
    """Of what was kept"""

    def add(self, cut: MonoCut, meter: Meter | None) -> None:
        """Count a sound cut, and its level where it was heard."""
        speaker = cut.supervisions[0].speaker
        self.cuts += 1
        self.seconds += cut.duration
        self.speakers.add(speaker)
        if cut.duration < TIME_MASK - _TOLERANCE:
            self.short += 1
            self.short_seconds += cut.duration
        self.facts.add(cut, meter)
        if meter is not None:
            self.levels.add(cut.id, speaker, meter)


def validate(
    cuts: Iterable[MonoCut], check_audio: bool = True, bad: str = "fail", report: Report | None = None,
    transcribed: bool = True,
) -> Iterator[MonoCut]:  # fmt: skip
    """Pass on the cuts that are sound, one at a time.

    Memory grows only by the utterance ids, since an id must not come twice, and by what `Facts` counts.

    Args:
        cuts: the cuts to look at.
        check_audio: read every sample too (missing, cut-off or empty files, rates, channels, NaN, levels).
        bad: "fail" at the first fault, or "exclude" faulty cuts: each is logged and counted in `report`.
        report: counts of what was kept and left out, and levels.
        transcribed: an empty transcript is a fault.

    Raises:
        UserError: a fault with "fail"; a duplicate id always, since it cannot be said which one is meant;
            no cut is left.
    """
    if bad not in ("fail", "exclude"):
        raise UserError(f"--bad {bad}: choose fail or exclude.")
    report = Report() if report is None else report
    seen: set[str] = set()
    for cut in cuts:
        if cut.id in seen:
            raise UserError(f"utterance {cut.id}: the id comes twice. Give every utterance its own.")
        seen.add(cut.id)
        meter = Meter(SAMPLE_RATE)
        fault = manifest_fault(cut, transcribed) or (audio_fault(cut, meter) if check_audio else None)
        if fault is None:
            report.add(cut, meter if check_audio else None)
            yield cut
        elif bad == "fail":
            raise UserError(f"{fault.message} Or leave such utterances out with --bad exclude.")
        else:
            report.excluded[fault.kind] += 1
            log.warning("left out: %s", fault.message)
    if not report.cuts:
        raise UserError(f"no sound utterance is left of {len(seen)}: {_counts(report)}. Check the corpus.")


def validate_sets(
    manifests: dict[str, Path], check_audio: bool = True, bad: str = "fail"
) -> Iterator[tuple[str, Iterator[MonoCut], Report]]:
    """Validate several sets; consume each set's cuts before the next is asked for. `UNTRANSCRIBED` ones need no words.

    Raises:
        UserError: as `validate`; or a speaker is in two sets.
    """
    speakers: dict[str, list[str]] = {}
    for name, path in manifests.items():
        report = Report()
        yield name, validate(read_cuts(path), check_audio, bad, report, name not in UNTRANSCRIBED), report
        speakers[name] = sorted(report.speakers)
        set_of_speakers(speakers)


def manifest_fault(cut: MonoCut, transcribed: bool = True) -> Fault | None:
    """The first fault that the manifest alone shows, if any."""
    if not cut.supervisions:
        return _fault(cut, "no supervision", "has no supervision. Add one with its speaker, and its words if known.")
    if len(cut.supervisions) != 1:
        number = len(cut.supervisions)
        return _fault(cut, "not one supervision", f"has {number} supervisions. Cut it into utterances.")
    supervision = cut.supervisions[0]
    if transcribed and not (supervision.text or "").strip():
        return _fault(cut, "empty transcript", "has an empty transcript. Write its words or remove it.")
    if not supervision.speaker:
        return _fault(cut, "no speaker", "has no speaker, so that sets cannot be told apart. Name one.")
    for what, name in (("id", cut.id), ("speaker", supervision.speaker)):
        if _UNWRITABLE.search(name):
            message = f"its {what}, {name!r}, holds a tab, a line break or another control character. Rename it."
            return Fault(cut.id, "unwritable name", f"utterance {cut.id!r}: {message}")
    if not cut.has_recording:
        return _fault(cut, "no recording", "has no recording. Build the manifest with its audio.")
    if cut.duration <= 0 or cut.recording.num_samples <= 0:
        return _empty(cut)
    if cut.duration < SHORTEST - _TOLERANCE:
        way = f"{1000 * SHORTEST:g} ms make one frame of a model. Leave it out."
        return _fault(cut, "too short", f"lasts {1000 * cut.duration:g} ms. {way}")
    if supervision.start < -_TOLERANCE or supervision.end > cut.duration + _TOLERANCE:
        return _span_fault(cut, "supervision", cut.start + supervision.end, cut.end)
    if cut.end > cut.recording.duration + _TOLERANCE:
        return _span_fault(cut, "cut", cut.end, cut.recording.duration)
    return None


def _empty(cut: MonoCut) -> Fault:
    if tells_no_length(Path(_file(cut))):
        way = "Write it anew, as by sox FILE NEW_FILE, and make the manifest again."
        message = f"{_file(cut)} was written to a pipe: its header tells of no samples, though some follow. {way}"
        return _fault(cut, "WAV without its length", message)
    return _fault(cut, "empty audio", f"{_file(cut)} holds no samples. Fetch the file again.")


def audio_fault(cut: MonoCut, meter: Meter) -> Fault | None:
    """The first fault of the audio, if any, of which `meter` hears what is the cut's.

    A file with the one channel that the manifest tells of is read in blocks; what a command writes, one channel of
    several and what is resampled as it is read are judged by what the cut yields, as the next stage reads it.
    """
    recording = cut.recording
    if recording.transforms or len(recording.sources) > 1 or recording.num_channels > 1:
        return _yielded_fault(cut, meter)
    if recording.sources[0].type != "file":
        return _yielded_fault(cut, meter)
    path = Path(recording.sources[0].source)
    if not path.exists():
        return _fault(cut, "missing audio", f"{path} does not exist. Is the corpus whole and in place?")
    if path.stat().st_size == 0:
        return _fault(cut, "empty audio", f"{path} has no bytes. Fetch the file again.")
    try:
        with soundfile.SoundFile(path) as file:
            return _header_fault(cut, path, file) or _sample_fault(cut, path, file, meter)
    except (soundfile.SoundFileError, RuntimeError) as error:
        return _fault(cut, "unreadable audio", f"{path} cannot be read ({error}). Fetch the file again.")


def _yielded_fault(cut: MonoCut, meter: Meter) -> Fault | None:
    """Of the samples that Lhotse makes of a cut, in memory as a whole."""
    if cut.sampling_rate != SAMPLE_RATE:
        return _fault(cut, "wrong sample rate", f"{_file(cut)} has {cut.sampling_rate} Hz. {_RESAMPLE}")
    try:
        samples = cut.load_audio()
    except Exception as error:  # of all that may read it
        said = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return _fault(cut, "unreadable audio", f"{_file(cut)} cannot be read ({said}).")
    if len(samples) != 1:
        return _fault(cut, "several channels", f"{_file(cut)} yields {len(samples)} channels. Keep one.")
    if not np.isfinite(samples).all():
        where = int(np.argmin(np.isfinite(samples[0]))) / SAMPLE_RATE
        return _fault(cut, "samples not numbers", f"{_file(cut)} has NaN or infinity {where:.2f} s into the cut.")
    if loud := on_another_scale(samples[0]):
        return _fault(cut, "samples beyond ±1", f"{_file(cut)} {loud}")
    if abs(len(samples[0]) - round(cut.duration * SAMPLE_RATE)) > 1:
        wanted = round(cut.duration * SAMPLE_RATE)
        return _fault(cut, "cut-off audio", f"{_file(cut)} yields {len(samples[0])} samples of {wanted}.")
    meter.add(samples[0])
    return None


def _header_fault(cut: MonoCut, path: Path, file: soundfile.SoundFile) -> Fault | None:
    if file.samplerate != SAMPLE_RATE:
        return _fault(cut, "wrong sample rate", f"{path} has {file.samplerate} Hz. {_RESAMPLE}")
    if cut.recording.sampling_rate != file.samplerate:
        rate = cut.recording.sampling_rate
        return _fault(cut, "wrong sample rate", f"{path} has {file.samplerate} Hz, the manifest says {rate}.")
    if file.channels != 1:
        return _fault(cut, "several channels", f"{path} has {file.channels} channels. Keep one.")
    return _cut_off(cut, path, declared=_declared_samples(path, file))


def _sample_fault(cut: MonoCut, path: Path, file: soundfile.SoundFile, meter: Meter) -> Fault | None:
    """Of the samples of this cut, and of the recording's end: a long file of many cuts is not read for each of them."""
    first, end = round(cut.start * SAMPLE_RATE), round(cut.end * SAMPLE_RATE)
    file.seek(min(first, file.frames))
    at = file.tell()
    for block in file.blocks(_BLOCK, frames=max(end - first, 0), dtype="float32"):
        if not np.isfinite(block).all():
            where = (at + int(np.argmin(np.isfinite(block)))) / SAMPLE_RATE
            message = f"{path} has NaN or infinity at {where:.2f} s. Convert the file again."
            return _fault(cut, "samples not numbers", message)
        if loud := on_another_scale(block):
            return _fault(cut, "samples beyond ±1", f"{path} {loud}")
        meter.add(block)
        at += len(block)
    if at < end or not _has_sample(file, cut.recording.num_samples - 1):
        return _cut_short(cut, path, file)
    return None


def _has_sample(file: soundfile.SoundFile, number: int) -> bool:
    """Whether it can be read, whatever the header says."""
    try:
        file.seek(number)
        return len(file.read(1, dtype="float32")) == 1
    except soundfile.SoundFileError:
        return False


def _cut_short(cut: MonoCut, path: Path, file: soundfile.SoundFile) -> Fault:
    file.seek(0)
    total = sum(len(block) for block in file.blocks(_BLOCK, dtype="float32"))
    if total == 0:
        return _fault(cut, "empty audio", f"{path} holds no samples. Fetch the file again.")
    way = "It was cut off: fetch the file again."
    return _fault(cut, "cut-off audio", f"{path} has {total} samples of {cut.recording.num_samples}. {way}")


def _cut_off(cut: MonoCut, path: Path, declared: int) -> Fault | None:
    """A WAV that was cut off still plays; only its header tells how long it should be."""
    if declared > cut.recording.num_samples:
        held = cut.recording.num_samples
        way = "It was cut off (fetch it again), or the manifest is old (make it again)."
        message = f"{path} should have {declared} samples, the manifest has {held}. {way}"
        return _fault(cut, "cut-off audio", message)
    return None


def _declared_samples(path: Path, file: soundfile.SoundFile) -> int:
    """Samples that the header promises, of a WAV; of others what the library says."""
    if file.format not in ("WAV", "WAVEX"):
        return file.frames
    with path.open("rb") as raw:
        raw.seek(12)
        align = 0
        while len(head := raw.read(8)) == 8:
            name, size = head[:4], int.from_bytes(head[4:], "little")
            if name == b"data":
                # Streamed files carry no true size, but the largest number or 0.
                return size // align if align and 0 < size < 0x7FFFFFFF else file.frames
            body = raw.read(size + size % 2)
            if name == b"fmt ":
                align = int.from_bytes(body[12:14], "little")
    return file.frames


def _span_fault(cut: MonoCut, what: str, end: float, limit: float) -> Fault:
    message = f"{_file(cut)}: the {what} ends at {end:.3f} s, after its audio ({limit:.3f} s). Correct it."
    return _fault(cut, f"{what} beyond the audio", message)


def _file(cut: MonoCut) -> str:
    return str(cut.recording.sources[0].source) if cut.recording.sources else cut.recording.id


def _fault(cut: MonoCut, kind: str, message: str) -> Fault:
    return Fault(cut.id, kind, f"utterance {cut.id}: {message}")


def _counts(report: Report) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(report.excluded.items())) or "none given"
