#!/usr/bin/env python3
r"""Put a trained model and all that it needs to recognise audio into one folder, for steps/transcribe.py.

e.g.: steps/pack.py --model exp/student-distilled --decoded exp/student-distilled/decode --graph exp/graph \
    --tree exp/tree --normaliser data/feats/normaliser.json --out exp/recogniser
"""

from __future__ import annotations

from understudy.decode.options import PackOptions
from understudy.step import Step, main


def run(options: PackOptions, step: Step) -> None:
    """Copy the parts, write what they are, choose what is rejected."""
    from understudy.decode.pack import pack_all

    pack_all(options, step.out)


if __name__ == "__main__":
    main(PackOptions, run, inputs=("model", "graph", "tree", "decoded", "normaliser", "dev", "nonspeech"))
