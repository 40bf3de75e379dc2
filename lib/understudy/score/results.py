"""The results file: one JSON line per decoded system and test set."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.step import UserError, atomic_path, of_json, to_json
from understudy.step.log import commit, machine

if TYPE_CHECKING:  # reports need no torch
    from understudy.models import AcousticModel, Ensemble

IDENTITY = ("recipe", "system", "test_set", "config")
"""Entries that identify a result, together with its condition if it has one."""

OF_MODEL = (
    "labelled_hours", "unlabelled_hours", "updates", "teacher", "supervision", "target_cpu_s_per_hour", "init",
    "transferred_hours", "seed", "warnings",
)  # fmt: skip
"""Entries of a model's `meta` that its results repeat."""


def of_model(model: AcousticModel | Ensemble) -> dict[str, Any]:
    """Return the entries of a result that describe its model."""
    return {"parameters": model.num_parameters, **{key: model.meta.get(key) for key in OF_MODEL}}


def of_now() -> dict[str, Any]:
    """Return the entries of a result that state its commit, machine and time."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"commit": commit(), "machine": machine(), "time": now}


def read_results(path: Path | str) -> list[dict[str, Any]]:
    """Read all lines of plain test sets, in the order of the file.

    Raises:
        UserError: there is no such file, or a line is no result; the message names the line.
    """
    return [line for line in _read(path) if "condition" not in line]


def read_conditions(path: Path | str) -> list[dict[str, Any]]:
    """Read all lines of steps/robustness.py, in the order of the file.

    Each is of a part of a test set, or of sounds, in the acoustic condition that the line names. Tables of plain
    results leave them out.

    Raises:
        UserError: see `read_results`.
    """
    return [line for line in _read(path) if "condition" in line]


def _read(path: Path | str) -> list[dict[str, Any]]:
    path, lines = Path(path), []
    if not path.exists():
        raise UserError(f"{path}: no such results. Decode a system first (stage 11).")
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = of_json(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}:{number}: not JSON ({error.msg}). Remove the line and decode again.") from None
        missing = [k for k in IDENTITY if k not in value] if isinstance(value, dict) else list(IDENTITY)
        if missing:
            raise UserError(f"{path}:{number}: lacks {', '.join(missing)}. Remove the line and decode again.")
        lines.append(value)
    return lines


def append_result(path: Path | str, result: dict[str, Any]) -> None:
    """Append a line, in place of a line with the same recipe, system, configuration, test set and condition.

    The file is locked meanwhile, so that several processes may append to it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines = _read(path) if path.exists() else []
        lines = [line for line in lines if any(line.get(k) != result.get(k) for k in (*IDENTITY, "condition"))]
        with atomic_path(path) as partial:
            partial.write_text(as_lines([*lines, result]))


def as_lines(lines: Iterable[dict[str, Any]]) -> str:
    """Return the text of a results file."""
    return "".join(to_json(line, f"the result of {line.get('system', 'a system')}") + "\n" for line in lines)


def latest(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last line of each recipe, system, test set and condition, in the order of their first lines."""
    found: dict[tuple, dict[str, Any]] = {}
    for line in lines:
        found[line["recipe"], line["system"], line["test_set"], line.get("condition")] = line
    return list(found.values())
