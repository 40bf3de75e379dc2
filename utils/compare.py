#!/usr/bin/env python3
"""Compare two decoded systems on one test set: WER of both, and whether the difference is more than chance.

e.g.: utils/compare.py --cuts data/test.jsonl.gz --first exp/a/test/hyp.txt --second exp/b/test/hyp.txt
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lhotse import CutSet

from understudy.score import errors, interval
from understudy.score.report import relative_reduction
from understudy.stage import UserError, command


@dataclass
class Options:
    """What to compare."""

    cuts: Path
    """manifest with the references"""
    first: Path
    """hyp.txt of the baseline"""
    second: Path
    """hyp.txt of the other system"""
    seed: int = 42


def read_hypotheses(path: Path, names: list[str]) -> list[list[str]]:
    """Words of each utterance, in the order of `names`.

    Raises:
        UserError: no such file, or it holds other utterances than the references.
    """
    if not path.exists():
        raise UserError(f"{path}: no such hypotheses. Decode the system first (stage 11).")
    lines = (line.split() for line in path.read_text().splitlines() if line.strip())
    found = {fields[0]: fields[1:] for fields in lines}
    if differing := set(names) ^ found.keys():
        raise UserError(f"{path}: {len(differing)} utterances differ from the references, such as {min(differing)}.")
    return [found[name] for name in names]


def run(options: Options) -> None:
    """Print the comparison."""
    if not options.cuts.exists():
        raise UserError(f"{options.cuts}: no such manifest.")
    refs = {c.id: c.supervisions[0].text.split() for c in CutSet.from_jsonl_lazy(options.cuts)}
    both = [read_hypotheses(path, list(refs)) for path in (options.first, options.second)]
    rates = []
    for path, hyps in zip((options.first, options.second), both, strict=True):
        counts = errors.count(list(refs.values()), hyps)
        low, high = interval.wer_interval(list(refs.values()), hyps, options.seed)
        rates.append(counts.wer)
        print(f"{path}: WER {counts.wer:.2f} % [{low:.2f}, {high:.2f}], {counts.errors}/{counts.words}")
    werr = relative_reduction(*rates)
    chance = interval.probability_of_improvement(list(refs.values()), *both, options.seed)
    reduction = "–" if werr is None else f"{werr:.1f}"
    print(f"WERR {reduction} %; the second is better in {100 * chance:.1f} % of bootstrap samples")


if __name__ == "__main__":
    command(Options, run)
