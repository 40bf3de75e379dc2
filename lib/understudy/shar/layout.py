"""Where things are in a folder of speech as a stream.

shar/       Lhotse Shar: cuts.NNNNNN.jsonl.gz, features.NNNNNN.tar and, of labelled speech, senones.NNNNNN.tar
targets/    of speech that a teacher heard, the shards of soft targets: number N is of the cuts of number N
sums/       of each shard, NNNNNN.json: a digest of each of its files, by its path from the folder
lengths.npy stacked frames of every cut, in order
shar.json   cuts of every shard, what all of it was made from, and digests of the files that are of no shard
"""

from __future__ import annotations

from pathlib import Path

from understudy.targets.store import shard_path

ABOUT, LENGTHS, NORMALISER = "shar.json", "lengths.npy", "normaliser.json"
LABELS = "senones"
"""the column of labels"""


def files(folder: Path, number: int, labelled: bool) -> dict[str, Path]:
    """Lhotse's files of a shard, by field, the cuts last."""
    fields = ["features", LABELS] if labelled else ["features"]
    paths = {field: folder / "shar" / f"{field}.{number:06d}.tar" for field in fields}
    return paths | {"cuts": folder / "shar" / f"cuts.{number:06d}.jsonl.gz"}


def targets(folder: Path, number: int) -> Path:
    """A shard's soft targets."""
    return shard_path(folder / "targets", number)


def sums(folder: Path, number: int) -> Path:
    """Digests of a shard's files: written last."""
    return folder / "sums" / f"{number:06d}.json"
