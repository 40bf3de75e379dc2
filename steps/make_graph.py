#!/usr/bin/env python3
"""Build the decoding graph HCLG of a language folder and a tree.

e.g.: steps/make_graph.py --lang exp/lang --tree exp/tree/tree.json --out exp/graph
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from understudy.lang.lexicon import Lexicon
from understudy.step import Step, UserError, atomic_path, main


@dataclass
class Options:
    """Stage 11, first part: the decoding graph."""

    lang: Path
    """folder of stage 2"""
    tree: Path
    """the phonetic decision tree: tree.json, or the folder that holds it"""
    out: Path
    """folder of the graph"""
    silence_probability: float = 0.5
    """probability of a pause between words"""
    new_words: float = 0.01
    """probability of all words that users add, where a word may stand whatever its history; 0: words can be
    added to the classes of the language model alone, such as <contact>. What is recognised without them is the same"""

    def __post_init__(self) -> None:
        """Raise UserError if --new-words is no probability below 1."""
        if not 0 <= self.new_words < 1:
            raise UserError(f"--new_words {self.new_words}: a probability from 0 to below 1")


def run(options: Options, step: Step) -> None:
    """Build and save the graph, and the lexicon, whose words are its outputs."""
    from understudy.device.files import PLACES
    from understudy.lang.graph import COMPACT, save_graph
    from understudy.lang.hclg import build_with_places
    from understudy.lang.tree import Tree

    lexicon = Lexicon.read(options.lang)
    tree = Tree.load(options.tree / "tree.json" if options.tree.is_dir() else options.tree)
    built = build_with_places(
        lexicon, options.lang / "lm.arpa", tree, new=options.new_words, silence_probability=options.silence_probability
    )
    lexicon.write(step.out)
    save_graph(built.graph, step.out, tree.fingerprint)
    if built.compact:
        save_graph(built.compact, step.out / COMPACT, tree.fingerprint)
    with atomic_path(step.out / PLACES) as partial:
        built.places.save(partial)


if __name__ == "__main__":
    main(Options, run, inputs=("lang", "tree"))
