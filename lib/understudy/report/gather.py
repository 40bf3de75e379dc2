"""What a recipe's folder tells of itself: its stages, its models, the errors of its systems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.score import utterances
from understudy.score.utterances import Scored
from understudy.step import read_json
from understudy.step.set_aside import still_in_use
from understudy.step.status import DONE

_GAP = "***"


@dataclass(frozen=True)
class Made:
    """An output of a step."""

    folder: str
    step: str
    finished: str
    """date and time"""
    seconds: float
    """of the run that finished it; what a killed run took before it is not counted"""
    memory_mb: int
    """peak"""
    size: int
    """bytes, outputs of other steps within it not counted"""
    commit: str


def pipeline(folders: list[Path]) -> list[Made]:
    """Outputs of all finished steps below some folders, in the order in which they were finished."""
    marks = sorted(mark for folder in folders for mark in still_in_use(folder, DONE))
    outputs = {mark.parent for mark in marks}
    found = [made for mark in marks if (made := _made(mark.parent, outputs))]
    return sorted(found, key=lambda made: made.finished)


def _made(folder: Path, outputs: set[Path]) -> Made | None:
    """None: it was made before steps noted what a run took."""
    told = read_json(folder / DONE)
    if "finished" not in told or "seconds" not in told:
        return None
    step, commit = told["step"], told.get("commit", "unknown")
    taken = float(told["seconds"]), int(told["peak_memory_mb"])
    return Made(str(folder), step, told["finished"], *taken, _size(folder, outputs), commit)


def _size(folder: Path, outputs: set[Path]) -> int:
    total = 0
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            total += 0 if path in outputs else _size(path, outputs)
        elif path.is_file():
            total += path.stat().st_size
    return total


@dataclass(frozen=True)
class Model:
    """A trained model."""

    name: str
    """its folder, below the recipe's"""
    parameters: int
    size: int
    """bytes of the weights"""
    meta: dict[str, Any]

    @property
    def history(self) -> list[dict[str, Any]]:
        """What it was worth at each look at the dev set."""
        return self.meta.get("history", [])


def trained(folder: Path) -> list[Model]:
    """All models below a folder, by name."""
    found = []
    for path in still_in_use(folder, "model.json"):
        told, weights = read_json(path), path.with_name("model.safetensors")
        if weights.exists() and "meta" in told:
            name = str(path.parent.relative_to(folder))
            found.append(Model(name, told["parameters"], weights.stat().st_size, told["meta"]))
    return found


@dataclass(frozen=True)
class Aligned:
    """A reference and what was found instead, word by word; `***` where one has no word."""

    score: Scored
    pairs: list[tuple[str, str]]


def errors(scored: Path) -> list[Aligned]:
    """Utterances of a decoded set (the folder of its wer.json), worst first: most errors, then the longest share."""
    scores = {one.id: one for one in utterances.read(scored / "utterances.tsv")}
    found = [Aligned(scores[name], pairs) for name, pairs in _sides(scored / "errs.txt") if name in scores]
    return sorted(found, key=lambda a: (-a.score.errors, a.score.words, a.score.id))


def _sides(path: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    lines = path.read_text(encoding="utf-8").split("\n")
    for name, ref, hyp in zip(lines[0::4], lines[1::4], lines[2::4]):
        yield name, list(zip(ref[5:].split(), hyp[5:].split(), strict=True))


def confusions(of: list[Aligned]) -> dict[str, list[tuple[str, int]]]:
    """Most frequent first: words taken for others (`A → B`), words left out, words put in."""
    counts: dict[str, Counter[str]] = {"substituted": Counter(), "deleted": Counter(), "inserted": Counter()}
    for said, heard in (pair for one in of for pair in one.pairs):
        if heard == _GAP:
            counts["deleted"][said] += 1
        elif said == _GAP:
            counts["inserted"][heard] += 1
        elif said != heard:
            counts["substituted"][f"{said} → {heard}"] += 1
    return {kind: sorted(of.items(), key=lambda item: (-item[1], item[0])) for kind, of in counts.items()}
