"""The contract of a step: inputs checked first, atomic output, fingerprint, resume."""

from __future__ import annotations

import gzip
import os
import random
import resource
import shlex
import shutil
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from understudy.stage import fingerprint, ranks
from understudy.stage.errors import UserError
from understudy.stage.log import commit, log, open_log, versions, warnings_alone
from understudy.stage.marks import BEGUN, DONE, mark_of
from understudy.stage.options import parse
from understudy.stage.output import remove_partial, write_json

_LOG = "log.txt"
_NORMALISER = "normaliser.json"
"""Is read with the features of a manifest beside it, though no option names it"""


@dataclass
class Step:
    """A step that is running: where it writes and what it is made from."""

    out: Path
    """Folder of the output. What a killed run left here comes from the same options and inputs."""
    name: str
    """Of the script."""
    record: dict[str, Any]
    """Options and digests of the inputs, flat."""

    @property
    def digest(self) -> str:
        """Digest of options and inputs."""
        return fingerprint.digest(self.record)

    @classmethod
    def begin(
        cls, out: Path, name: str, options: dict[str, Any], inputs: Iterable[Path], defaults: dict[str, Any]
    ) -> tuple[Step, bool]:
        """Open `out`. Returns the step and whether it is finished already.

        Work of other options or inputs is removed, and said. An option that came after the work was done counts as its
        default: a new option must do by default what was done without it.

        Args:
            out: holds nothing that this step did not write (`check_own`).
            name: of the script.

        Raises:
            UserError: an input is missing, or a manifest with nothing in it, or its step not finished.
        """
        record, beside = _record(options), {}
        for path in inputs:
            _check_input(path)
            record[f"input {path}"] = fingerprint.of_file(path)
            if _is_manifest(path) and (normaliser := path.parent / _NORMALISER).exists():
                beside[f"input {normaliser}"] = fingerprint.of_file(normaliser)
        record |= beside
        step = cls(out, name, record)
        if mark := mark_of(out):
            old = mark.values["record"]
            changed = fingerprint.differences(_record(defaults) | beside | old, record)  # older marks do not name it
            if mark.done and not changed:
                return step, True
            if changed:
                log.info("%s was made otherwise, and is made again: %s", out, "; ".join(changed))
            if changed or mark.values.get("clearing"):
                step._clear(old)
            else:
                remove_partial(out)
        write_json(out / BEGUN, {"step": name, "record": record})
        return step, False

    def finish(self) -> None:
        """Mark the output as whole."""
        made = {"step": self.name, "digest": self.digest, "record": self.record, "commit": commit()}
        write_json(self.out / DONE, made)
        (self.out / BEGUN).unlink(missing_ok=True)

    def _clear(self, old: dict[str, Any]) -> None:
        # Said first: what a run killed while clearing leaves is neither whole nor to be gone on with, and the next
        # run, whatever its options, goes on clearing.
        write_json(self.out / BEGUN, {"step": self.name, "record": old, "clearing": True})
        (self.out / DONE).unlink(missing_ok=True)
        for path in self.out.iterdir():
            if path.name in (_LOG, BEGUN):
                continue
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def check_own(out: Path, name: str) -> None:
    """Raise UserError where `out` holds what the step of this name did not write."""
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file. The output is a folder: choose another --out.")
    mark = mark_of(out)
    if mark is None and out.exists() and any(p.name != _LOG for p in out.iterdir()):
        raise UserError(f"{out}: holds files that no step wrote. Move them away or choose another --out.")
    other = mark.values.get("step", name) if mark else name  # older marks do not say
    if other != name:
        raise UserError(f"{out}: holds what {other} wrote, and this is {name}. Choose another --out.")


def reopen(out: Path) -> None:
    """Take a finished output for one that was killed: what is missing of it is made by running its step again."""
    mark = mark_of(out)
    if mark is not None and mark.done:
        write_json(out / BEGUN, {name: mark.values[name] for name in ("step", "record") if name in mark.values})
        (out / DONE).unlink()


def main(
    options_type: type,
    run: Callable[[Any, Step], None],
    inputs: tuple[str, ...] = (),
    output: str = "out",
    unfingerprinted: tuple[str, ...] = (),
    argv: list[str] | None = None,
    parts: dict[str, tuple[str, ...]] | None = None,
    besides: Callable[[Any], dict[str, Any]] | None = None,
    torchrun: bool = False,
) -> None:
    """Run one step as a command: parse, check the inputs, do the work once, mark it done.

    In a job of several ranks (torchrun) rank 0 alone looks at the output and marks it; the others do as it found.

    Args:
        options_type: dataclass of the options.
        run: does the work; writes under `step.out`.
        inputs: names of the options that are paths to read (None and lists of paths are understood).
        output: name of the option that is the output folder.
        unfingerprinted: options that do not change the result (number of jobs, say).
        parts: of inputs that are folders, by the option's name: the files that are read. A change of others changes
            nothing.
        besides: what the result depends on besides options and inputs, of the options.
        torchrun: whether several ranks share the work.
    """
    with _errors_told():
        options = parse(options_type, sys.modules[run.__module__].__doc__, argv)
    out, name = Path(getattr(options, output)), Path(sys.modules[run.__module__].__file__).name
    with _errors_told(), ranks.together(torchrun):
        if ranks.rank() == 0:
            check_own(out, name)  # before a line goes into its log
            out.mkdir(parents=True, exist_ok=True)
            open_log(out / _LOG)
            log.info("command: %s", shlex.join([Path(sys.argv[0]).name, *(sys.argv[1:] if argv is None else argv)]))
            values = {k: v for k, v in asdict(options).items() if k not in (output, *inputs, *unfingerprinted)}
            values |= besides(options) if besides else {}
            read = _paths(options, inputs, parts or {})
            step, finished = Step.begin(out, name, values, read, _defaults(options_type, values))
            ranks.tell((step.record, finished))
        else:
            warnings_alone(ranks.rank())
            record, finished = ranks.tell()
            step = Step(out, name, record)
        if finished:
            log.info("%s is up to date (same options and inputs)", out)
            return
        log.info("%s; commit %s", versions(), commit())
        log.info("options: %s", asdict(options))
        seed_all(getattr(options, "seed", 0))
        start = time.monotonic()
        run(options, step)
        if ranks.rank() == 0:
            step.finish()
        log.info("done in %.1f s, peak memory %.0f MB: %s", time.monotonic() - start, peak_memory_mb(), out)


def command(options_type: type, run: Callable[[Any], None], first: str | None = None) -> None:
    """Run a command that is not a step: it is quick, and has no folder to keep.

    Args:
        first: the option that takes the arguments before all options.
    """
    options = parse(options_type, sys.modules[run.__module__].__doc__, first=first)
    with _errors_told():
        run(options)


@contextmanager
def _errors_told() -> Iterator[None]:
    """A user's error is one sentence and exit status 1; every other one keeps its traceback."""
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def seed_all(seed: int) -> None:
    """Seed Python, numpy and torch, and ask torch for deterministic algorithms."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 (for libraries that use it)
    torch.manual_seed(seed)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def peak_memory_mb() -> float:
    """Peak resident memory of this process or its largest child, in MB."""
    return max(own_peak_kb(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def own_peak_kb() -> int:
    """Peak resident memory of this process, in kB.

    Not that of `getrusage`, which begins at what the process had that started this one.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _paths(options: Any, names: Iterable[str], parts: dict[str, tuple[str, ...]]) -> list[Path]:
    """Of inputs, or of what is read of them. Raises UserError where that is of an unfinished step."""
    paths: list[Path] = []
    for name in names:
        value = getattr(options, name)
        if value is None:
            continue
        given = [Path(v) for v in (value if isinstance(value, (list, tuple)) else [value])]
        if name in parts:
            for folder in given:
                fingerprint.finished(folder)
            given = [folder / part for folder in given for part in parts[name]]
        paths += given
    return paths


def _is_manifest(path: Path) -> bool:
    return path.name.endswith(".jsonl.gz")


def _check_input(path: Path) -> None:
    """Raise UserError where a path is not there, or is a manifest that nothing can be read of."""
    if not path.exists():
        raise UserError(f"{path}: no such file or folder. Run the stage that makes it first.")
    if not _is_manifest(path):
        return
    try:
        with gzip.open(path) as file:
            first = file.readline()
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: not a manifest of cuts ({error})") from None
    if not first.strip():
        raise UserError(f"{path}: no cuts. Make it again (stages 0 and 1).")


def _defaults(options_type: type, names: Iterable[str]) -> dict[str, Any]:
    """Of those options that have one."""
    values = {}
    for one in fields(options_type):
        if one.name in names and (one.default, one.default_factory) != (MISSING, MISSING):
            value = one.default if one.default is not MISSING else one.default_factory()
            values[one.name] = asdict(value) if is_dataclass(value) else value
    return values


def _record(options: dict[str, Any]) -> dict[str, str]:
    return {f"option {name}": str(value) for name, value in _flat(options).items()}


def _flat(options: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in options.items():
        flat.update(_flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value})
    return flat
