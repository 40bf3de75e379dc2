#!/usr/bin/env python3
r"""Put a trained model and all that it needs to recognise audio into one folder, for steps/transcribe.py.

e.g.: steps/pack.py --model exp/student-distilled --decoded exp/student-distilled/decode --graph exp/graph \
    --tree exp/tree --normaliser data/feats/normaliser.json --out exp/recogniser
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from understudy.decode.recogniser import about, pack
from understudy.decode.search import Beams
from understudy.models import weights_fingerprint
from understudy.stage import Step, UserError, main, read_json


@dataclass
class Options:
    """A recogniser."""

    model: Path
    """folder of the acoustic model"""
    graph: Path
    """folder of the decoding graph (steps/make_graph.py)"""
    tree: Path
    """the phonetic decision tree: tree.json, or the folder that holds it"""
    decoded: Path
    """folder of steps/decode.py: the scales that it tuned, and its rates if it decoded this model"""
    normaliser: Path
    """normaliser.json of the features that the model was trained on"""
    out: Path
    """folder of the recogniser"""
    test: str = "test"
    """the test set, of those that were decoded, whose rates go along"""
    beams: Beams = field(default_factory=Beams)
    """how far its search looks"""


def run(options: Options, step: Step) -> None:
    """Copy the parts, write what they are."""
    scored = options.decoded / options.test / "wer.json"
    if not scored.exists():
        raise UserError(f"{scored}: no such result. Decode the model with steps/decode.py, or name its --test set.")
    tree = options.tree / "tree.json" if options.tree.is_dir() else options.tree
    known = about(read_json(scored), options.beams, options.model.name, weights_fingerprint(options.model))
    pack(options.model, options.graph, tree, options.normaliser, known, step.out)


if __name__ == "__main__":
    main(Options, run, inputs=("model", "graph", "tree", "decoded", "normaliser"))
