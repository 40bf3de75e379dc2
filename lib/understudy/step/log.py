"""Time-stamped lines on the terminal and in a step's log file."""

from __future__ import annotations

import logging
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

log = logging.getLogger("understudy")

_FORMAT = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S")
_PACKAGES = ("torch", "torchaudio", "k2", "lhotse", "numpy", "kaldifst", "kaldi-hmm-gmm", "kaldi-native-fbank")


def open_log(path: Path) -> None:
    """Send log lines to the terminal and append them to `path`."""
    log.setLevel(logging.INFO)
    _send_to([logging.StreamHandler(sys.stderr), logging.FileHandler(path)], _FORMAT)


class _Later(logging.Handler):
    """Keeps records for a log that is not open yet."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """See `Handler`."""
        self.records.append(record)

    def tell(self) -> None:
        """Write the kept records to the log."""
        for record in self.records:
            log.handle(record)


@contextmanager
def told_later() -> Iterator[_Later]:
    """Keep log lines within the block; `tell` writes them once a log is open. They are lost if the block fails."""
    later, before, level = _Later(), log.handlers[:], log.level
    log.handlers[:], log.level = [later], logging.INFO
    try:
        yield later
    finally:
        log.handlers[:], log.level = before, level


def warnings_alone(rank: int) -> None:
    """Log warnings alone, on the terminal: for a rank other than the first."""
    log.setLevel(logging.WARNING)
    named = f"%(asctime)s %(levelname)s rank {rank}: %(message)s"
    _send_to([logging.StreamHandler(sys.stderr)], logging.Formatter(named, _FORMAT.datefmt))


def _send_to(handlers: list[logging.Handler], form: logging.Formatter) -> None:
    log.propagate = False
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    for handler in handlers:
        handler.setFormatter(form)
        log.addHandler(handler)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, e.g. `1 speaker`, `2 speakers`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def few(names: Sequence[str], most: int = 5) -> str:
    """Return the first of some names, e.g. `anna, boris, …`, with the sign if there are more."""
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def commit() -> str:
    """Return the commit of the checkout, with `-dirty` behind it if tracked code differs, or `unknown`.

    Results are not code: a run that updates a recipe's tables does not make the next one dirty.
    """
    root = Path(__file__).parents[3]
    try:
        name = _git(root, "rev-parse", "--short=10", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".", *_NOT_CODE)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{name}-dirty" if changed else name


_NOT_CODE = (":(exclude)*RESULTS.md", ":(exclude)*TABLE.md", ":(exclude)*results.jsonl", ":(exclude)egs/*/table/*",
             ":(exclude)egs/*/pictures/*")  # fmt: skip


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def machine() -> str:
    """Return processor and core count, for the results: timings mean nothing without them."""
    import os

    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} cores"


def versions() -> str:
    """Return the versions of what the numbers depend on, in one line."""
    found = [f"python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            found.append(f"{package} missing")
    return ", ".join(found)
