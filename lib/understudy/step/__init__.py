"""The basis of all steps: options, logging, atomic output, fingerprints."""

from understudy.step.errors import UserError
from understudy.step.log import counted, few, log
from understudy.step.output import atomic_path, atomic_paths, decoded, of_json, read_json, to_json, write_json
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
    "of_json",
    "read_json",
    "reopen",
    "to_json",
    "write_json",
]
