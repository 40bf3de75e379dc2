"""The rows of the table: a system, its baseline, and its oracle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from understudy.experiments.options import Experiments


class Row(NamedTuple):
    """A row of the table."""

    block: str
    """name of the block in the description"""
    title: str
    """title of the part of the table"""
    system: str
    baseline: str = ""
    oracle: str = ""


def rows_of(described: Experiments) -> list[Row]:
    """Return the rows of the wanted blocks, in the order of the table."""
    return [
        *_a(described), *_b(described), *_c(described), *_stepwise(described), *_rivals(described),
        *_sequence(described), *_smaller(described), *_encoder(described),
    ]  # fmt: skip


def _teachers(x: Experiments) -> list[str]:
    """Return the names of the teacher, of its version after sequence training and of the ensemble, where they exist."""
    return list(dict.fromkeys(["teacher", x.taught_by, x.heard]))


def _a(x: Experiments) -> Iterator[Row]:
    small, distilled = x.small, f"{x.small}-{x.part_hours(1)}"
    if x.at_n:
        title = "A: the small student with its teacher"
        yield from (Row("A", title, f"{name}-n", f"{small}-n") for name in _teachers(x))
        yield Row("A", title, f"{small}-n")
        yield Row("A", title, f"{distilled}-n", f"{small}-n", f"{small}-oracle-n")
        yield Row("A", title, f"{small}-oracle-n", f"{small}-n")


def _b(x: Experiments) -> Iterator[Row]:
    small, oracle = x.small, f"{x.small}-oracle-7n" if x.seven_rivals else ""
    if x.wants("B"):
        title = "B: the labelled speech is seven-fold"
        yield from (Row("B", title, f"{name}-7n", f"{small}-7n") for name in (*_teachers(x), small))
        for name in (f"{small}-{x.part_hours(1)}", f"{x.large}-{x.part_hours(1)}", f"{small}-stepwise"):
            yield Row("B", title, f"{name}-7n", f"{small}-7n", oracle)
        if oracle:
            yield Row("B", title, oracle, f"{small}-7n")


def _c(x: Experiments) -> Iterator[Row]:
    if x.wants("C"):
        title = "C: students of several sizes with little labelled speech"
        for size in x.sizes:
            for name in (size, *(f"{size}-{x.part_hours(part)}" for part in x.parts)):
                yield Row("C", title, f"{name}-n", f"{x.heard}-n")


def _stepwise(x: Experiments) -> Iterator[Row]:
    if x.wants("stepwise"):
        for name in (f"{x.small}-{x.part_hours(1)}", f"{x.large}-{x.part_hours(1)}", f"{x.small}-stepwise"):
            yield Row("stepwise", "Step-wise with little labelled speech", f"{name}-n", f"{x.small}-n",
                      f"{x.small}-oracle-n")  # fmt: skip


def _rivals(x: Experiments) -> Iterator[Row]:
    if x.wants("rivals"):
        small, c = x.small, x.rivals_at
        for kind in (x.part_hours(1), "denominator", "lattice", "best-path", "hard"):
            yield Row("rivals", "Supervision: soft targets and their rivals", f"{small}-{kind}-{c}", f"{small}-{c}",
                      f"{small}-oracle-{c}")  # fmt: skip
        for kind in (x.part_hours(1), "augmented"):
            yield Row("rivals", "The student hears the unlabelled speech in rooms and noise", f"{small}-{kind}-{c}",
                      f"{small}-{c}")  # fmt: skip


def _sequence(x: Experiments) -> Iterator[Row]:
    if x.wants("sequence"):
        distilled = f"{x.small}-{x.part_hours(1)}"
        for name in ("teacher", x.small, distilled):
            for kind in ("", "-mmi", *(["-smbr"] if name == distilled else [])):
                yield Row("sequence", f"Sequence training: {name}", f"{name}{kind}-n", f"{name}-n")


def _smaller(x: Experiments) -> Iterator[Row]:
    if x.wants("smaller"):
        for name in x.narrowed:
            yield Row("smaller", "Smaller still: as many parameters, or 8 bits in training", f"{name}-n",
                      f"{x.small}-{x.part_hours(1)}-n")  # fmt: skip


def _encoder(x: Experiments) -> Iterator[Row]:
    if x.wants("encoder"):
        small = x.small
        for c in x.conditions:
            title = f"A teacher that hears through a foreign encoder: {x.condition(c).hours:g} h labelled"
            oracle = f"{small}-oracle-{c}" if c == "n" or x.seven_rivals else ""
            for name in (*_teachers(x), "teacher-encoder", small):
                yield Row("encoder", title, f"{name}-{c}", f"{small}-{c}")
            for name in (f"{small}-{x.part_hours(1)}", *(f"{size}-encoder" for size in x.taught_by_encoder)):
                yield Row("encoder", title, f"{name}-{c}", f"{small}-{c}", oracle)
