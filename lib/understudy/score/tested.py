"""Identity of test sets: a digest and a description of the speech, so that only results on the same set are compared.

The name of a test set is not enough: `test` of a recipe may be any user's data. So every result has `tested_on`.
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
    """Describe a manifest: utterances, speakers (0: not all are named), hours, reference words, audio formats, digest.

    The digest covers each utterance's id, speaker, text and duration, and the format of its audio file if that is lossy
    (Opus, MP3, …; audio decoded from such a file cannot be recognised as such). The paths of files and the kind of
    features are not part of it, so that it is the same on every machine.
    """
    from lhotse import CutSet  # imported here, because tables do not need it

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
    """Return a readable description of the set on which a system was tested."""
    if not (of := line.get("tested_on")):
        return f"a set of {line.get('utterances', '?')} utterances, decoded before sets were recorded"
    speakers = {0: "", 1: " of one speaker"}.get(of["speakers"], f" of {of['speakers']} speakers")
    audio = f", {of['audio']}" if of["audio"] else ""
    return f"{of['utterances']} utterances{speakers}, {of['hours']:.2f} h, {of['words']} words{audio} ({of['digest']})"


def alike(first: Line, second: Line) -> bool:
    """Whether two results can be of the same test set: by its digest or, for an older result without one, its size."""
    ours, theirs = (line.get("tested_on", {}).get("digest") for line in (first, second))
    if ours and theirs:
        return ours == theirs
    sizes = ([line.get(key) for key in ("utterances", "words")] for line in (first, second))
    return all(a == b or None in (a, b) for a, b in zip(*sizes))


def check(named: Iterable[tuple[str, Line]]) -> None:
    """Raise UserError where named systems were tested on different sets; the message describes both sets."""
    (first, line), *others = named
    for name, other in others:
        if not alike(line, other):
            raise UserError(
                f"{first} and {name} are not compared: {first} was tested on {told(line)}, {name} on {told(other)}. "
                "Decode both on one set."
            )


def sentence(lines: Sequence[Line]) -> str:
    """Return a sentence on the common test set of some results, and on older results without a record of it."""
    known = [line for line in lines if "tested_on" in line]
    if not known:
        return "What was tested is not recorded: these results are older than that record."
    text = f"Tested on {told(known[0])}."
    if older := ", ".join(dict.fromkeys(line["system"] for line in lines if "tested_on" not in line)):
        text += f" These results are older than that record, and are of this set by its size alone: {older}."
    return text


@dataclass(frozen=True)
class Tested:
    """Results that can be compared: of one recipe and one test set."""

    recipe: str
    test_set: str
    name: str
    """recipe and test set, with the set's digest if the recipe has several sets of that name"""
    lines: list[Line]


def by_set(lines: Sequence[Line]) -> list[Tested]:
    """Group results by recipe and test set, in the order of their first lines."""
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line["recipe"], line["test_set"], _set_of(line, lines)), []).append(line)
    names = [(recipe, test_set) for recipe, test_set, _ in groups]
    return [
        Tested(recipe, test_set, f"{recipe}, {test_set}" + f" ({which})" * (names.count((recipe, test_set)) > 1), of)
        for (recipe, test_set, which), of in groups.items()
    ]


def _set_of(line: Line, lines: Sequence[Line]) -> str:
    """Return the digest of a result's set; for an older line, that of a set of the same name and size, if any."""
    named = [one for one in (line, *lines) if (one["recipe"], one["test_set"]) == (line["recipe"], line["test_set"])]
    digests = (one["tested_on"]["digest"] for one in named if "tested_on" in one and alike(line, one))
    return next(digests, f"older, {line.get('words', '?')} words")
