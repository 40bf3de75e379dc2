"""Decoding graphs H∘C∘L∘G of n-gram models in ARPA files; `understudy.device.compose` composes them."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Container, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

# Both contain OpenFst, and hang if the second is imported after some other packages (soundfile, kaldi_decoder): so they
# are only imported where graphs are built.
import kaldifst
from kaldilm import arpa2fst

from understudy.device import topology
from understudy.device.compose import SILENCE_PROBABILITY, compile_both, compile_graph, compile_with_places
from understudy.device.decoding_graph import DecodingGraph
from understudy.device.places import NEW, Places, is_class
from understudy.device.vocabulary import ContextTree
from understudy.lang.lexicon import Lexicon
from understudy.lang.ngram import open_arpa
from understudy.step import UserError, log


def build_hclg(
    lexicon: Lexicon,
    arpa: Path | str,
    tree: ContextTree,
    *,
    silence_probability: float = SILENCE_PROBABILITY,
    loop_probability: float = topology.LOOP_PROBABILITY,
) -> DecodingGraph:
    """Build the decoding graph of an n-gram model.

    Args:
        lexicon: pronunciations of the words.
        arpa: the language model.
        tree: the tree whose senones are the graph's labels.
        silence_probability: probability of optional silence.
        loop_probability: probability of an HMM state's self-loop.

    Raises:
        UserError: the language model has no sentence of words in the lexicon.
    """
    how = {"silence_probability": silence_probability, "loop_probability": loop_probability}
    return _some(compile_graph(lexicon, _grammar_fst(lexicon, Path(arpa)), tree, **how), arpa)


def _some(graph: DecodingGraph | None, arpa: Path | str) -> DecodingGraph:
    if graph is None:
        raise UserError(f"{arpa}: the language model accepts no sentence of words in the lexicon.")
    log.info("HCLG: %d states, %d arcs", graph.states, len(graph.labels))
    return graph


class Graphs(NamedTuple):
    """The decoding graphs of a recipe."""

    graph: DecodingGraph
    places: Places
    compact: DecodingGraph | None
    """the same graph with epsilons, for devices; None if there are places, which only the one without epsilons has"""


def build_with_places(
    lexicon: Lexicon,
    arpa: Path | str,
    tree: ContextTree,
    *,
    new: float,
    silence_probability: float = SILENCE_PROBABILITY,
) -> Graphs:
    """Build a graph with places for words to be added later: for the model's classes (`<contact>`) and for new words.

    Args:
        new: unigram probability of `NEW`, the place for any new word; 0: there is no such place.

    Raises:
        UserError: the language model has no sentence of words in the lexicon.
    """
    classes = classes_of(Path(arpa)) + ([NEW] if new else [])
    if not classes:  # without places, nothing has to be split off, which would take several times the arcs
        both = compile_both(lexicon, _grammar_fst(lexicon, Path(arpa)), tree, silence_probability=silence_probability)
        compact, whole = both or (None, None)
        whole = _some(whole, arpa)
        return Graphs(whole, Places.none(whole.states - 1), compact)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "lm.arpa" if new else Path(arpa)
        if new:
            _add_unigram(Path(arpa), model, NEW, math.log10(new))
        grammar = _grammar_fst(lexicon, model, classes)
    found, places = compile_with_places(lexicon, grammar, tree, classes, silence_probability=silence_probability)
    graph = _some(found, arpa)
    log.info("%d more arcs are of places of %s", len(places.table), ", ".join(places.names))
    return Graphs(graph, places, None)


def classes_of(arpa: Path) -> list[str]:
    """Return the class symbols of a model, such as `<contact>`; `<s>`, `</s>` and `<unk>` are none."""
    found, unigrams = [], False
    with _opened(arpa) as file:
        for line in file:
            fields = line.split()
            if fields[:1] == ["\\1-grams:"]:
                unigrams = True
            elif unigrams and line.startswith("\\"):
                break
            elif unigrams and len(fields) > 1 and is_class(fields[1]):
                found.append(fields[1])
    return sorted(found)


def _add_unigram(arpa: Path, out: Path, word: str, log10: float) -> None:
    """Copy a model with an added unigram, line by line, so that it need not fit into memory."""
    with _opened(arpa) as file, out.open("w", encoding="utf-8") as copy:
        for line in file:
            name, _, count = line.partition("=")
            if name.split() == ["ngram", "1"]:
                line = f"ngram 1={int(count) + 1}\n"
            copy.write(line)
            if line.strip() == "\\1-grams:":
                copy.write(f"{log10:.7f}\t{word}\n")


def _opened(arpa: Path) -> TextIO:
    if not arpa.exists():
        raise UserError(f"{arpa}: no such language model. Make the language folder (stage 2) first.")
    return open_arpa(arpa)


def _grammar_fst(lexicon: Lexicon, arpa: Path, classes: Sequence[str] = ()):
    """Make G from an ARPA file, without n-grams of words that neither the lexicon nor the classes have.

    Classes, whose ids follow those of the lexicon, are inputs but not outputs.
    """
    _opened(arpa).close()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "words.txt"
        table.write_text("".join(f"{w} {i}\n" for i, w in enumerate([*lexicon.words, *classes, "<s>", "</s>"])))
        text = arpa2fst(str(arpa), disambig_symbol="#0", read_symbol_table=str(table), max_arpa_warnings=0)
    if classes:
        text = _silent(text, range(len(lexicon.words), len(lexicon.words) + len(classes)))
    fst = kaldifst.compile(text)
    kaldifst.arcsort(fst, "ilabel")
    return fst


def _silent(text: str, words: Container[int]) -> str:
    """Replace some words among the outputs of an FST's text by epsilon."""
    lines = []
    for line in text.splitlines():
        fields = line.split()
        if len(fields) > 3 and int(fields[3]) in words:
            fields[3] = "0"
            line = " ".join(fields)
        lines.append(line)
    return "\n".join(lines) + "\n"
