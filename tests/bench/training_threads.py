#!/usr/bin/env python3
"""Frames a second of training, by model, batch and threads, in turn so that a noisy machine is fair to all.

e.g.: OMP_NUM_THREADS=1 tests/bench/training_threads.py --threads 1 2
"""

import argparse
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lib"))

from understudy.models import LstmModel
from understudy.models.options import ModelOptions
from understudy.train import losses
from understudy.train.threads import Threads

MODELS = {
    "student 3x128": ModelOptions(layers=3, cells=128, delay=3, dropout=0.1),
    "teacher 3x192": ModelOptions(layers=3, cells=192, bidirectional=True, dropout=0.1),
}
FRAMES, INPUTS, SENONES = 90, 192, 300


def step(model: LstmModel, threads: Threads, batch: int) -> None:
    """One gradient over `batch` utterances of 2.7 s, shared out among the threads."""
    count = batch // threads.count
    seeds = [[1, number] for number in range(count)]
    lengths, labels = torch.full((count,), FRAMES), torch.randint(0, SENONES, (count * FRAMES,))

    def loss(features: torch.Tensor) -> torch.Tensor:
        return losses.hard(model(features, lengths, model.dropout_masks(seeds)).flatten(0, 1), labels)

    parts = [torch.randn(count, FRAMES, INPUTS) for _ in range(threads.count)]
    threads.gradients(list(model.parameters()), loss, parts, [1 / threads.count] * threads.count)


def main() -> None:
    """Print a line for each model and batch: frames a second with each number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    pools = [Threads(count) for count in options.threads]
    for name, shape in MODELS.items():
        model = LstmModel(shape, INPUTS, SENONES)
        for batch in (16, 32, 64):
            seconds = dict.fromkeys(options.threads, 0.0)
            for repeat in range(options.repeats + 1):
                for pool in pools:
                    start = time.perf_counter()
                    step(model, pool, batch)
                    if repeat:  # the first warms up
                        seconds[pool.count] += time.perf_counter() - start
            rates = {count: options.repeats * batch * FRAMES / spent for count, spent in seconds.items()}
            print(f"{name}, {batch} utterances:", ", ".join(f"{c} threads {r:.0f} frames/s" for c, r in rates.items()))


if __name__ == "__main__":
    main()
