#!/usr/bin/env python3
"""Make the language folder: lexicon, phones, words, and an n-gram of the training transcripts.

e.g.: steps/make_lang.py --lexicon data/lexicon.txt --cuts data/labelled.jsonl.gz --out exp/lang
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jsonargparse.typing import PositiveInt
from lhotse import CutSet

from understudy.corpus import is_perturbed, set_name
from understudy.lang.english import general_english, mixed
from understudy.lang.g2p import MODEL, pronounce, train
from understudy.lang.lexicon import Entry, Lexicon, oov_counts, oov_message, read_entries
from understudy.lang.ngram import BackoffModel, estimate, open_arpa
from understudy.lang.spoken import OOV
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
    """a given language model, packed by gzip or not, instead of an estimated one"""
    order: PositiveInt = 3
    """of the estimated n-gram"""
    english: float = 0.0
    """share of general English in the n-gram: for where there is little text"""
    oov: Literal["fail", "skip", "g2p"] = "fail"
    """labelled words without pronunciation: stop, leave out the cuts that contain them (they get no alignment), or
    guess pronunciations from the lexicon"""

    def __post_init__(self) -> None:
        """Raise UserError for what does not go together."""
        if self.text and self.arpa:
            raise UserError("--text and --arpa: a given model is not estimated again; give one of them")
        if not 0 <= self.english < 1 or (self.english and self.arpa):
            raise UserError(f"--english {self.english}: a share from 0 to below 1, of a model that is estimated")


def run(options: Options, step: Step) -> None:
    """Check the words, write the folder, and say what the model is worth on each set."""
    entries = read_entries(options.lexicon)
    lexicon, guessed = _complete(options, entries, step.out / MODEL)
    _warn_of_test_words(options.extra_cuts, lexicon)
    transcripts = [t.split() for t in _texts(options.cuts)]
    texts = [words for words in transcripts if all(w in lexicon for w in words)]
    if not texts:
        raise UserError(f"{options.cuts}: no cut has only words of {options.lexicon}. Is the case the same?")
    report: dict[str, Any] = {"words": len(lexicon.vocabulary), "phones": len(lexicon.phones) - 1}
    report["guessed"] = {word: " ".join(phones) for word, phones in guessed}
    report["cuts"] = {"labelled": len(transcripts), "left_out": len(transcripts) - len(texts)}
    lexicon.write(step.out)
    with atomic_path(step.out / OOV) as partial:
        partial.write_text(f"{options.oov}\n")
    if options.arpa is None:
        model = estimate(texts + _more(options.text, lexicon), lexicon.vocabulary, options.order)
        if options.english:
            english = general_english(lexicon.vocabulary)
            model = mixed(model, english, options.english)
        model.write(step.out / "lm.arpa")
    else:
        model = BackoffModel.read(options.arpa)
        with atomic_path(step.out / "lm.arpa") as partial, open_arpa(options.arpa) as given, partial.open("w") as copy:
            shutil.copyfileobj(given, copy)
    report["perplexity"] = {"labelled": round(model.perplexity(texts), 2)}
    for path in options.extra_cuts:
        known = [t.split() for t in _texts(path) if all(model.log_prob(w, ()) > -99 for w in t.split())]
        if known:
            report["perplexity"][set_name(path)] = round(model.perplexity(known), 2)
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


def _texts(path: Path) -> Iterator[str]:
    """Transcripts; copies at other speeds say nothing new.

    Raises:
        UserError: a cut without exactly one transcript.
    """
    for cut in CutSet.from_jsonl_lazy(path):
        if is_perturbed(cut):
            continue
        if len(cut.supervisions) != 1 or cut.supervisions[0].text is None:
            raise UserError(f"{path}: cut {cut.id} needs one supervision with text. Run stage 0 again.")
        yield cut.supervisions[0].text


def _complete(options: Options, entries: list[Entry], model: Path) -> tuple[Lexicon, list[Entry]]:
    """The lexicon, and what was guessed for labelled words that it lacked (dev and test words are not looked at)."""
    lexicon = Lexicon.from_entries(entries)
    if not (counts := oov_counts(lexicon, _texts(options.cuts))):
        return lexicon, []
    if options.oov == "fail":
        raise UserError(oov_message(options.cuts, counts))
    log.warning("%s", oov_message(options.cuts, counts).split("\n")[0])
    if options.oov == "skip":
        return lexicon, []
    train(entries, model)
    guessed = pronounce(model, counts)
    for word, phones in guessed:
        log.warning("guessed: %s %s", word, " ".join(phones))
    return Lexicon.from_entries([*entries, *guessed]), guessed


def _warn_of_test_words(manifests: list[Path], lexicon: Lexicon) -> None:
    for path in manifests:
        if counts := oov_counts(lexicon, _texts(path)):
            message = oov_message(path, counts).split("\n")[0]
            log.warning("%s They stay in the set, and count as errors.", message)


if __name__ == "__main__":
    main(Options, run, inputs=("lexicon", "cuts", "extra_cuts", "text", "arpa"))
