"""Packing of a recogniser's folder: its parts, its scales, and the least confidence with which words are output."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from understudy.corpus import read_cuts
from understudy.corpus.subset import some
from understudy.decode.calibration import fit, held_out
from understudy.decode.options import PackOptions
from understudy.decode.recogniser import Recogniser, about, pack
from understudy.decode.rejection import Said, choose, false_words, hear, highest, misfits
from understudy.device.files import G2P
from understudy.device.word_confidence import DRAWS
from understudy.lang.lexicon import Lexicon
from understudy.models import weights_fingerprint
from understudy.score.confidence import normalised_cross_entropy
from understudy.step import UserError, atomic_path, log, read_json, write_json


def pack_all(options: PackOptions, out: Path) -> None:
    """Write a recogniser's folder: copy its parts; choose on dev what is rejected, and calibrate confidences.

    Raises:
        UserError: the decoding has no result for the test set, or the parts do not belong together.
    """
    scored = options.decoded / options.test / "wer.json"
    if not scored.exists():
        raise UserError(f"{scored}: no such result. Decode the model with steps/decode.py, or name its --test set.")
    tree = options.tree / "tree.json" if options.tree.is_dir() else options.tree
    known = about(read_json(scored), options.beams, options.model.name, weights_fingerprint(options.model))
    least = options.reject.below if isinstance(options.reject.below, float) else None
    known |= {"least_confidence": least, "most_misfit": None, "calibration": None}
    pack(options.model, options.graph, tree, options.normaliser, known, out)
    if options.g2p:
        learn_to_guess(out)
    if options.dev:
        recogniser = Recogniser(out, options.search)
        cuts = some([options.dev], options.reject.utterances, 1)
        speech = list(hear(recogniser, cuts, known["normalise"], DRAWS))
        if options.reject.below == "chosen":
            known |= _chosen(options.dev, options, recogniser, speech)
        known |= {"calibration": _calibration(options.dev, speech)}
        known |= {"most_misfit": _most_misfit(options.dev, options, recogniser)}
        write_json(out / "recogniser.json", known)


def learn_to_guess(out: Path) -> None:
    """Write the grapheme-to-phoneme model, unless words are spelled; log a warning where it cannot be made."""
    from understudy.device.language import is_spelled

    lexicon = Lexicon.read(out)
    if is_spelled(lexicon):
        return
    try:
        from understudy.lang.g2p import guesser_of
    except ImportError:
        log.warning("phonetisaurus is not installed (docs/setup.md): words that users add need their phones")
        return
    try:
        guesser = guesser_of(out / "lexicon.txt")
    except UserError as error:
        log.warning("words that users add need their phones: %s", error)
        return
    with atomic_path(out / G2P) as partial:
        guesser.save(partial)


def _chosen(dev: Path, options: PackOptions, recogniser: Recogniser, speech: list[Said]) -> dict[str, Any]:
    """Return the least confidence chosen on dev and what it rejects, as entries of recogniser.json."""
    rule = choose(speech, options.reject.loss, options.reject.share)
    if rule is None:
        log.warning(
            "%s: in none of %d utterances were words found, so no least confidence can be chosen, and the recogniser "
            "tells all that it finds. Train the model on more speech, or for longer.", dev, len(speech),
        )  # fmt: skip
        return {"least_confidence": None}
    log.info("words are told from a confidence of %.3f on: of %d utterances of dev %d are rejected, %d errors are %d",
             rule.least, len(speech), rule.rejected, *rule.errors)  # fmt: skip
    about = {"utterances": len(speech), "words": sum(one.words for one in speech)} | asdict(rule)
    if options.nonspeech:
        sounds = list(hear(recogniser, read_cuts(options.nonspeech)))
        about["false_words_per_minute"] = [false_words(sounds, least) for least in (None, rule.least)]
        log.info("of sounds without words, %.2f words a minute become %.2f", *about["false_words_per_minute"])
    return {"least_confidence": rule.least, "rejection": about}


def _most_misfit(dev: Path, options: PackOptions, recogniser: Recogniser) -> float | None:
    """Return the misfit above which an utterance is none of the sentences of a user's file; None: it is unknown."""
    found = misfits(recogniser, list(some([dev], options.reject.utterances, 1)))
    most = highest(found, options.reject.share)
    if most is None:
        log.warning("%s: no utterance is heard right where only its texts can be, so that of a file of sentences all "
                    "that is said will be taken for one", dev)  # fmt: skip
        return None
    log.info("where sentences alone are heard, what misfits by more than %.3f nats is none of them: so do %.1f %% of "
             "the %d utterances of dev that are heard right among its texts", most, 100 * options.reject.share,
             len(found))  # fmt: skip
    return most


def _calibration(dev: Path, speech: list[Said]) -> dict[str, Any] | None:
    """Return the calibration of word confidences, with normalised cross-entropies; None where it cannot be learnt."""
    told = [share for one in speech for share in one.shares]
    right = [one for utterance in speech for one in utterance.right]
    learnt = fit(told, right)
    if learnt is None:
        log.warning("%s: %d of %d words are right, which calibrates no confidences: they are told as they are",
                    dev, sum(right), len(right))  # fmt: skip
        return None
    after = held_out(told, right, [one.speaker for one in speech for _ in one.shares])
    worth = [normalised_cross_entropy(of, right) for of in (told, after or list(map(learnt, told)))]
    log.info("confidences of words: normalised cross entropy %.3f on dev, calibrated %.3f%s", *worth,
             ", by speakers that it is not learnt from" if after else "")  # fmt: skip
    return {**asdict(learnt), "words": len(right), "right": sum(right), "normalised_cross_entropy": worth}
