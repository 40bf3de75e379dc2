#!/usr/bin/env python3
r"""What a device spends on features, network and search, by precision, for a real student and for one of any size.

A student of another size than those that were trained has random weights: its network costs what a trained one does,
and its search is that of the real student.

e.g.: . utils/path.sh
      cd egs/assistant/s1
      ../../../tests/bench/device.py --shipped exp/device/networks --recogniser exp/device/recogniser \
          --cuts data/feats/test.jsonl.gz --layers 4 --cells 256 --senones 1900
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from understudy.device.recogniser import Recogniser  # first: see understudy.lang.hclg

import numpy as np  # isort: skip
import torch
from lhotse import CutSet

from understudy.decode.recogniser import Recogniser as Packed
from understudy.device.network import Network
from understudy.features.extract import load_samples
from understudy.features.logmel import NUM_MELS
from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.ship.quantise import write_network
from understudy.step import command

PRECISIONS = ("float32", "int8-dynamic", "int8-static")
_BLOCK = 1600  # samples that arrive at once


@dataclass
class Options:
    """What is measured."""

    shipped: Path
    """folder with the precisions' folders"""
    recogniser: Path
    """the packed recogniser that they were made of"""
    cuts: Path
    """manifest with audio"""
    utterances: int = 50
    """of it"""
    layers: int = 4
    """of the student of another size"""
    cells: int = 256
    """of its layers"""
    senones: int = 1900
    """that it tells apart"""
    rounds: int = 3
    """the cheapest of them counts"""


def run(options: Options) -> None:
    """Print a table: share of real time on one core."""
    torch.set_num_threads(1)
    audio = [load_samples(cut) for cut in islice(CutSet.from_jsonl_lazy(options.cuts), options.utterances)]
    seconds = sum(map(len, audio)) / 16000
    recogniser = Recogniser(options.shipped / PRECISIONS[0])
    front = _cost(lambda: [_features(recogniser, samples) for samples in audio], options.rounds) / seconds
    features = [_features(recogniser, samples) for samples in audio]
    scores = [recogniser.scores(_logits(recogniser.network, one)) for one in features]
    search = _cost(lambda: [_searched(recogniser, one) for one in scores], options.rounds) / seconds
    print(f"{len(audio)} utterances, {seconds:.0f} s; features {front:.5f}, search {search:.5f} of real time")
    print("student                 precision      MB  network of real time    all")
    packed = Packed(options.recogniser)
    model = LstmModel(ModelOptions(options.layers, options.cells, delay=3), 3 * NUM_MELS, options.senones)
    for name, one in (("trained", packed.model), ("random weights", model)):
        for precision in PRECISIONS:
            with tempfile.TemporaryDirectory() as scratch:
                path = Path(scratch) / "network.onnx"
                speech = [torch.from_numpy(f) for f in features[:20]]
                write_network(precision, one, packed.normaliser, "any", speech, path)
                network, size = Network(path), path.stat().st_size / 1e6
            cost = _cost(lambda of=network: [_logits(of, f) for f in features], options.rounds) / seconds
            shape = f"{name}, {one.num_parameters / 1e6:.2f} M"
            print(f"{shape:23} {precision:12} {size:5.2f} {cost:20.5f} {front + cost + search:7.5f}")


def _cost(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds of the cheapest round."""
    costs = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        costs.append(time.process_time() - begun)
    return min(costs)


def _features(recogniser: Recogniser, samples: np.ndarray) -> np.ndarray:
    utterance = recogniser.front.utterance()
    pieces = [utterance(samples[at : at + _BLOCK]) for at in range(0, len(samples), _BLOCK)]
    return np.concatenate([*pieces, utterance.finish()])


def _logits(network: Network, features: np.ndarray) -> np.ndarray:
    stream = network.utterance()
    return np.concatenate([stream(features), stream.finish()])


def _searched(recogniser: Recogniser, scores: np.ndarray) -> None:
    search = recogniser.graph.search(recogniser.beams)
    for at in range(0, len(scores), 10):
        search(scores[at : at + 10])
        search.so_far()
    search.finish()


if __name__ == "__main__":
    command(Options, run)
