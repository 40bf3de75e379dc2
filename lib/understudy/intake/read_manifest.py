"""Pieces of speech in manifests of Lhotse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lhotse import CutSet, Recording, RecordingSet, SupervisionSegment, SupervisionSet
from lhotse.cut import Cut, MonoCut
from lhotse.serialization import load_manifest_lazy_or_eager

from understudy.intake.piece import Piece, Sound
from understudy.step import UserError


def read_manifest(root: Path, path: Path) -> Iterator[Piece]:
    """Pieces of a manifest, in the order of its cuts or recordings. Raises UserError as `Corpus.read`."""
    if not path.is_file():
        raise UserError(f"{path}: must be a manifest of Lhotse's, and is no file.")
    try:
        manifest = load_manifest_lazy_or_eager(path)
    except Exception as error:  # of any library that reads a format
        raise UserError(f"{path}: not a readable manifest of Lhotse's ({error}).") from None
    if isinstance(manifest, RecordingSet):
        yield from _recordings(root, path, manifest)
    elif isinstance(manifest, CutSet):
        for cut in manifest:
            yield from cut_pieces(root, path, cut)
    else:
        kind = type(manifest).__name__
        raise UserError(f"{path}: must hold cuts or recordings, and is a {kind}. Give the one of recordings.")


def _recordings(root: Path, path: Path, recordings: RecordingSet) -> Iterator[Piece]:
    beside = path.with_name(path.name.replace("recordings", "supervisions"))
    if beside == path or not beside.exists():
        wanted = path.name.replace("recordings", "supervisions") if beside != path else "*supervisions*"
        raise UserError(f"{path}: beside a manifest of recordings there must be {wanted}, with what is said.")
    said: dict[str, list[SupervisionSegment]] = {}
    for one in SupervisionSet.from_file(beside):
        said.setdefault(one.recording_id, []).append(one)
    for recording in recordings:
        spoken = said.pop(recording.id, [])
        yield from pieces_of(root, path, recording, recording.id, 0.0, recording.duration, 0, spoken)
    if said:
        raise UserError(f"{beside}: {next(iter(said))} is no recording of {path} ({len(said)} such). Is it its own?")


def cut_pieces(root: Path, path: Path, cut: Cut) -> Iterator[Piece]:
    """Of a cut; `root`: of relative paths; `path`: of the manifest, for errors. Raises UserError as `read_manifest`."""
    if not isinstance(cut, MonoCut) or not cut.has_recording:
        raise UserError(f"{path}: cut {cut.id}: must be of one recording and one channel. Give those it is made of.")
    yield from pieces_of(root, path, cut.recording, cut.id, cut.start, cut.end, cut.channel, cut.supervisions)


def pieces_of(
    root: Path, path: Path, recording: Recording, name: str, start: float, end: float, channel: int,
    said: list[SupervisionSegment],
) -> Iterator[Piece]:  # fmt: skip
    """Of a stretch of a recording, in seconds, that is called `name`, with what is said in it.

    Raises:
        UserError: as `read_manifest`.
    """
    where = f"{path}, {name}"
    if not said:
        yield _piece(root, recording, name, start, end, channel, None, where)
    for one in said:
        key = name if len(said) == 1 else one.id
        heard = one.channel if isinstance(one.channel, int) else channel
        yield _piece(root, recording, key, start + one.start, min(end, start + one.end), heard, one, where)


def _piece(
    root: Path, recording: Recording, key: str, start: float, end: float, channel: int, said: SupervisionSegment | None,
    where: str,
) -> Piece:  # fmt: skip
    if said is None or not said.speaker:
        raise UserError(f"{where}: no speaker. Add a supervision that names one; its text may be empty.")
    sound = _sound(recording, channel, root.absolute(), where)
    whole = start <= 0 and end >= recording.duration - 0.5 / recording.sampling_rate
    name = key if whole else f"{recording.id}-{channel}" if recording.num_channels > 1 else recording.id
    return Piece(
        key, name, sound, said.speaker, said.text, 0.0 if whole else start, None if whole else end, said.language,
        said.gender, where,
    )  # fmt: skip


def _sound(recording: Recording, channel: int, root: Path, where: str) -> Sound:
    """Where the audio is, whatever rate the manifest has it resampled to: that is done once, from what there is."""
    names = [one["name"] if isinstance(one, dict) else one.to_dict()["name"] for one in recording.transforms or []]
    if strange := [name for name in names if name != "Resample"]:
        raise UserError(f"{where}: its audio is changed by {', '.join(strange)}. Give the cuts as they were recorded.")
    for source in recording.sources:
        if channel in source.channels:
            if source.type not in ("file", "command"):
                raise UserError(f"{where}: its audio is of type {source.type}; save it to files (save_audios).")
            index = source.channels.index(channel) if len(source.channels) > 1 else None
            path = str(root / source.source) if source.type == "file" else source.source
            return Sound(path, source.type, index, root, where)
    raise UserError(f"{where}: its recording has no channel {channel}. Mend the manifest.")
