#!/usr/bin/env python3
"""Make the language folder: lexicon, phones, words, and an n-gram of the training transcripts.

e.g.: steps/make_lang.py --lexicon data/lexicon.txt --cuts data/labelled.jsonl.gz --out exp/lang
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lhotse import CutSet

from understudy.lang.lexicon import Lexicon, oov_counts, oov_message
from understudy.lang.ngram import BackoffModel, estimate
from understudy.stage import Step, UserError, atomic_path, log, main, write_json


@dataclass
class Options:
    """Stage 2: the language."""

    lexicon: Path
    """lines of WORD PHONE PHONE ..."""
    cuts: Path
    """manifest of the labelled set: the n-gram is estimated on its transcripts"""
    out: Path
    """the language folder"""
    extra_cuts: list[Path] = field(default_factory=list)
    """transcribed manifests whose words are checked too (development, test)"""
    text: Path | None = None
    """more sentences for the n-gram, one on a line: text is easier to come by than transcribed speech"""
    arpa: Path | None = None
    """a given language model instead of an estimated one"""
    order: int = 3
    """of the estimated n-gram"""
    oov: Literal["fail", "skip"] = "fail"
    """labelled words without pronunciation: stop, or leave out the cuts that contain them"""


def run(options: Options, step: Step) -> None:
    """Check the words, write the folder, and say what the model is worth on each set."""
    if options.text and options.arpa:
        raise UserError("--text and --arpa: a given model is not estimated again; give one of them")
    lexicon = Lexicon.read(options.lexicon)
    report = {"words": len(lexicon.vocabulary), "phones": len(lexicon.phones) - 1}
    report["cuts"] = _check(options, lexicon, step.out)
    texts = [t.split() for _, t in _texts(options.cuts) if all(w in lexicon for w in t.split())]
    lexicon.write(step.out)
    if options.arpa is None:
        model = estimate(texts + _more(options.text, lexicon), lexicon.vocabulary, options.order)
        model.write(step.out / "lm.arpa")
    else:
        model = BackoffModel.read(options.arpa)
        with atomic_path(step.out / "lm.arpa") as partial:
            shutil.copyfile(options.arpa, partial)
    report["perplexity"] = {"labelled": round(model.perplexity(texts), 2)}
    for path in options.extra_cuts:
        known = [t.split() for _, t in _texts(path) if all(model.log_prob(w, ()) > -99 for w in t.split())]
        if known:
            report["perplexity"][path.name.split(".")[0]] = round(model.perplexity(known), 2)
    log.info("%s", report)
    write_json(step.out / "report.json", report)


def _more(path: Path | None, lexicon: Lexicon) -> list[list[str]]:
    """The sentences of a text; those with a word that has no pronunciation are left out, counted and said."""
    if path is None:
        return []
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    known = [words for words in lines if all(word in lexicon for word in words)]
    if not known:
        raise UserError(f"{path}: no line has only words of the lexicon. Is the case the same?")
    log.info("%s: %d sentences; %d left out, with words that have no pronunciation", path, len(known),
             len(lines) - len(known))  # fmt: skip
    return known


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """(cut id, transcript).

    Raises:
        UserError: a cut without exactly one transcript.
    """
    for cut in CutSet.from_jsonl_lazy(path):
        if len(cut.supervisions) != 1 or cut.supervisions[0].text is None:
            raise UserError(f"{path}: cut {cut.id} needs one supervision with text. Run stage 0 again.")
        yield cut.id, cut.supervisions[0].text


def _check(options: Options, lexicon: Lexicon, out: Path) -> dict[str, int]:
    """Deal with words without pronunciation; the test sets keep theirs, which count as errors."""
    for path in options.extra_cuts:
        if counts := oov_counts(lexicon, (t for _, t in _texts(path))):
            message = oov_message(path, counts).split("\n")[0]
            log.warning("%s They stay in the set, and count as errors.", message)
    counts = oov_counts(lexicon, (t for _, t in _texts(options.cuts)))
    if counts and options.oov == "fail":
        raise UserError(oov_message(options.cuts, counts))
    kept = [name for name, text in _texts(options.cuts) if all(w in lexicon for w in text.split())]
    total = sum(1 for _ in _texts(options.cuts))
    if not kept:
        raise UserError(f"{options.cuts}: no cut has only words of {options.lexicon}. Is the case the same?")
    if options.oov == "skip":
        left = total - len(kept)
        log.warning("%s: %d of %d cuts left out: words without pronunciation", options.cuts, left, total)
        chosen = set(kept)
        with atomic_path(out / options.cuts.name) as partial, CutSet.open_writer(partial) as writer:
            for cut in CutSet.from_jsonl_lazy(options.cuts):
                if cut.id in chosen:
                    writer.write(cut)
    return {"labelled": total, "left_out": total - len(kept)}


if __name__ == "__main__":
    main(Options, run, inputs=("lexicon", "cuts", "extra_cuts", "text", "arpa"))
