"""Pieces of speech of a corpus that Lhotse prepares."""

from __future__ import annotations

import difflib
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lhotse import SupervisionSegment
from lhotse.utils import fastcopy

from understudy.intake.piece import Piece
from understudy.intake.read_manifest import cut_pieces, pieces_of
from understudy.step import UserError, counted, few, log

_PREFIX = "prepare_"
_OUT = "output_dir"


def read_prepared(corpus: str, path: Path, option: Mapping[str, Any], one_speaker_each: bool) -> dict[str, list[Piece]]:
    """Pieces of each split that Lhotse's preparation of a corpus finds, in the order of names; recordings by theirs.

    A split within another, as of a language, is called `en/train`; one without a name is "".

    Args:
        option: of the preparation, beside its first folder, which is `path`.
        one_speaker_each: each recording is of another speaker.

    Raises:
        UserError: Lhotse has no such preparation, it has no such options or wants others, it refuses the folder, or
            what it finds is no speech with speakers.
    """
    prepare = preparation(corpus)
    with TemporaryDirectory(prefix="understudy-") as scratch:  # what it writes may be read later, from there
        given = _arguments(prepare, path.absolute(), option, scratch)
        try:
            with _warnings_told():
                found = dict(_leaves(prepare(**given), ""))
        except Exception as error:  # of any kind: each preparation has its own ways to refuse
            wanted = f"python -c 'from lhotse.recipes import {prepare.__name__}; help({prepare.__name__})'"
            raise UserError(
                f"{path}: Lhotse's {prepare.__name__} refuses it ({type(error).__name__}: {error}). It must be laid "
                f"out as that wants it: {wanted}."
            ) from error
        if not found:
            raise UserError(f"{path}: Lhotse's {prepare.__name__} finds no recordings in it.")
        return {split: _pieces(path, split, found[split], one_speaker_each) for split in sorted(found)}


def preparation(corpus: str) -> Callable[..., Any]:
    """Lhotse's function of a corpus. Raises UserError where there is none, with the nearest names."""
    with _warnings_told():
        import lhotse.recipes  # some of them set the root logger up, for all that is logged from then on
    known = [name.removeprefix(_PREFIX) for name in dir(lhotse.recipes) if name.startswith(_PREFIX)]
    name = corpus.replace("-", "_")
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or known
        raise UserError(f"--from lhotse:{corpus}: Lhotse prepares no such corpus; it prepares {', '.join(near)}.")
    return getattr(lhotse.recipes, _PREFIX + name)


class _Forward(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log.handle(record)


@contextmanager
def _warnings_told() -> Iterator[None]:
    """Within it what is logged to the root logger is told in the step's log, from warnings on; it is left as it was."""
    root = logging.getLogger()
    handlers, level, upwards = root.handlers[:], root.level, log.propagate
    root.handlers[:], log.propagate = [_Forward(logging.WARNING)], False  # or it would come back
    try:
        yield
    finally:
        root.handlers[:], log.propagate = handlers, upwards
        root.setLevel(level)


def _arguments(prepare: Callable[..., Any], path: Path, option: Mapping[str, Any], scratch: str) -> dict[str, Any]:
    """What the preparation is called with."""
    known = inspect.signature(prepare).parameters
    if strange := [name for name in option if name not in known]:
        raise UserError(
            f"--option {strange[0]}: Lhotse's {prepare.__name__} has no such option; it has {', '.join(known)}."
        )
    given: dict[str, Any] = {_OUT: scratch} if _OUT in known else {}
    needed = [one.name for one in known.values() if one.default is one.empty and one.name not in (*option, _OUT)]
    if folder := next((name for name in needed if "path" in str(known[name].annotation).lower()), None):
        several = "List" in str(known[folder].annotation)
        given[folder] = [path] if several else path
    if missing := [name for name in needed if name != folder]:
        values = ", ".join(f"{name}: …" for name in missing)
        raise UserError(f"Lhotse's {prepare.__name__} wants {', '.join(missing)} too: give --option '{{{values}}}'.")
    return given | dict(option)


def _leaves(found: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Manifests by split, of what a preparation returns: with or without splits, or with further levels above."""
    if not isinstance(found, Mapping):
        raise ValueError(f"its preparation gives {type(found).__name__}, and no manifests by their names")
    if "recordings" in found or "cuts" in found:
        yield name, dict(found)
        return
    for key, part in found.items():
        yield from _leaves(part, f"{name}/{key}".lstrip("/"))


def _pieces(path: Path, split: str, manifests: dict[str, Any], one_speaker_each: bool) -> list[Piece]:
    where, root = Path(f"{path}, {split}" if split else path), Path()
    if "recordings" not in manifests:
        return [piece for cut in manifests["cuts"] for piece in cut_pieces(root, where, cut)]
    said: dict[str, list[SupervisionSegment]] = {}
    for one in manifests.get("supervisions") or ():
        owner = one.recording_id if one_speaker_each else one.speaker
        said.setdefault(one.recording_id, []).append(fastcopy(one, speaker=owner))
    recordings = {one.id: one for one in manifests["recordings"]}
    silent = sorted(recordings.keys() - said.keys())
    if one_speaker_each:  # whose speech has no words
        for name in silent:
            whole = recordings[name].duration
            said[name] = [SupervisionSegment(name, name, 0.0, whole, speaker=name)]
    elif silent:
        log.warning("%s: %s without supervisions, which tell speakers, are left out: %s", where,
                    counted(len(silent), "recording"), few(silent))  # fmt: skip
    found: list[Piece] = []
    for name in sorted(recordings.keys() & said.keys()):
        one, spoken = recordings[name], sorted(said[name], key=lambda s: (s.start, s.id))
        if any(not part.speaker for part in spoken):
            raise UserError(f"{where}, {name}: no speaker. Say --one-speaker-each true, if each recording has its own.")
        found += pieces_of(root, where, one, name, 0.0, one.duration, 0, spoken)
    return found
