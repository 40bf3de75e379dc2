"""Which unlabelled speech is learnt from, by what its soft targets tell of it; nothing is decoded."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from understudy.corpus import read_cuts
from understudy.corpus.subset import write_part
from understudy.features import stacked_frames
from understudy.lang.lexicon import SILENCE_ID
from understudy.lang.tree import Tree
from understudy.step import UserError, atomic_path, counted, log, write_json
from understudy.targets.duplicates import Heard
from understudy.targets.measures import Measures, likeliest, measure
from understudy.targets.options import SelectOptions
from understudy.targets.store import TargetReader, check_tree

TABLE = "measures.tsv.gz"
LIMITED = ("entropy", "silence", "disagreement")
"""measures that have an upper limit, in the order in which they are looked at"""
_COLUMNS = ("id", "seconds", *Measures._fields, "left_out", "copy_of")


class Judged(NamedTuple):
    """One utterance."""

    id: str
    seconds: float
    measures: Measures | None
    """None: it has no targets"""
    copy_of: str | None


@dataclass(frozen=True)
class Teachers:
    """One or two, and the senones that they tell."""

    first: TargetReader
    second: TargetReader | None
    senones: int
    silence: np.ndarray

    @classmethod
    def of(cls, options: SelectOptions) -> Teachers:
        """Those of a selection.

        Raises:
            UserError: targets of one senone a frame, of another tree, or of the same teacher twice.
        """
        tree, first = Tree.load(options.labels / "tree.json"), TargetReader(options.targets)
        second: TargetReader | None = None
        if options.second_teacher_targets:
            second = TargetReader(options.second_teacher_targets)
            if second.describe == first.describe:
                raise UserError(
                    f"{_names(options.second_teacher_targets)}: targets of the teacher of {_names(options.targets)}. "
                    "One that learnt otherwise can disagree with it: --seed 2, say."
                )
        for reader, where in ((first, options.targets), (second, options.second_teacher_targets)):
            if reader is None:
                continue
            check_tree(_names(where), reader.describe, tree, options.labels)
            if reader.describe["k"] == 1:
                raise UserError(
                    f"{_names(where)}: targets of one senone a frame, of which no entropy can be told. Let the teacher "
                    "write more of them (steps/make_targets.py --k 20), and no best path."
                )
        return cls(first, second, tree.num_senones, np.array(tree.senones_of(SILENCE_ID)))

    def measure(self, reader: TargetReader, cut: str, frames: int) -> tuple[Measures, np.ndarray]:
        """Of a cut, and its likeliest senones (frames,). Raises UserError where the second teacher did not hear it."""
        kept = reader.read(cut, frames)
        other = self.second.read(cut, frames) if self.second else None
        return measure(kept, self.silence, self.senones, other), likeliest(kept)


def select(options: SelectOptions, out: Path) -> None:
    """Write the manifest of what is kept, a table of all measures, and report.json.

    Raises:
        UserError: see `Teachers.of`, or nothing is kept.
    """
    teachers = Teachers.of(options)
    judged = list(_judge(options, teachers))
    of_speech = [one.measures for one in judged if one.measures]
    reference = _reference(options, teachers) if options.reference else of_speech
    limits = _limits(options, judged, reference)
    reasons = {one.id: _reason(one, limits, options.duplicates == "drop") for one in judged}
    kept = {name for name, reason in reasons.items() if reason is None}
    _write_table(out / TABLE, judged, reasons)
    if not kept:
        raise UserError(f"{options.cuts}: nothing is kept with these limits: {limits}. {out / TABLE} has all measures.")
    write_part(options.cuts, out, lambda cut: cut.id in kept)
    report = {
        **_size(judged), "kept": _size(one for one in judged if one.id in kept),
        "left_out": {
            why: _size(one for one in judged if reasons[one.id] == why) for why in ("targets", *LIMITED, "copy")
        },
        "limits": limits, "quartiles": _quartiles(of_speech),
        "reference": {"cuts": len(reference), "quartiles": _quartiles(reference)} if options.reference else None,
    }  # fmt: skip
    write_json(out / "report.json", report)
    _tell(options.cuts, report)


def _judge(options: SelectOptions, teachers: Teachers) -> Iterable[Judged]:
    heard = Heard(teachers.silence, options.same)
    for cut in read_cuts(options.cuts):
        if cut.id not in teachers.first or not stacked_frames(cut):
            yield Judged(cut.id, cut.duration, None, None)
            continue
        measures, senones = teachers.measure(teachers.first, cut.id, stacked_frames(cut))
        yield Judged(cut.id, cut.duration, measures, heard.earlier(cut.id, senones))


def _reference(options: SelectOptions, teachers: Teachers) -> list[Measures]:
    reader = TargetReader(options.reference, described=teachers.first.describe)
    return [teachers.measure(reader, cut, frames)[0] for cut, frames in reader.lengths().items() if frames]


def _limits(options: SelectOptions, judged: list[Judged], reference: list[Measures]) -> dict[str, float]:
    """The most that an utterance may have, by measure: as given, or the upper fence of Tukey (1977)."""
    limits = {}
    for name, (_, _, third, spread) in _spreads(reference).items():
        given = getattr(options, f"max_{name}")
        limits[name] = third + options.fence * spread if given is None else given
    if options.keep is not None:
        limits["entropy"] = _least(options.keep, judged)
    return limits


def _spreads(measured: list[Measures]) -> dict[str, tuple[float, float, float, float]]:
    """Quartiles and interquartile range, by measure."""
    found = {}
    for name in LIMITED:
        if measured and getattr(measured[0], name) is not None:
            first, median, third = np.quantile([getattr(one, name) for one in measured], (0.25, 0.5, 0.75)).tolist()
            found[name] = (first, median, third, third - first)
    return found


def _quartiles(measured: list[Measures]) -> dict[str, list[float]]:
    return {name: [round(value, 4) for value in spread[:3]] for name, spread in _spreads(measured).items()}


def _least(share: float, judged: list[Judged]) -> float:
    """Entropy of the last utterance that makes this share of the speech, those of least entropy first."""
    order = sorted((one.measures.entropy, one.seconds) for one in judged if one.measures)
    seconds = np.cumsum([seconds for _, seconds in order])
    return order[int(np.searchsorted(seconds, share * seconds[-1] * (1 - 1e-9)))][0]


def _reason(one: Judged, limits: dict[str, float], drop_copies: bool) -> str | None:
    """Why an utterance is left out; None: it is kept."""
    if one.measures is None:
        return "targets"
    for name, limit in limits.items():
        if getattr(one.measures, name) > limit:
            return name
    return "copy" if drop_copies and one.copy_of else None


def _write_table(path: Path, judged: list[Judged], reasons: dict[str, str | None]) -> None:
    """Tab-separated with a header, packed; what is not known is empty."""
    rows: list[tuple] = [_COLUMNS]
    for one in judged:
        measures = one.measures or (None,) * len(Measures._fields)
        rows.append((one.id, one.seconds, *measures, reasons[one.id], one.copy_of))
    lines = ("\t".join("" if v is None else f"{v:.5g}" if isinstance(v, float) else str(v) for v in r) for r in rows)
    with atomic_path(path) as partial:
        partial.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))


def _size(judged: Iterable[Judged]) -> dict[str, float]:
    seconds = [one.seconds for one in judged]
    return {"cuts": len(seconds), "hours": round(sum(seconds) / 3600, 4)}


def _tell(cuts: Path, report: dict) -> None:
    log.info("limits: %s", ", ".join(f"{name} {limit:.3f}" for name, limit in report["limits"].items()))
    for why, size in report["left_out"].items():
        if size["cuts"]:
            what = {"targets": "no targets", "copy": "copies of others"}.get(why, f"too much {why}")
            log.info("%s left out, %.3f hours: %s", counted(size["cuts"], "cut"), size["hours"], what)
    kept = report["kept"]
    log.info("%s: %d of %d cuts are kept, %.3f hours", cuts, kept["cuts"], report["cuts"], kept["hours"])


def _names(paths: list[Path]) -> str:
    return ", ".join(map(str, paths))
