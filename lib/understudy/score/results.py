"""The results file: one JSON line per decoded system and test set."""

from __future__ import annotations

import fcntl
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.stage import UserError, atomic_path
from understudy.stage.log import commit, machine

if TYPE_CHECKING:  # reports need no torch
    from understudy.models import AcousticModel, Ensemble

IDENTITY = ("recipe", "system", "test_set", "config")
"""What makes a line the same result computed again."""

OF_MODEL = (
    "labelled_hours", "unlabelled_hours", "updates", "teacher", "supervision", "target_cpu_s_per_hour", "init",
    "transferred_hours", "seed",
)  # fmt: skip
"""What a model knows of itself that its results tell."""


def of_model(model: AcousticModel | Ensemble) -> dict[str, Any]:
    """A result's part that tells of its model."""
    return {"parameters": model.num_parameters, **{key: model.meta.get(key) for key in OF_MODEL}}


def of_now() -> dict[str, Any]:
    """A result's part that tells where and when it was computed."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"commit": commit(), "machine": machine(), "time": now}


def read_results(path: Path | str) -> list[dict[str, Any]]:
    """All lines, in the order of the file.

    Raises:
        UserError: no such file, or a line is not a JSON object; the line is named.
    """
    path, lines = Path(path), []
    if not path.exists():
        raise UserError(f"{path}: no such results. Decode a system first (stage 11).")
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise UserError(f"{path}:{number}: not JSON ({error.msg}). Remove the line and decode again.") from None
        missing = [k for k in IDENTITY if k not in value] if isinstance(value, dict) else list(IDENTITY)
        if missing:
            raise UserError(f"{path}:{number}: lacks {', '.join(missing)}. Remove the line and decode again.")
        lines.append(value)
    return lines


def append_result(path: Path | str, result: dict[str, Any]) -> None:
    """Append a line; the line of the same system, configuration and test set is replaced.

    Several processes may append to one file: it is locked meanwhile.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines = read_results(path) if path.exists() else []
        lines = [line for line in lines if any(line[k] != result[k] for k in IDENTITY)]
        with atomic_path(path) as partial:
            partial.write_text("".join(json.dumps(line) + "\n" for line in [*lines, result]))


def latest(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last line of each recipe, system and test set, in the order in which they first appear."""
    found: dict[tuple, dict[str, Any]] = {}
    for line in lines:
        found[line["recipe"], line["system"], line["test_set"]] = line
    return list(found.values())
