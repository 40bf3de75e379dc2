"""Dataclasses filled from YAML and the command line (jsonargparse), with errors that help."""

from __future__ import annotations

import difflib
import itertools
import json
import re
import sys
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_type_hints

from jsonargparse import ArgumentParser, set_parsing_settings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

_RENAMED = {
    "train.whole": "train.full_utterance_share",
    "train.share": "train.soft_weight",
    "train.average": "train.ema_decay",
    "train.rounded": "train.quantisation_aware",
    "surroundings": "room_noise",
}
"""old names of options or of groups of options, which are accepted until version 0.3"""


set_parsing_settings(docstring_parse_attribute_docstrings=True)

_OF_EVERY_STEP = {
    "replace": "remove an output of other options or inputs that took long to make; otherwise it is set aside",
    "again": "do it again, though options and inputs are the same",
}


class _Parser(ArgumentParser):
    """A parser whose errors name the nearest known option."""

    known: tuple[str, ...] = ()

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        text = str(message)
        wrong = re.findall(r"--([\w.-]+)", text) + re.findall(r"(?:[Kk]ey|[Oo]ption) [\"']([\w.-]+)[\"']", text)
        wrong += re.findall(r"Unrecognized arguments?: ([\w.-]+)", text)
        for name in wrong:
            name = name.replace("-", "_")
            leaves = [known.rsplit(".", 1)[-1] for known in self.known]
            near = difflib.get_close_matches(name.rsplit(".", 1)[-1], leaves, n=1, cutoff=0.5)
            renamed = [new for old, new in _RENAMED.items() if name in (old, old.rsplit(".", 1)[-1])]
            if name not in leaves and (renamed or near):
                text += f"\n  did you mean {(renamed or near)[0]}?"
                break
        print(f"error: {text}\n  --help lists all options with their defaults.", file=sys.stderr)
        raise SystemExit(2)


def parse(options: type[T], doc: str | None, argv: list[str] | None = None, first: str | None = None) -> T:
    """Fill `options` (a dataclass) from `--config FILE.yaml` and `--name value`.

    Dashes and underscores are the same in names. An unknown option or configuration key ends the
    program with status 2 and names its nearest neighbour.

    Args:
        first: the option, a list, that takes the arguments before all options.
    """
    return _parsed(options, doc, argv, first, {})[0]


def parse_step(options: type[T], doc: str | None, argv: list[str] | None = None) -> tuple[T, dict[str, bool]]:
    """Parse the options of a step as `parse` does, and the options `replace` and `again` that every step has."""
    return _parsed(options, doc, argv, None, _OF_EVERY_STEP)


def _parsed(
    options: type[T], doc: str | None, argv: list[str] | None, first: str | None, besides: dict[str, str]
) -> tuple[T, dict[str, bool]]:
    argv = list(sys.argv[1:] if argv is None else argv)
    argv = [re.sub(r"^--[\w.-]+", lambda m: "--" + _today(m.group()[2:].replace("-", "_")), a) for a in argv]
    if first is not None:
        bare = list(itertools.takewhile(lambda a: a == "-" or not a.startswith("-"), argv))
        argv = [*([f"--{first}", json.dumps(bare)] if bare else []), *argv[len(bare) :]]
    parser = _Parser(description=doc, exit_on_error=True, allow_abbrev=False)
    parser.known = (*tuple(_names(options)), *besides, "config")
    parser.add_argument("--config", action="config", help="a YAML file of options; the command line overrides it")
    parser.add_class_arguments(options, fail_untyped=True)
    for name, told in besides.items():
        parser.add_argument(f"--{name}", type=bool, default=False, help=told)
    values = parser.instantiate(parser.parse_args(argv))
    filled = options(**{field.name: getattr(values, field.name) for field in fields(options)})
    return filled, {name: getattr(values, name) for name in besides}


def current_name(name: str) -> str:
    """Return the present name of an option, given that or a former one."""
    for old, new in _RENAMED.items():
        if name == old or name.startswith(f"{old}."):
            return new + name[len(old) :]
    return name


def _today(name: str) -> str:
    """Return the present name of an option; warn of a former one on standard error."""
    if (new := current_name(name)) != name:
        print(f"warning: --{name} is now called --{new}. Change your script.", file=sys.stderr)
    return new


def _names(options: Any, prefix: str = "") -> list[str]:
    names, types = [], get_type_hints(options)
    for field in fields(options):
        names.append(prefix + field.name)
        if is_dataclass(types[field.name]):
            names += _names(types[field.name], prefix + field.name + ".")
    return names
