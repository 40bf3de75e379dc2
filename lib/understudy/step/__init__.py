"""What every step shares: options, logging, atomic output, fingerprints."""

from understudy.step.errors import UserError
from understudy.step.log import counted, few, log
from understudy.step.output import atomic_path, atomic_paths, decoded, read_json, write_json
from understudy.step.step import Step, command, main, reopen

__all__ = [
    "Step",
    "UserError",
    "atomic_path",
    "atomic_paths",
    "command",
    "counted",
    "decoded",
    "few",
    "log",
    "main",
    "read_json",
    "reopen",
    "write_json",
]
