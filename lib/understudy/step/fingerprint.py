"""Digests of what a finished output was made from, so that nothing stale is ever trusted."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import sys
import tokenize
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from understudy.step.errors import UserError
from understudy.step.status import Status, status_of


def of_file(path: Path) -> str:
    """Return the digest of a file's content, or that of a finished step's record if `path` is its folder or one in it.

    For a file in the folder of a finished step its content counts, too, so that rerunning a step with the same result
    does not invalidate what follows. For a folder of no step, names and sizes of its files count.

    Raises:
        UserError: `path` is the folder of a step that is not finished, or a folder in it.
    """
    if path.is_dir():
        if status := finished(path):
            return status.values["digest"]
        if status := finished(path.parent):
            return _digest([status.values["digest"], path.name])
        return _digest(sorted((str(p.relative_to(path)), p.stat().st_size) for p in path.rglob("*") if p.is_file()))
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()[:16]


def finished(folder: Path) -> Status | None:
    """Return the status of a finished step's output folder; None: it is no step's.

    Raises:
        UserError: the folder's step is not finished.
    """
    status = status_of(folder)
    if status and not status.done:
        raise UserError(f"{folder}: its step is not finished: run it again first")
    return status


def of_files(paths: Iterable[Path]) -> tuple[str, ...]:
    """Return `of_file` of each path, empty for one that does not exist, by which a process may keep files loaded."""
    return tuple(of_file(path) if path.exists() else "" for path in paths)


def made_anew(folder: Path, known: dict[Path, str | None] | None = None) -> list[str]:
    """Return the inputs of a finished output, its own or those of earlier steps, that have changed since.

    They are paths as they were given to the steps; those that do not exist from here are left out.

    Args:
        folder: folder of the output.
        known: digests of paths that were looked at before, which new ones are added to; the digest None: not finished.
    """
    known = {} if known is None else known
    mark, found = status_of(folder), []
    for name, was in (mark.values["record"] if mark else {}).items():
        path = Path(name.removeprefix("input "))
        if not name.startswith("input ") or not path.exists():
            continue
        if path not in known:
            try:
                known[path] = of_file(path)
            except UserError:
                known[path] = None
        if known[path] != was:
            found.append(str(path))
        else:
            found += made_anew(path if status_of(path) else path.parent, known)
    return list(dict.fromkeys(found))


def of_code(script: Path) -> dict[str, str]:
    """Return the digests of a script and of the modules that it has imported from its folder and below, by file name.

    Comments, docstrings and line breaks do not count. Some modules of torch give a bare name for their file, which
    would be one of the folder that the step is run in.
    """
    folder = script.resolve().parent
    loaded = (Path(one) for module in list(sys.modules.values()) if (one := getattr(module, "__file__", None)))
    own = (path.resolve() for path in loaded if path.is_absolute() and path.suffix == ".py")
    files = {str(path.relative_to(folder)): path for path in own if folder in path.parents}
    return {name: _digest(_bare(path.read_text(encoding="utf-8"))) for name, path in
            sorted({**files, script.name: script}.items())}  # fmt: skip


def _bare(source: str) -> str:
    """Return a source without comments and docstrings; they are cut out, which all versions of Python do alike."""
    lines = source.splitlines(keepends=True)
    spans = [(one.start, one.end) for one in tokenize.generate_tokens(io.StringIO(source).readline)
             if one.type == tokenize.COMMENT]  # fmt: skip
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            final = node.end_lineno or node.lineno  # parsed nodes have both
            begin = len(lines[node.lineno - 1].encode()[: node.col_offset].decode())
            end = len(lines[final - 1].encode()[: node.end_col_offset].decode())
            spans.append(((node.lineno, begin), (final, end)))
    for (first, begin), (last, end) in sorted(spans, reverse=True):
        lines[first - 1 : last] = [lines[first - 1][:begin] + lines[last - 1][end:]] + [""] * (last - first)
    return " ".join("".join(lines).split())


def digest(values: dict[str, Any]) -> str:
    """Return one digest of options and inputs."""
    return _digest(values)


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return `name: old -> new` for each entry that differs."""
    return [f"{k}: {old.get(k)} -> {new.get(k)}" for k in sorted(old.keys() | new.keys()) if old.get(k) != new.get(k)]


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]
