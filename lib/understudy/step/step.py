"""The contract of a step: inputs checked first, atomic output, fingerprint, resume."""

from __future__ import annotations

import gzip
import inspect
import os
import random
import resource
import shlex
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.step import fingerprint, ranks, set_aside
from understudy.step.errors import UserError
from understudy.step.log import commit, log, open_log, told_later, versions, warnings_alone
from understudy.step.options import current_name, parse, parse_step
from understudy.step.output import remove_partial, write_json
from understudy.step.owner import OWNER, owned
from understudy.step.status import BEGUN, DONE, Status, status_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_LOG = "log.txt"
_NORMALISER = "normaliser.json"
"""file that is read with the features of a manifest beside it, though no option names it"""
_LOCAL = "local"
"""folder of a recipe's own code"""


@dataclass
class Step:
    """A step that is running: where it writes and what it is made from."""

    out: Path
    """folder of the output; what a killed run left there comes from the same options and inputs"""
    name: str
    """name of the script"""
    record: dict[str, Any]
    """options and digests of the inputs, flat"""

    @property
    def digest(self) -> str:
        """Digest of options and inputs."""
        return fingerprint.digest(self.record)

    code: dict[str, str] = field(default_factory=dict)
    """digests of the script and of the modules beside it"""

    @classmethod
    def begin(
        cls, out: Path, name: str, options: dict[str, Any], inputs: Iterable[Path], defaults: dict[str, Any],
        script: Path | None = None, replace: bool = False, again: bool = False,
    ) -> tuple[Step, bool]:  # fmt: skip
        """Open `out`; return the step and whether it is finished already.

        Work from other options or inputs is set aside if it took long, else removed, and the log says so. An option
        that is newer than the work counts as its default: a new option must do by default what was done without it.
        A step of the repository whose code has changed only warns of that; a recipe's local code, however, counts as
        an input of its output.

        Args:
            out: holds nothing that this step did not write (`check_own`).
            name: name of the script.
            script: file of the script.
            replace: remove work that took long, too.
            again: do the work again, though nothing has changed.

        Raises:
            UserError: an input is missing or an empty manifest, or its step is not finished.
        """
        record, beside = _record(options), {}
        for path in inputs:
            _check_input(path)
            record[f"input {path}"] = fingerprint.of_file(path)
            if _is_manifest(path) and (normaliser := path.parent / _NORMALISER).exists():
                beside[f"input {normaliser}"] = fingerprint.of_file(normaliser)
        record |= beside
        code = fingerprint.of_code(script) if script else {}
        if script and _LOCAL in (one.name for one in script.resolve().parents[:2]):
            beside |= {f"code {file}": digest for file, digest in code.items()}  # older records do not name it either
            record |= beside
        step = cls(out, name, record, code)
        if status := status_of(out):
            old = {_today(key): value for key, value in status.values["record"].items()}
            changed = fingerprint.differences(_record(defaults) | beside | old, record)  # older records do not name it
            changed += ["again: asked for"] * again
            if not changed:
                step._tell_of_code(status)
            if status.done and not changed:
                return step, True
            if changed:
                step._make_room(status, changed, replace)
            elif status.values.get("clearing"):
                step._clear(status.values["record"])
            else:
                remove_partial(out)
        if not (status := status_of(out)) or status.done or "clearing" in status.values:
            write_json(out / BEGUN, {"step": name, "record": record, "code": code, "begun": time.time()})
        return step, False

    def finish(self, **facts: Any) -> None:
        """Mark the output as whole.

        Args:
            facts: facts of the run: `command`, `seconds`, `peak_memory_mb`.
        """
        made = {"step": self.name, "digest": self.digest, "record": self.record, "code": self.code,
                "commit": commit(), "finished": time.strftime("%Y-%m-%d %H:%M:%S"), **facts}  # fmt: skip
        write_json(self.out / DONE, made)
        (self.out / BEGUN).unlink(missing_ok=True)

    def _tell_of_code(self, status: Status) -> None:
        """Warn if the code has changed since the output was begun, and do no more."""
        old = status.values.get("code", self.code)
        if changed := sorted(name for name in self.code.keys() | old.keys() if self.code.get(name) != old.get(name)):
            log.warning("%s: %s changed since this was made; --again true makes it anew", self.out, ", ".join(changed))

    def _make_room(self, status: Status, changed: list[str], replace: bool) -> None:
        """Set aside or remove the output of other options or inputs, and log that."""
        seconds, differs = set_aside.seconds_of(self.out, status), "; ".join(changed)
        if set_aside.may_remove(self.out, seconds, replace):
            log.info("%s was made from other options or inputs and is removed: %s", self.out, differs)
            self._clear(status.values["record"])
            return
        aside = set_aside.set_aside(self.out, OWNER, changed)
        log.warning(
            "%s was made from other options or inputs (%s) and took %.0f s; it is kept in %s. Remove it with: "
            "rm -r %s. With --replace true such work is removed at once.", self.out, differs, seconds, aside, aside,
        )  # fmt: skip

    def _clear(self, old: dict[str, Any]) -> None:
        # Recorded first: what a run killed while clearing leaves is neither whole nor fit to resume from, and the
        # next run, whatever its options, goes on clearing.
        write_json(self.out / BEGUN, {"step": self.name, "record": old, "clearing": True})
        (self.out / DONE).unlink(missing_ok=True)
        set_aside.remove(self.out, (_LOG, BEGUN, OWNER))


def _today(key: str) -> str:
    """Return the key of a record's entry by its option's present name."""
    return f"option {current_name(key.removeprefix('option '))}" if key.startswith("option ") else key


def check_own(out: Path, name: str) -> None:
    """Raise UserError if `out` holds what the step of this name did not write."""
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: is a file. The output is a folder: choose another --out.")
    status = status_of(out)
    if status is None and out.exists() and any(p.name not in (_LOG, OWNER) for p in out.iterdir()):
        raise UserError(f"{out}: holds files that no step wrote. Move them away or choose another --out.")
    other = status.values.get("step", name) if status else name  # older ones have no name
    if other != name:
        raise UserError(f"{out}: holds what {other} wrote, and this is {name}. Choose another --out.")


def reopen(out: Path) -> None:
    """Mark a finished output as one of a killed run: running its step again makes the files that are missing."""
    status = status_of(out)
    if status is not None and status.done:
        kept = ("step", "record", "code", "seconds")
        write_json(out / BEGUN, {name: status.values[name] for name in kept if name in status.values})
        (out / DONE).unlink()


def main(
    options_type: type[DataclassInstance],
    run: Callable[[Any, Step], None],
    inputs: tuple[str, ...] = (),
    output: str = "out",
    unfingerprinted: tuple[str, ...] = (),
    argv: list[str] | None = None,
    files_read: dict[str, tuple[str, ...]] | None = None,
    extra_fingerprint: Callable[[Any], dict[str, Any]] | None = None,
    torchrun: bool = False,
    typed: list[str] | None = None,
) -> None:
    """Run one step as a command: parse, check the inputs, do the work once, mark it done.

    In a job of several ranks (torchrun), rank 0 alone checks the output and marks it; the others follow what it found.

    Args:
        options_type: dataclass of the options.
        run: does the work; writes under `step.out`.
        inputs: names of the options that are paths to read (None and lists of paths are understood).
        output: name of the option that is the output folder.
        unfingerprinted: options that do not change the result (number of jobs, say).
        files_read: for inputs that are folders, by the option's name: the files that are read. Other files in them do
            not count.
        extra_fingerprint: returns what the result depends on besides options and inputs, given the options.
        torchrun: whether several ranks share the work.
        typed: the arguments that the user typed, for the log, if some of them are no options.
    """
    let_waiting_threads_sleep()
    with _errors_told():
        options, asked = parse_step(options_type, sys.modules[run.__module__].__doc__, argv)
    out, script = Path(getattr(options, output)), Path(inspect.getfile(sys.modules[run.__module__]))
    name = script.name
    with _errors_told(), ranks.joined(torchrun), ExitStack() as held:
        if ranks.rank() == 0:
            check_own(out, name)  # before anything is written into it
            held.enter_context(owned(out))
            values = {k: v for k, v in asdict(options).items() if k not in (output, *inputs, *unfingerprinted)}
            values |= extra_fingerprint(options) if extra_fingerprint else {}
            read = _paths(options, inputs, files_read or {})
            called = shlex.join([Path(sys.argv[0]).name, *(typed or (sys.argv[1:] if argv is None else argv))])
            with told_later() as notes:  # the folder may still be set aside until the step has begun
                step, finished = Step.begin(out, name, values, read, _defaults(options_type, values), script, **asked)
            open_log(out / _LOG)
            log.info("command: %s", called)
            notes.tell()
            ranks.broadcast((step.record, finished))
        else:
            warnings_alone(ranks.rank())
            begun: tuple[dict[str, Any], bool] = ranks.broadcast()
            record, finished = begun
            step, called = Step(out, name, record), ""
        if finished:
            log.info("%s is up to date (same options and inputs)", out)
            return
        log.info("%s; commit %s", versions(), commit())
        log.info("options: %s", asdict(options))
        seed_all(getattr(options, "seed", 0))
        start = time.monotonic()
        run(options, step)
        facts = {"seconds": round(time.monotonic() - start, 1), "peak_memory_mb": round(peak_memory_mb())}
        if ranks.rank() == 0:
            step.finish(command=called, **facts)
        log.info("done in %.1f s, peak memory %.0f MB: %s", facts["seconds"], facts["peak_memory_mb"], out)


def command(options_type: type[DataclassInstance], run: Callable[[Any], None], first: str | None = None) -> None:
    """Run a command that is not a step: it is quick, and has no folder to keep.

    Args:
        first: the option that takes the arguments before all options.
    """
    let_waiting_threads_sleep()
    options = parse(options_type, sys.modules[run.__module__].__doc__, first=first)
    with _errors_told():
        run(options)


@contextmanager
def _errors_told() -> Iterator[None]:
    """Report a UserError as one line, with exit status 1; every other error keeps its traceback."""
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def let_waiting_threads_sleep() -> None:
    """Ask OpenMP, before torch loads it, to let threads that wait for one another give up their cores.

    By default they spin meanwhile. If other work shares the machine, the threads that they wait for then have no core:
    beside two other processes, five iterations of a flat start on two threads took 53 s spinning and 14 s sleeping;
    alone 5 s and 6 s.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def seed_all(seed: int) -> None:
    """Seed Python, numpy and torch, and ask torch for deterministic algorithms."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 (for libraries that use it)
    torch.manual_seed(seed)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def peak_memory_mb() -> float:
    """Return the peak resident memory of this process or its largest child, whichever is greater, in MB."""
    return max(own_peak_kb(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def own_peak_kb() -> int:
    """Return the peak resident memory of this process, in kB.

    That of `getrusage` would include the memory of the process that started this one.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _paths(options: Any, names: Iterable[str], parts: dict[str, tuple[str, ...]]) -> list[Path]:
    """Return the paths of inputs, or of the files read in them. Raises UserError if their step is unfinished."""
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
    """Raise UserError if a path does not exist, or is a manifest that cannot be read or is empty."""
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


def _defaults(options_type: type[DataclassInstance], names: Iterable[str]) -> dict[str, Any]:
    """Return the defaults of the named options that have one."""
    values = {}
    for one in fields(options_type):
        if one.name not in names:
            continue
        if one.default is not MISSING:
            values[one.name] = _plain(one.default)
        elif one.default_factory is not MISSING:
            values[one.name] = _plain(one.default_factory())
    return values


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _record(options: dict[str, Any]) -> dict[str, str]:
    return {f"option {name}": str(value) for name, value in _flat(options).items()}


def _flat(options: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in options.items():
        flat.update(_flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value})
    return flat
