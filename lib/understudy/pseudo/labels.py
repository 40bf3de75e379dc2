"""Senone labels from another recogniser's transcripts: text normalisation, alignment, and filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from lhotse.cut import Cut
from lhotse.utils import fastcopy

from understudy import models
from understudy.align.archive import write_index
from understudy.align.network import NetworkAligner
from understudy.align.shards import aligned_shards
from understudy.corpus import read_cuts, write_cuts
from understudy.corpus.names import set_name
from understudy.features import Normaliser
from understudy.intake.text import Case, Tidy
from understudy.lang.alignment_lexicon import spoken_lexicon
from understudy.lang.lexicon import Lexicon
from understudy.lang.tree import Tree
from understudy.parallel.workers import Workers
from understudy.pseudo.doubt import EMPTY, NOT_HEARD, UNALIGNED, UNKNOWN, UNLIKELY, doubted
from understudy.pseudo.options import PseudoLabelOptions
from understudy.pseudo.outcome import Outcome
from understudy.pseudo.spoken import Spoken
from understudy.pseudo.transcripts import Heard, read_transcripts
from understudy.step import UserError, few, log, write_json

SUPERVISION = "pseudo-transcripts"
"""Name of these labels in report.json and in results of trainings"""


def make_labels(options: PseudoLabelOptions, out: Path) -> None:
    """Write `out/<set>.jsonl.gz`, the cuts that are kept with their new text, and their labels in `out/<set>/`.

    Raises:
        UserError: no transcript belongs to these cuts, or no utterance is left.
    """
    tree, name = Tree.load(options.tree / "tree.json"), set_name(options.cuts)
    models.check_tree(options.model, models.load_any(options.model), tree, options.tree)
    outcome = Outcome()
    believed = out / "aligned" / options.cuts.name
    write_cuts(believed, _believed(options, outcome))
    if not outcome.waiting:
        raise UserError(_nothing_left(options, outcome))
    _align(options, believed, out / name, outcome)
    kept = (cut for cut in read_cuts(believed) if outcome.is_kept(cut.id))
    if not write_cuts(out / options.cuts.name, kept):
        raise UserError(_nothing_left(options, outcome))
    tree.save(out / "tree.json")
    Normaliser.load(normaliser := options.cuts.parent / "normaliser.json")  # raises now if it is faulty
    (out / normaliser.name).write_bytes(normaliser.read_bytes())
    outcome.say(options.cuts)
    write_json(out / "report.json", {"supervision": SUPERVISION, "set": name, **outcome.report()})


def _believed(options: PseudoLabelOptions, outcome: Outcome) -> Iterator[Cut]:
    """Yield the cuts whose text passes the filters on words, with that text; all cuts are recorded in `outcome`."""
    heard, vocabulary = read_transcripts(options.transcripts), Lexicon.read(options.lang).vocabulary
    spoken, tidy = Spoken(options.language), Tidy(case_of(vocabulary), "remove")
    known = 0
    for cut in read_cuts(options.cuts):
        one = heard.get(cut.id)
        known += one is not None
        words = [] if one is None else tidy(spoken(one.text)).split()
        reason = _doubted(one, words, cut, options)
        outcome.add(cut.id, cut.duration, _own_words(cut), words, reason)
        if reason is None:
            yield _with_text(cut, " ".join(words))
    if not known:
        raise UserError(
            f"{options.transcripts}: has no transcript of {options.cuts}: it has {few(sorted(heard))}. Ids must be "
            "those of the cuts."
        )
    if strangers := len(heard) - known:
        log.warning("%s: %d transcripts are of no cut of %s", options.transcripts, strangers, options.cuts)
    spoken.say()
    tidy.say()


def _doubted(one: Heard | None, words: list[str], cut: Cut, options: PseudoLabelOptions) -> str | None:
    if one is None:
        return NOT_HEARD
    return doubted(words, one.log_probability, cut.duration, options.doubt)


def _own_words(cut: Cut) -> list[str] | None:
    """Return the words of the manifest's own transcript; None: it has none."""
    text = cut.supervisions[0].text if cut.supervisions else None
    return None if text is None else text.split()


def _with_text(cut: Cut, text: str) -> Cut:
    """Return the cut with that text, and without word times, which belong to its own text."""
    if len(cut.supervisions) != 1:
        raise UserError(f"cut {cut.id}: has {len(cut.supervisions)} supervisions, not one. Run stage 0 again.")
    return fastcopy(cut, supervisions=[fastcopy(cut.supervisions[0], text=text, alignment=None)])


def _align(options: PseudoLabelOptions, manifest: Path, folder: Path, outcome: Outcome) -> None:
    """Align, write the labels of the utterances that are kept, and record the result of each in `outcome`."""
    lexicon = spoken_lexicon(options.lang, [manifest], options.oov)
    files = options.model, options.tree / "tree.json", options.cuts.parent / "normaliser.json"
    aligner = NetworkAligner.of(*files, lexicon, options.prior_scale)
    index: dict[str, list[int]] = {}
    with Workers(options.jobs, options.cluster, out=folder.parent) as workers:
        for part in aligned_shards(manifest, folder, lexicon, aligner, 1, options.shard_size, workers):
            for ids, reason in ((part["unknown"], UNKNOWN), (part["failed"], UNALIGNED)):
                for cut_id in ids:
                    outcome.drop(cut_id, reason)
            for cut_id, ratio in part["ratios"].items():
                outcome.aligned(cut_id, ratio)
                if ratio < options.doubt.least_ratio:
                    outcome.drop(cut_id, UNLIKELY)
                else:
                    index[cut_id] = part["cuts"][cut_id]
    write_index(folder, ["senone"], index)


def case_of(vocabulary: Iterable[str]) -> Case:
    """Return the case of a lexicon's words: upper or lower if nine words in ten are so, else keep."""
    words = [word for word in vocabulary if word.lower() != word.upper()]
    alike = Counter({"upper": sum(w == w.upper() for w in words), "lower": sum(w == w.lower() for w in words)})
    for case in ("upper", "lower"):
        if alike[case] >= 0.9 * len(words):
            return case
    return "keep"


def _nothing_left(options: PseudoLabelOptions, outcome: Outcome) -> str:
    reasons = ", ".join(f"{reason} ({len(ids)})" for reason, ids in outcome.dropped().items())
    hint = "is the case, or the language, another?" if UNKNOWN in outcome.dropped() else "see --doubt"
    if set(outcome.dropped()) <= {EMPTY, NOT_HEARD}:
        hint = "is this the recogniser's output?"
    return f"{options.transcripts}: no utterance of {options.cuts} is left: {reasons}; {hint}"
