"""Making of the language folder: a lexicon, and an n-gram model of the transcripts."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from understudy.corpus.names import set_name
from understudy.device.places import is_class
from understudy.lang.g2p import MODEL, guess, pronounce, train
from understudy.lang.general_lm import general_english, mixed
from understudy.lang.lexicon import OOV, Entry, Lexicon, oov_counts, oov_message
from understudy.lang.ngram import BEGIN, END, UNKNOWN, BackoffModel, estimate, open_arpa
from understudy.lang.options import LangOptions
from understudy.lang.sources import entries_of, sentences_of, transcripts_of
from understudy.step import UserError, atomic_path, few, log, write_json


def make_lang(options: LangOptions, out: Path) -> None:
    """Check the words, write the folder, and report the model's perplexity on each set.

    Raises:
        UserError: words have no pronunciation (--oov fail), no cut has only words of the lexicon, or a file is wrong.
    """
    entries = entries_of(options)
    transcripts = [t.split() for t in transcripts_of(options.cuts)]
    text = sentences_of(options.text, {word for word, _ in entries})
    lexicon, guessed = _complete(options, entries, text, out / MODEL)
    _warn_of_test_words(options.extra_cuts, lexicon)
    whole = sum(all(w in lexicon for w in words) for words in transcripts)
    if not whole:
        raise UserError(f"{options.cuts}: no cut has only words of {options.lexicon}. Is the case the same?")
    report: dict[str, Any] = {"words": len(lexicon.vocabulary), "phones": len(lexicon.phones) - 1}
    report["guessed"] = {word: " ".join(phones) for word, phones in guessed}
    report["cuts"] = {"labelled": len(transcripts), "left_out": len(transcripts) - whole}
    lexicon.write(out)
    with atomic_path(out / OOV) as partial:
        partial.write_text(f"{options.oov}\n")
    if options.arpa is None:
        model, report["text"] = _estimated(options, lexicon, transcripts, text)
        model.write(out / "lm.arpa")
    else:
        model = BackoffModel.read(options.arpa)
        _check_words(options.arpa, model, lexicon, transcripts)
        with (
            atomic_path(out / "lm.arpa") as partial,
            open_arpa(options.arpa) as given,
            partial.open("w", encoding="utf-8") as copy,
        ):
            shutil.copyfileobj(given, copy)
    report |= _worth(model, {"labelled": transcripts} | {set_name(path): path for path in options.extra_cuts})
    log.info("%s", report)
    write_json(out / "report.json", report)


def _estimated(
    options: LangOptions, lexicon: Lexicon, transcripts: list[list[str]], text: list[list[str]]
) -> tuple[BackoffModel, dict[str, int]]:
    """Return the n-gram model of all sentences, and counts of these for the report."""
    spoken, written = (Counter(tuple(words) for words in of) for of in (transcripts, text))
    sentences = spoken | written  # a sentence in both counts as often as in that which has it more often
    both, all_words = (spoken & written).total(), sum(map(len, sentences.elements()))
    places = sorted({w for s in written for w in s if is_class(w)})
    known = {s: tuple(w if w in lexicon or w in places else UNKNOWN for w in s) for s in sentences}
    unknown = sum(n * known[s].count(UNKNOWN) for s, n in sentences.items())
    told = {"sentences": sentences.total(), "in_transcripts_and_text": both, "unknown": unknown, "words": all_words}
    log.info(
        "%d sentences for the n-gram, %d of them in the transcripts and in the text, which count once; %d of %d words "
        "have no pronunciation, and are unknown ones", *told.values()
    )  # fmt: skip
    if places:
        log.info("places for words that users add: %s", " ".join(places))
    vocabulary = [*lexicon.vocabulary, *places, *([UNKNOWN] if unknown else [])]
    model = estimate([known[s] for s in sentences.elements()], vocabulary, options.order)
    if options.english:
        model = mixed(model, general_english(lexicon.vocabulary), options.english)
    return model, told


_NO_PERPLEXITY = "is not known: there are no sentences, or the model gives one of them, or its end, no probability"


def _worth(model: BackoffModel, sets: dict[str, list[list[str]] | Path]) -> dict[str, Any]:
    """Return the perplexity of each set over the words that the model knows, and the numbers of unknown words."""
    found = {}
    for name, of in sets.items():
        found[name] = worth = model.worth((t.split() for t in transcripts_of(of)) if isinstance(of, Path) else of)
        log.info("%s: %d of %d words (%.1f %%) are unknown to the model; perplexity of the others %s", name,
                 worth.unknown, worth.words, worth.unknown_percent,
                 _NO_PERPLEXITY if worth.perplexity is None else f"{worth.perplexity:.1f}")  # fmt: skip
    return {
        "perplexity": {name: round(of.perplexity, 2) for name, of in found.items() if of.perplexity is not None},
        "unknown_words": {
            name: {"words": of.words, "unknown": of.unknown, "percent": round(of.unknown_percent, 2)}
            for name, of in found.items()
        },
    }


def _check_words(arpa: Path, model: BackoffModel, lexicon: Lexicon, transcripts: list[list[str]]) -> None:
    """Warn of words that only one of the given model and the lexicon has.

    Raises:
        UserError: no labelled transcript has only words of both, e.g. because of their case.
    """
    known = {ngram[0] for ngram in model.log_probs if len(ngram) == 1} - {BEGIN, END, UNKNOWN, UNKNOWN.upper()}
    spoken = set(lexicon.vocabulary)
    for what, words in (
        ("of its words have no pronunciation", known - spoken),
        ("words of the lexicon are not in it", spoken - known),
    ):
        if words:
            log.warning("%s: %d %s, and cannot be recognised: %s", arpa, len(words), what, few(sorted(words)))
    both = sum((known & spoken).issuperset(words) for words in transcripts)
    if not both:
        raise UserError(
            f"{arpa}: no labelled transcript has only words of it: it has {few(sorted(known))}; the lexicon has "
            f"{few(sorted(spoken))}. Is the case the same?"
        )
    if both < len(transcripts):
        log.warning("%s: %d of %d labelled transcripts have words that it or the lexicon lacks", arpa,
                    len(transcripts) - both, len(transcripts))  # fmt: skip


def _complete(
    options: LangOptions, entries: list[Entry], text: list[list[str]], model: Path
) -> tuple[Lexicon, list[Entry]]:
    """Return the completed lexicon, and the pronunciations that were guessed for words of the transcripts and the text.

    Words of dev and test sets are ignored.
    """
    lexicon = Lexicon.from_entries(entries)
    spoken, written = oov_counts(lexicon, transcripts_of(options.cuts)), oov_counts(lexicon, map(" ".join, text))
    written = {word: count for word, count in written.items() if not is_class(word)}
    if spoken and options.oov == "fail":
        raise UserError(oov_message(options.cuts, spoken, lexicon.vocabulary))
    for path, counts in ((options.cuts, spoken), (options.text or options.cuts, written)):
        if counts:
            log.warning("%s", oov_message(path, counts, lexicon.vocabulary).split("\n")[0])
    if options.oov != "g2p" or not (spoken or written):
        return lexicon, []
    train(entries, model)
    guessed = pronounce(model, spoken) if spoken else []
    of_text = guess(model, written.keys() - spoken.keys())
    for word, phones in guessed:
        log.warning("guessed: %s %s", word, " ".join(phones))
    if written:
        missing = written.keys() - of_text.keys() - spoken.keys()
        log.warning("%s: guessed %d words, such as %s; %d cannot be, and stay unknown: %s", options.text, len(of_text),
                    few(sorted([f"{word} ({' '.join(of_text[word])})" for word in of_text])) or "–", len(missing),
                    few(sorted(missing)) or "–")  # fmt: skip
    guessed += of_text.items()
    return Lexicon.from_entries([*entries, *guessed]), guessed


def _warn_of_test_words(manifests: list[Path], lexicon: Lexicon) -> None:
    for path in manifests:
        if counts := oov_counts(lexicon, transcripts_of(path)):
            message = oov_message(path, counts, lexicon.vocabulary).split("\n")[0]
            log.warning("%s They stay in the set, and count as errors.", message)
