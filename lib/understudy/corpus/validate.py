"""Validation of a corpus before hours are spent on it: every fault names its utterance and the way out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from lhotse import MonoCut

from understudy.corpus.build import read_cuts
from understudy.corpus.split import set_of_speakers
from understudy.stage import UserError, log

SAMPLE_RATE = 16000
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


def validate(
    cuts: Iterable[MonoCut], check_audio: bool = True, bad: str = "fail", report: Report | None = None,
    transcribed: bool = True,
) -> Iterator[MonoCut]:  # fmt: skip
    """Pass on the cuts that are sound, one at a time.

    Memory grows only by the utterance ids, since an id must not come twice.

    Args:
        cuts: the cuts to look at.
        check_audio: read every sample too (missing, cut-off or empty files, rates, channels, NaN).
        bad: "fail" at the first fault, or "exclude" faulty cuts: each is logged and counted in `report`.
        report: counts of what was kept and left out.
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
        fault = manifest_fault(cut, transcribed) or (audio_fault(cut) if check_audio else None)
        if fault is None:
            report.cuts += 1
            report.seconds += cut.duration
            report.speakers.add(cut.supervisions[0].speaker)
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
    """Validate several sets; consume each set's cuts before the next is asked for. `unlabelled` needs no transcripts.

    Raises:
        UserError: as `validate`; or a speaker is in two sets.
    """
    speakers: dict[str, list[str]] = {}
    for name, path in manifests.items():
        report = Report()
        yield name, validate(read_cuts(path), check_audio, bad, report, name != "unlabelled"), report
        speakers[name] = sorted(report.speakers)
        set_of_speakers(speakers)


def manifest_fault(cut: MonoCut, transcribed: bool = True) -> Fault | None:
    """The first fault that the manifest alone shows, if any."""
    if len(cut.supervisions) != 1:
        number = len(cut.supervisions)
        return _fault(cut, "not one supervision", f"has {number} supervisions. Cut it into utterances.")
    supervision = cut.supervisions[0]
    if transcribed and not (supervision.text or "").strip():
        return _fault(cut, "empty transcript", "has an empty transcript. Write its words or remove it.")
    if not supervision.speaker:
        return _fault(cut, "no speaker", "has no speaker, so that sets cannot be told apart. Name one.")
    if not cut.has_recording:
        return _fault(cut, "no recording", "has no recording. Build the manifest with its audio.")
    if cut.duration <= 0 or cut.recording.num_samples <= 0:
        return _fault(cut, "empty audio", f"{_file(cut)} holds no samples. Fetch the file again.")
    if supervision.start < -_TOLERANCE or supervision.end > cut.duration + _TOLERANCE:
        return _span_fault(cut, "supervision", cut.start + supervision.end, cut.end)
    if cut.end > cut.recording.duration + _TOLERANCE:
        return _span_fault(cut, "cut", cut.end, cut.recording.duration)
    return None


def audio_fault(cut: MonoCut) -> Fault | None:
    """The first fault of the audio file, if any; reads it in blocks."""
    path = Path(cut.recording.sources[0].source)
    if not path.exists():
        return _fault(cut, "missing audio", f"{path} does not exist. Is the corpus whole and in place?")
    if path.stat().st_size == 0:
        return _fault(cut, "empty audio", f"{path} has no bytes. Fetch the file again.")
    try:
        with soundfile.SoundFile(path) as file:
            return _header_fault(cut, path, file) or _sample_fault(cut, path, file)
    except (soundfile.SoundFileError, RuntimeError) as error:
        return _fault(cut, "unreadable audio", f"{path} cannot be read ({error}). Fetch the file again.")


def _header_fault(cut: MonoCut, path: Path, file: soundfile.SoundFile) -> Fault | None:
    if file.samplerate != SAMPLE_RATE:
        way = f"Resample it to {SAMPLE_RATE} Hz."
        return _fault(cut, "wrong sample rate", f"{path} has {file.samplerate} Hz. {way}")
    if cut.recording.sampling_rate != file.samplerate:
        rate = cut.recording.sampling_rate
        return _fault(cut, "wrong sample rate", f"{path} has {file.samplerate} Hz, the manifest says {rate}.")
    if file.channels != 1:
        return _fault(cut, "several channels", f"{path} has {file.channels} channels. Keep one.")
    return _cut_off(cut, path, declared=_declared_samples(path, file))


def _sample_fault(cut: MonoCut, path: Path, file: soundfile.SoundFile) -> Fault | None:
    total = 0
    for block in file.blocks(_BLOCK, dtype="float32"):
        if not np.isfinite(block).all():
            where = (total + int(np.argmin(np.isfinite(block)))) / SAMPLE_RATE
            message = f"{path} has NaN or infinity at {where:.2f} s. Convert the file again."
            return _fault(cut, "samples not numbers", message)
        total += len(block)
    if total == 0:
        return _fault(cut, "empty audio", f"{path} holds no samples. Fetch the file again.")
    if total < cut.recording.num_samples:
        wanted = cut.recording.num_samples
        way = "It was cut off: fetch the file again."
        return _fault(cut, "cut-off audio", f"{path} has {total} samples of {wanted}. {way}")
    return None


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
