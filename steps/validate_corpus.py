#!/usr/bin/env python3
"""Check manifests and audio before hours are spent on them: files, rates, times, transcripts, speakers.

e.g.: steps/validate_corpus.py --cuts '[data/labelled.jsonl.gz, data/test.jsonl.gz]' --out data/.valid
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from understudy.corpus import check_names, set_name, validate_sets, write_cuts
from understudy.stage import Step, log, main, write_json


@dataclass
class Options:
    """Options of the validation."""

    cuts: list[Path]
    """Manifests of the sets (labelled, unlabelled, dev, test); no speaker may be in two of them."""
    out: Path
    """Folder for report.json and, with --bad exclude, the manifests of the sound utterances."""
    bad: str = "fail"
    """What to do with a faulty utterance: fail, or exclude (each is named and counted)."""
    check_audio: bool = True
    """Read every audio file, not the manifests alone."""

    def __post_init__(self) -> None:
        """Raise UserError where two sets have one name."""
        check_names(self.cuts)


def run(options: Options, step: Step) -> None:
    """Validate set by set and say what was kept."""
    manifests = {set_name(path): path for path in options.cuts}
    summary = {}
    for name, cuts, report in validate_sets(manifests, options.check_audio, options.bad):
        if options.bad == "exclude":
            write_cuts(options.out / f"{name}.jsonl.gz", cuts)
        else:
            for _ in cuts:
                pass
        hours, left_out = report.seconds / 3600, sum(report.excluded.values())
        log.info("%s: %d utterances, %.2f h, %d speakers; %d left out %s", name, report.cuts, hours,
                 len(report.speakers), left_out, dict(report.excluded) or "")  # fmt: skip
        summary[name] = {"utterances": report.cuts, "hours": hours, "speakers": len(report.speakers),
                         "excluded": dict(report.excluded)}  # fmt: skip
    write_json(options.out / "report.json", summary)


if __name__ == "__main__":
    main(Options, run, inputs=("cuts",), output="out")
