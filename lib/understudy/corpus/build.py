"""Lhotse manifests from a simple table of utterances."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lhotse import AudioSource, CutSet, MonoCut, Recording, SupervisionSegment
from lhotse.cut import Cut
from lhotse.serialization import deserialize_item
from lhotse.supervision import AlignmentItem

from understudy.stage import UserError, atomic_path, log

SETS = ("labelled", "unlabelled", "dev", "test")


@dataclass(frozen=True)
class Utterance:
    """One row of the table: an audio file that holds one sentence of one speaker."""

    id: str
    audio: Path
    text: str
    """Words with single spaces; made upper case in the manifest."""
    speaker: str
    num_samples: int | None = None
    """With `sample_rate`, spares opening the file."""
    sample_rate: int | None = None
    phones: tuple[tuple[str, float, float], ...] = ()
    """Reference times, if known: phone, start and duration in seconds."""


def build_cut(utterance: Utterance) -> MonoCut:
    """The cut of one utterance: the whole recording with one supervision.

    Raises:
        UserError: the audio file is missing or cannot be read.
    """
    recording = _recording(utterance)
    alignment = None
    if utterance.phones:
        alignment = {"phone": [AlignmentItem(s, round(t, 5), round(d, 5)) for s, t, d in utterance.phones]}
    supervision = SupervisionSegment(
        id=utterance.id,
        recording_id=utterance.id,
        start=0.0,
        duration=recording.duration,
        channel=0,
        text=" ".join(utterance.text.upper().split()),
        speaker=utterance.speaker,
        alignment=alignment,
    )
    return MonoCut(
        id=utterance.id,
        start=0.0,
        duration=recording.duration,
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
    return _write_lines(path, (json.dumps(cut.to_dict(), ensure_ascii=False) + "\n" for cut in cuts))


def set_name(manifest: Path) -> str:
    """Of the set whose manifest it is: what stands before the first dot of the file's name."""
    return manifest.name.split(".")[0]


def read_cuts(path: Path) -> Iterator[MonoCut]:
    """Cuts of a manifest, one at a time, in its order.

    Raises:
        UserError: a line is no cut, or the file breaks off.
    """
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


def check_names(manifests: Iterable[Path], taken: tuple[str, ...] = ()) -> None:
    """What is made of a set goes by its name. Raise UserError where two have one, or one has a name that is taken."""
    named: dict[str, Path | str] = {name: f"what is called {name}" for name in taken}
    for path in manifests:
        if other := named.get(name := set_name(path)):
            none = "".join(f", and none {one}" for one in taken)
            raise UserError(f"{other}, {path}: both would be written to one folder, {name}; give each its own{none}")
        named[name] = path


def in_shards(manifest: Path, size: int) -> Iterator[list[Cut]]:
    """The cuts of a manifest in their order, at most `size` at a time, so that it is never in memory as a whole."""
    stream = iter(CutSet.from_jsonl_lazy(manifest))
    while shard := list(itertools.islice(stream, size)):
        yield shard


def _recording(utterance: Utterance) -> Recording:
    if utterance.num_samples is not None and utterance.sample_rate is not None:
        return Recording(
            id=utterance.id,
            sources=[AudioSource(type="file", channels=[0], source=str(utterance.audio))],
            sampling_rate=utterance.sample_rate,
            num_samples=utterance.num_samples,
            duration=utterance.num_samples / utterance.sample_rate,
            channel_ids=[0],
        )
    if not utterance.audio.exists():
        raise UserError(f"{utterance.audio}: no such audio file ({utterance.id}). Is the corpus whole?")
    try:
        return Recording.from_file(utterance.audio, recording_id=utterance.id)
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


def is_perturbed(cut: Cut) -> bool:
    """Whether a cut is a copy at another speed: Lhotse marks its id so (`_sp0.9`)."""
    return original_id(cut) != cut.id


def original_id(cut: Cut) -> str:
    """Id of the cut that this one is a copy of; its own where it is none."""
    return re.sub(r"_sp\d+(\.\d+)?$", "", cut.id)


def write_sets(folder: Path, utterances: Iterable[Utterance], home: Mapping[str, str]) -> dict[str, list[Utterance]]:
    """Write a manifest for each set that has utterances; says the sizes of all. There may be several test sets.

    Args:
        home: set of each speaker (`set_of_speakers`).

    Returns:
        The utterances of each set.
    """
    chosen: dict[str, list[Utterance]] = {name: [] for name in (*SETS[:3], *sorted({*home.values()} - {*SETS[:3]}))}
    for utterance in utterances:
        chosen[home[utterance.speaker]].append(utterance)
    for name, members in chosen.items():
        if members:
            write_cuts(folder / f"{name}.jsonl.gz", build_cuts(members))
            log.info("%s: %d utterances of %d speakers", name, len(members), len({u.speaker for u in members}))
        else:
            log.info("%s: empty, no manifest", name)
    return chosen
