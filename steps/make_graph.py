#!/usr/bin/env python3
"""Build the decoding graph HCLG of a language folder and a tree.

e.g.: steps/make_graph.py --lang exp/lang --tree exp/tree/tree.json --out exp/graph
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from understudy.lang.lexicon import Lexicon
from understudy.step import Step, main


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


def run(options: Options, step: Step) -> None:
    """Build and save the graph, with the words that its labels mean."""
    from understudy.lang.graph import save_graph
    from understudy.lang.hclg import build_hclg
    from understudy.lang.tree import Tree

    lexicon = Lexicon.read(options.lang)
    tree = Tree.load(options.tree / "tree.json" if options.tree.is_dir() else options.tree)
    graph = build_hclg(lexicon, options.lang / "lm.arpa", tree, silence_probability=options.silence_probability)
    lexicon.write(step.out)
    save_graph(graph, step.out, tree.fingerprint)


if __name__ == "__main__":
    main(Options, run, inputs=("lang", "tree"))
