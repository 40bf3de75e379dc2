"""Lhotse manifests from a simple table of utterances."""

from __future__ import annotations

import gzip
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.corpus.names import SETS
from understudy.step import UserError, atomic_path, counted, few, log, to_json

if TYPE_CHECKING:  # takes seconds, and the preparation of a corpus that is there needs none of it
    from lhotse import MonoCut, Recording
    from lhotse.cut import Cut

COPY_OF = "copy_of"
"""Field of a cut that is a copy at another speed: id of the cut that it was made of"""


@dataclass(frozen=True)
class Utterance:
    """One row of the table: an audio file that holds one sentence of one speaker, or a stretch of one."""

    id: str
    audio: Path
    text: str | None
    """Words with single spaces; made upper case in the manifest, unless they are `as_written`. None: not known."""
    speaker: str
    num_samples: int | None = None
    """With `sample_rate`, spares opening the file."""
    sample_rate: int | None = None
    phones: tuple[tuple[str, float, float], ...] = ()
    """Reference times, if known: phone, start and duration in seconds."""
    as_written: bool = False
    """The words keep their case."""
    recording: str | None = None
    """Name of the audio, where the sentence is a stretch of it."""
    start: float = 0.0
    """Of that stretch, in seconds."""
    duration: float | None = None
    """Of that stretch, in seconds; None: to the end."""
    language: str | None = None
    gender: str | None = None


def build_cut(utterance: Utterance) -> MonoCut:
    """The cut of one utterance, with one supervision.

    Raises:
        UserError: the audio file is missing or cannot be read.
    """
    from lhotse import MonoCut, SupervisionSegment
    from lhotse.supervision import AlignmentItem

    recording = _recording(utterance)
    duration = recording.duration - utterance.start if utterance.duration is None else utterance.duration
    text, alignment = utterance.text, None
    if text is not None:
        text = " ".join((text if utterance.as_written else text.upper()).split())
    if utterance.phones:
        alignment = {"phone": [AlignmentItem(s, round(t, 5), round(d, 5)) for s, t, d in utterance.phones]}
    supervision = SupervisionSegment(
        id=utterance.id,
        recording_id=recording.id,
        start=0.0,
        duration=duration,
        channel=0,
        text=text,
        speaker=utterance.speaker,
        language=utterance.language,
        gender=utterance.gender,
        alignment=alignment,
    )
    return MonoCut(
        id=utterance.id,
        start=utterance.start,
        duration=duration,
        channel=0,
        recording=recording,
        supervisions=[supervision],
    )


def build_cuts(utterances: Iterable[Utterance]) -> Iterator[MonoCut]:
    """Cuts of a table, one at a time. Raises UserError as `build_cut`."""
    return (build_cut(utterance) for utterance in utterances)


def write_cuts(path: Path, cuts: Iterable[MonoCut]) -> int:
    """Write a manifest (.jsonl.gz), streaming and atomic; the same bytes for the same cuts.

    Returns the number of cuts.
    """
    return _write_lines(path, (to_json(cut.to_dict(), cut.id, ensure_ascii=False) + "\n" for cut in cuts))


def read_cuts(path: Path) -> Iterator[MonoCut]:
    """Cuts of a manifest, one at a time, in its order.

    Raises:
        UserError: a line is no cut, or the file breaks off.
    """
    from lhotse.serialization import deserialize_item

    number = 0
    try:
        for line in _lines(path):
            number += 1
            yield deserialize_item(json.loads(line))
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}, line {number}: not a readable manifest of cuts ({error}). Make it again.") from error


def join_manifests(path: Path, parts: Iterable[Path]) -> int:
    """Write the manifests `parts` one after the other as one, line by line. Returns the number of cuts."""
    return _write_lines(path, (line for part in parts for line in _lines(part)))


def in_shards(manifest: Path, size: int) -> Iterator[list[Cut]]:
    """The cuts of a manifest in their order, at most `size` at a time, so that it is never in memory as a whole."""
    from lhotse import CutSet

    stream = iter(CutSet.from_jsonl_lazy(manifest))
    while shard := list(itertools.islice(stream, size)):
        yield shard


def _recording(utterance: Utterance) -> Recording:
    from lhotse import AudioSource, Recording

    name = utterance.recording or utterance.id
    if utterance.num_samples is not None and utterance.sample_rate is not None:
        return Recording(
            id=name,
            sources=[AudioSource(type="file", channels=[0], source=str(utterance.audio))],
            sampling_rate=utterance.sample_rate,
            num_samples=utterance.num_samples,
            duration=utterance.num_samples / utterance.sample_rate,
            channel_ids=[0],
        )
    if not utterance.audio.exists():
        raise UserError(f"{utterance.audio}: no such audio file ({utterance.id}). Is the corpus whole?")
    try:
        return Recording.from_file(utterance.audio, recording_id=name)
    except Exception as error:  # each audio library raises its own
        raise UserError(
            f"{utterance.audio}: cannot be read as audio (utterance {utterance.id}): {error}. "
            "Fetch the file again, or leave the utterance out."
        ) from error


def _lines(path: Path) -> Iterator[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        yield from file


def _write_lines(path: Path, lines: Iterable[str]) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    # No name and no time in the gzip header: the same lines give the same file.
    with (
        atomic_path(path) as tmp,
        tmp.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as packed,
        io.TextIOWrapper(packed, encoding="utf-8") as file,
    ):
        for line in lines:
            file.write(line)
            count += 1
    return count


def perturbed(cut: Cut, speed: float) -> Cut:
    """A copy at another speed, which knows the cut that it was made of: ids are the user's, and tell nothing."""
    copy = cut.perturb_speed(speed)
    copy.custom = {**(copy.custom or {}), COPY_OF: cut.id}
    return copy


def is_perturbed(cut: Cut) -> bool:
    """Whether a cut is a copy at another speed, made by `perturbed`."""
    return original_id(cut) != cut.id


def original_id(cut: Cut) -> str:
    """Id of the cut that this one is a copy of; its own where it is none."""
    known = (cut.custom or {}).get(COPY_OF)
    return known or _before_it_was_known(cut)


def _before_it_was_known(cut: Cut) -> str:
    """The same of a manifest that was made before copies knew: by what Lhotse tells of the recording."""
    for done in (cut.recording.transforms or []) if cut.has_recording else []:
        done = done if isinstance(done, dict) else done.to_dict()
        if done["name"] == "Speed":
            return cut.id.removesuffix(f"_sp{done['kwargs']['factor']}")
    return cut.id


def write_sets(folder: Path, utterances: Iterable[Utterance], home: Mapping[str, str]) -> dict[str, list[Utterance]]:
    """Write a manifest for each set that has utterances; says the sizes of all. There may be several test sets.

    Args:
        home: set of each speaker (`set_of_speakers`).

    Returns:
        The utterances of each set.

    Raises:
        UserError: a speaker is in no set, no utterance is labelled, or as `build_cut`.
    """
    utterances = list(utterances)
    if strange := sorted({u.speaker for u in utterances} - home.keys()):
        raise UserError(
            f"{len(strange)} of the speakers are in no set: {few(strange)}. Give each one, or leave their "
            "utterances out."
        )
    if "labelled" not in {home[utterance.speaker] for utterance in utterances}:
        raise UserError(f"none of {len(utterances)} utterances is labelled: a recipe begins with transcribed speech.")
    chosen: dict[str, list[Utterance]] = {name: [] for name in (*SETS[:3], *sorted({*home.values()} - {*SETS[:3]}))}
    for utterance in utterances:
        chosen[home[utterance.speaker]].append(utterance)
    for name, members in chosen.items():
        if members:
            write_cuts(folder / f"{name}.jsonl.gz", build_cuts(members))
            speakers = counted(len({u.speaker for u in members}), "speaker")
            log.info("%s: %s of %s", name, counted(len(members), "utterance"), speakers)
        else:
            log.info("%s: empty, no manifest", name)
    return chosen
