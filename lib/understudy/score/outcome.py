"""The outcome of a decoded set: rates with their interval, and files of hypotheses, alignments and errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from sys import intern
from typing import Any

from understudy.score import errors, interval, utterances
from understudy.score.normalise import Way, normalise
from understudy.step import UserError, atomic_path, log, write_json


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one utterance."""

    id: str
    speaker: str
    """empty where the manifest names none"""
    reference: list[str]
    words: list[str]
    """words that were recognised"""
    retried: bool = False
    """the search was repeated with wider beams"""
    empty: bool = False
    """the search found no path, even with wider beams"""
    narrowed: bool = False
    """for lack of memory, the search kept fewer active states than it should"""
    rejected: bool = False
    """words were found, but withheld because of their low confidence"""

    @classmethod
    def of(
        cls, id: str, speaker: str, reference: Sequence[str], words: Sequence[str], ways: Sequence[Way], **how: bool
    ) -> Outcome:
        """Make an outcome from texts, which are normalised in these ways. `how`: retried, empty, narrowed, rejected."""
        # Each distinct word is in memory once, so that a set of a hundred hours takes tens of MB.
        said, heard = (list(map(intern, normalise(side, ways))) for side in (reference, words))
        return cls(id, intern(speaker), said, heard, **how)


def write_outcome(out: Path, outcomes: Sequence[Outcome], about: dict[str, Any]) -> dict[str, Any]:
    """Write hyp.txt, errs.txt, utterances.tsv, speakers.tsv and wer.json. Returns the content of the last.

    Args:
        out: folder of the files.
        outcomes: the outcomes of the set's utterances.
        about: further entries of wer.json (e.g. scales).
    """
    refs, hyps = [o.reference for o in outcomes], [o.words for o in outcomes]
    counts = errors.count(refs, hyps)
    scored = [utterances.score(o.id, o.speaker, o.reference, o.words) for o in outcomes]
    score = {
        **asdict(counts), "errors": counts.errors, "wer": interval.rounded(counts.wer),
        **interval.wer_interval(scored), **{k: interval.rounded(v) for k, v in utterances.rates(scored).items()},
        "empty": sum(o.empty for o in outcomes), "retried": sum(o.retried for o in outcomes),
        "narrowed": sum(o.narrowed for o in outcomes), "rejected": sum(o.rejected for o in outcomes),
        "wordless": sum(bool(o.reference) and not o.words for o in outcomes),
        "speakers": len({o.speaker for o in outcomes} - {""}),
        "utterances": len(outcomes), **about,
    }  # fmt: skip
    if counts.wer is None:
        ways = about.get("normalise") or []
        log.warning(
            "%s: %d utterances have no words in their references%s, so that it has no error rates; %d words were heard",
            out.name, len(outcomes), f" after {', '.join(ways)}" if ways else "", counts.errors,
        )  # fmt: skip
    if score["empty"]:
        log.warning("%s: %d utterances have an empty lattice after retries: all deletions", out.name, score["empty"])
    if score["rejected"]:
        log.info("%s: %d utterances are rejected: all deletions", out.name, score["rejected"])
    with atomic_path(out / "hyp.txt") as partial:
        _write(partial, (" ".join([o.id, *o.words]) + "\n" for o in outcomes))
    with atomic_path(out / "errs.txt") as partial:
        _write(partial, (f"{o.id}\n{errors.side_by_side(o.reference, o.words)}\n\n" for o in outcomes))
    utterances.write(out / "utterances.tsv", scored)
    utterances.write(out / "speakers.tsv", utterances.by_speaker(scored).values())
    write_json(out / "wer.json", score)
    return score


def told(score: dict[str, Any]) -> str:
    """Return a set's rate as a readable text, e.g. `WER 12.34 % [10.00, 14.68]`."""
    if score["wer"] is None:
        return errors.NO_WORDS.format(score["errors"])
    return "WER {wer:.2f} % [{wer_low:.2f}, {wer_high:.2f}]".format(**score)


def check_words(outcomes: Sequence[Outcome], what: str) -> None:
    """Raise UserError where no reference has a word, so that nothing can be tuned on the set."""
    if not any(one.reference for one in outcomes):
        raise UserError(
            f"{what}: must have words to choose by, and none of its {len(outcomes)} references has one after "
            "normalising. Give another set, or fewer ways of --normalise."
        )


def _write(path: Path, pieces: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(pieces)
