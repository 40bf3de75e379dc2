"""Dataclasses filled from YAML and the command line (jsonargparse), with errors that help."""

from __future__ import annotations

import difflib
import itertools
import json
import re
import sys
from dataclasses import fields, is_dataclass
from typing import Any, NoReturn, TypeVar, get_type_hints

from jsonargparse import ArgumentParser, set_parsing_settings

T = TypeVar("T")

set_parsing_settings(docstring_parse_attribute_docstrings=True)


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
            if name not in leaves and near:
                text += f"\n  did you mean {near[0]}?"
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
    argv = list(sys.argv[1:] if argv is None else argv)
    argv = [re.sub(r"^--[\w.-]+", lambda m: "--" + m.group()[2:].replace("-", "_"), a) for a in argv]
    if first is not None:
        bare = list(itertools.takewhile(lambda a: a == "-" or not a.startswith("-"), argv))
        argv = [*([f"--{first}", json.dumps(bare)] if bare else []), *argv[len(bare) :]]
    parser = _Parser(description=doc, exit_on_error=True, allow_abbrev=False)
    parser.known = (*tuple(_names(options)), "config")
    parser.add_argument("--config", action="config", help="a YAML file of options; the command line overrides it")
    parser.add_class_arguments(options, fail_untyped=True)
    values = parser.instantiate_classes(parser.parse_args(argv))
    return options(**{field.name: getattr(values, field.name) for field in fields(options)})


def _names(options: Any, prefix: str = "") -> list[str]:
    names, types = [], get_type_hints(options)
    for field in fields(options):
        names.append(prefix + field.name)
        if is_dataclass(types[field.name]):
            names += _names(types[field.name], prefix + field.name + ".")
    return names
