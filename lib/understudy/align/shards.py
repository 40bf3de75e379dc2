"""Aligning a set by shard: over processes, resumable, the same whatever their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from lhotse.cut import Cut

from understudy.align.archive import save_rows, write_index
from understudy.align.check import BoundaryCheck
from understudy.corpus import in_shards, is_perturbed
from understudy.corpus.names import set_name
from understudy.lang.lexicon import Lexicon
from understudy.parallel.workers import Workers
from understudy.step import log, read_json, write_json

Pronunciations = dict[str, tuple[tuple[int, ...], ...]]
"""Phone ids of each pronunciation of a word"""


class Aligned(NamedTuple):
    """One cut."""

    rows: np.ndarray
    """integers, (rows, columns)"""
    frames: int
    """stacked frames of the cut"""
    phones: list[tuple[str, float]]
    """with the seconds at which they begin"""
    ratio: float | None = None
    """mean over the frames of the log-likelihood ratio, in nats, of this path against the best label of each frame,
    whatever was said: 0 or less. None: not known"""


Aligner = Callable[[list[Cut], Pronunciations], Iterator[Aligned | None]]
"""Of each cut, given the pronunciations of its words; None where it is too short for them. It is sent to processes."""


class _Task(NamedTuple):
    aligner: Aligner
    columns: int
    cuts: list[Cut]
    pronunciations: Pronunciations
    """of those words of the cuts that have one"""
    folder: Path
    number: int


def align_set(
    manifest: Path, out: Path, lexicon: Lexicon, aligner: Aligner, columns: list[str], why: str, shard_size: int,
    workers: Workers,
) -> dict[str, Any]:  # fmt: skip
    """Align one manifest into an archive at `out/<name>/`; a shard that is there stays.

    Args:
        columns: of the rows.
        why: an utterance cannot be aligned, in the log.

    Returns:
        How many were aligned, the ids of those that could not be or have words without pronunciation, and how far the
        boundaries are from reference times where the supervisions carry them.
    """
    index: dict[str, list[int]] = {}
    failed, unknown, check = [], [], BoundaryCheck()
    folder = out / set_name(manifest)
    for part in aligned_shards(manifest, folder, lexicon, aligner, len(columns), shard_size, workers):
        index |= part["cuts"]
        failed += part["failed"]
        unknown += part["unknown"]
        check.distances += part["distances"]
        check.references += part["references"]
    write_index(folder, columns, index)
    for ids, of in ((failed, why), (unknown, "have words without pronunciation")):
        if ids:
            log.warning("%s: %d utterances %s, left out: %s", manifest, len(ids), of, " ".join(ids[:10]))
    return {"aligned": len(index), "failed": failed, "unknown_words": unknown, "boundaries": check.summary()}


def aligned_shards(
    manifest: Path, folder: Path, lexicon: Lexicon, aligner: Aligner, columns: int, shard_size: int, workers: Workers
) -> Iterator[dict[str, Any]]:
    """Align one manifest by shard; the archive is whole once its index is written.

    Args:
        folder: of the archive.
        columns: of the rows, their number.

    Returns:
        Of each shard in turn: `cuts`, the entries of the index; `ratios` by id, see `Aligned`; `failed` and `unknown`,
        ids of those that are too short or have words without pronunciation; what `BoundaryCheck` holds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tasks = (
        _Task(aligner, columns, cuts, _of_words(lexicon, cuts), folder, number)
        for number, cuts in enumerate(in_shards(manifest, shard_size))
    )
    for number, path in enumerate(workers.map(_align_shard, tasks, f"{manifest}: shards")):
        part = read_json(path)
        yield part | {"cuts": {cut_id: [number, *place] for cut_id, place in part["cuts"].items()}}


def _of_words(lexicon: Lexicon, cuts: list[Cut]) -> Pronunciations:
    words = {word for cut in cuts for word in _words(cut)}
    return {word: lexicon.pronunciations[word] for word in words if word in lexicon}


def _words(cut: Cut) -> list[str]:
    return cut.supervisions[0].text.split()


def pronounced(cut: Cut, pronunciations: Pronunciations) -> list[list[list[int]]]:
    """The pronunciations of each word of a cut, in its order."""
    return [[list(phones) for phones in pronunciations[word]] for word in _words(cut)]


def _align_shard(task: _Task) -> Path:
    """Rows in one file and, when that is whole, their places and all else in another, which is returned."""
    path = task.folder / f"{task.number:05d}.json"
    if path.exists():
        return path
    known = [cut for cut in task.cuts if all(word in task.pronunciations for word in _words(cut))]
    rows, places, ratios, failed, check = [], {}, {}, [], BoundaryCheck()
    start = 0
    for cut, found in zip(known, task.aligner(known, task.pronunciations), strict=True):
        if found is None:
            failed.append(cut.id)
            continue
        places[cut.id] = [start, len(found.rows), found.frames]
        if found.ratio is not None:
            ratios[cut.id] = round(found.ratio, 4)
        rows.append(np.asarray(found.rows, np.int32).reshape(-1, task.columns))
        start += len(found.rows)
        if (reference := (cut.supervisions[0].alignment or {}).get("phone")) and not is_perturbed(cut):
            check.add(found.phones, [(a.symbol, a.start) for a in reference])
    save_rows(task.folder, task.number, rows)
    kept = {cut.id for cut in known}
    unknown = [cut.id for cut in task.cuts if cut.id not in kept]
    about = {"distances": check.distances, "references": check.references}
    write_json(path, {"cuts": places, "ratios": ratios, "failed": failed, "unknown": unknown, **about})
    return path
