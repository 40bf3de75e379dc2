"""What every step shares: options, logging, atomic output, fingerprints."""

from understudy.stage.errors import UserError
from understudy.stage.log import log
from understudy.stage.output import atomic_path, atomic_paths, read_json, write_json
from understudy.stage.step import Step, command, main, reopen

__all__ = [
    "Step",
    "UserError",
    "atomic_path",
    "atomic_paths",
    "command",
    "log",
    "main",
    "read_json",
    "reopen",
    "write_json",
]
