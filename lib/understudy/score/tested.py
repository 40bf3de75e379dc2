"""What systems were tested on: a digest and a description of the speech, so that only what heard the same is compared.

The name of a test set says little: a recipe's `test` is what its user had. Every result has `tested_on` therefore.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.step import UserError

Line = dict[str, Any]
_LOSSY = frozenset({".opus", ".ogg", ".mp3", ".m4a", ".aac", ".wma", ".amr", ".webm"})


def of_manifest(path: Path) -> dict[str, Any]:
    """Describe a manifest: utterances, speakers (0: not all are named), hours, words of the references, audio, digest.

    The digest is of what each utterance is: id, speaker, text, length, and whether its audio file is of a kind that
    loses something (Opus, MP3, …; speech that was unpacked from such a file is not told from other speech). Where files
    are, and how features are made, is not part of it: it is the same on every machine.
    """
    from lhotse import CutSet  # here: tables are made without it

    rows, seconds, words, formats = [], 0.0, 0, set()
    for cut in CutSet.from_jsonl_lazy(path):
        text = " ".join(one.text or "" for one in cut.supervisions)
        speaker = cut.supervisions[0].speaker or "" if cut.supervisions else ""
        kind = _format(cut)
        formats.add(kind.removeprefix("."))
        rows.append((cut.id, speaker, text, round(cut.duration, 3), kind if kind in _LOSSY else ""))
        seconds, words = seconds + cut.duration, words + len(text.split())
    speakers = {row[1] for row in rows}
    digest = hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest()[:12]
    return {
        "digest": digest, "utterances": len(rows), "speakers": 0 if "" in speakers else len(speakers),
        "hours": round(seconds / 3600, 3), "words": words, "audio": " ".join(sorted(formats - {""})),
    }  # fmt: skip


def _format(cut: Any) -> str:
    sources = cut.recording.sources if cut.has_recording else []
    return Path(str(sources[0].source)).suffix.lower() if sources and sources[0].type == "file" else ""


def told(line: Line) -> str:
    """What a system was tested on, for people."""
    if not (of := line.get("tested_on")):
        return f"a set of {line.get('utterances', '?')} utterances, decoded before sets were recorded"
    speakers = {0: "", 1: " of one speaker"}.get(of["speakers"], f" of {of['speakers']} speakers")
    audio = f", {of['audio']}" if of["audio"] else ""
    return f"{of['utterances']} utterances{speakers}, {of['hours']:.2f} h, {of['words']} words{audio} ({of['digest']})"


def alike(first: Line, second: Line) -> bool:
    """Whether two results may be of one test set: by its digest, or by its size where one is older than digests."""
    ours, theirs = (line.get("tested_on", {}).get("digest") for line in (first, second))
    if ours and theirs:
        return ours == theirs
    sizes = ([line.get(key) for key in ("utterances", "words")] for line in (first, second))
    return all(a == b or None in (a, b) for a, b in zip(*sizes))


def check(named: Iterable[tuple[str, Line]]) -> None:
    """Raise UserError, with both, where systems (by what they are called) were tested on different sets."""
    (first, line), *others = named
    for name, other in others:
        if not alike(line, other):
            raise UserError(
                f"{first} and {name} are not compared: {first} was tested on {told(line)}, {name} on {told(other)}. "
                "Decode both on one set."
            )


def sentence(lines: Sequence[Line]) -> str:
    """What the systems of some results were tested on, all the same; which results do not tell is reported."""
    known = [line for line in lines if "tested_on" in line]
    if not known:
        return "What was tested is not recorded: these results are older than that record."
    text = f"Tested on {told(known[0])}."
    if older := ", ".join(dict.fromkeys(line["system"] for line in lines if "tested_on" not in line)):
        text += f" These results are older than that record, and are of this set by its size alone: {older}."
    return text


@dataclass(frozen=True)
class Tested:
    """Results that may stand side by side: of one recipe and one test set."""

    recipe: str
    test_set: str
    name: str
    """both; with the set's digest where the recipe has several of that name"""
    lines: list[Line]


def by_set(lines: Sequence[Line]) -> list[Tested]:
    """Results in groups of one recipe and test set, in the order in which these first appear."""
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line["recipe"], line["test_set"], _set_of(line, lines)), []).append(line)
    names = [(recipe, test_set) for recipe, test_set, _ in groups]
    return [
        Tested(recipe, test_set, f"{recipe}, {test_set}" + f" ({which})" * (names.count((recipe, test_set)) > 1), of)
        for (recipe, test_set, which), of in groups.items()
    ]


def _set_of(line: Line, lines: Sequence[Line]) -> str:
    """The digest of its set; of an older line that of one of its name and size, if there is one."""
    named = [one for one in (line, *lines) if (one["recipe"], one["test_set"]) == (line["recipe"], line["test_set"])]
    digests = (one["tested_on"]["digest"] for one in named if "tested_on" in one and alike(line, one))
    return next(digests, f"older, {line.get('words', '?')} words")
