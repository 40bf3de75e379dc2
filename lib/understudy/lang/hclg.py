"""H∘C∘L∘G of an n-gram model in an ARPA file; how it is composed stands in `understudy.device.compose`."""

from __future__ import annotations

import tempfile
from pathlib import Path

# Both bring OpenFst along, and wait for ever where the second is imported after some other packages (soundfile,
# kaldi_decoder): only what builds graphs imports them.
import kaldifst
from kaldilm import arpa2fst

from understudy.device import topology
from understudy.device.compose import SILENCE_PROBABILITY, compile_graph
from understudy.device.decoding_graph import DecodingGraph
from understudy.device.vocabulary import ContextTree
from understudy.lang.lexicon import Lexicon
from understudy.step import UserError, log


def build_hclg(
    lexicon: Lexicon,
    arpa: Path | str,
    tree: ContextTree,
    *,
    silence_probability: float = SILENCE_PROBABILITY,
    loop_probability: float = topology.LOOP_PROBABILITY,
) -> DecodingGraph:
    """The decoding graph of an n-gram model.

    Returns:
        It, as a search wants it.

    Raises:
        UserError: the language model has no sentence of words in the lexicon.
    """
    how = {"silence_probability": silence_probability, "loop_probability": loop_probability}
    graph = compile_graph(lexicon, _grammar_fst(lexicon, Path(arpa)), tree, **how)
    if graph is None:
        raise UserError(f"{arpa}: the language model accepts no sentence of words in the lexicon.")
    log.info("HCLG: %d states, %d arcs", graph.states, len(graph.labels))
    return graph


def _grammar_fst(lexicon: Lexicon, arpa: Path):
    """G from an ARPA file; n-grams with words that the lexicon lacks are left out."""
    if not arpa.exists():
        raise UserError(f"{arpa}: no such language model. Make the language folder (stage 2) first.")
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "words.txt"
        table.write_text("".join(f"{w} {i}\n" for i, w in enumerate([*lexicon.words, "<s>", "</s>"])))
        text = arpa2fst(str(arpa), disambig_symbol="#0", read_symbol_table=str(table), max_arpa_warnings=0)
    fst = kaldifst.compile(text)
    kaldifst.arcsort(fst, "ilabel")
    return fst
