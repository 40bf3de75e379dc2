#!/usr/bin/env python3
"""Check that this Python has all that the recipes use, and that k2 works with its torch.

e.g.: .venv/bin/python utils/check_env.py
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

# What lib/, steps/ and tests/ import. k2 comes after torch, which it was built for.
TOGETHER = (
    "numpy torch torchaudio k2 lhotse kaldi_native_fbank lilcom soundfile safetensors zstandard nltk espeakng_loader "
    "phonetisaurus jsonargparse yaml cloudpickle tqdm matplotlib tensorboardX jinja2 pocketsphinx"
).split()

# Each in a process of its own: some of these, imported after one another in the wrong order, wait for ever
# (kaldifst and kaldi_hmm_gmm after kaldilm or kaldi_decoder).
APART = "kaldifst kaldi_hmm_gmm kaldi_decoder kaldilm kaldialign".split()

IMPORT_SECONDS = 120  # far more than any import takes, also from a slow disk

WAY_OUT = """\
What to do:
  .venv (made by utils/setup.sh): remove it and run utils/setup.sh again
  your own (UNDERSTUDY_VENV): install what is missing as docs/setup.md says, or unset UNDERSTUDY_VENV"""


class BrokenEnvironment(Exception):
    """Something that the recipes need is missing or does not work; the message says what."""


def import_all(names: list[str]) -> dict[str, ModuleType]:
    """Import every package; raises BrokenEnvironment naming all that fail, each with its reason."""
    modules, failures = {}, []
    for name in names:
        try:
            modules[name] = importlib.import_module(name)
        except Exception as error:  # a broken shared library raises whatever it likes
            failures.append(f"cannot import {name}: {error}")
    if failures:
        raise BrokenEnvironment("\n".join(failures))
    return modules


def import_apart(names: list[str]) -> None:
    """Import each package in a new process; raises BrokenEnvironment if one fails or does not return."""
    for name in names:
        command = [sys.executable, "-c", f"import {name}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise BrokenEnvironment(f"import {name} did not return in {IMPORT_SECONDS} s") from error
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise BrokenEnvironment(f"cannot import {name}: {reason}")


def check_k2_build(k2: ModuleType, torch: ModuleType) -> None:
    """k2's binary fits one version of torch; raises BrokenEnvironment if this is another."""
    built_for = importlib.import_module("k2.torch_version").k2_torch_version.split("+")[0]
    running = torch.__version__.split("+")[0]
    if built_for != running:
        raise BrokenEnvironment(f"k2 was built for torch {built_for}, but torch {running} is installed")


def check_k2_search(k2: ModuleType, torch: ModuleType) -> None:
    """Decode three frames with a graph of two words and compare with the answer worked out by hand.

    The graph accepts "1 1* 2 2*" (score 0) and "3 3*" (score -1). The frames (3 frames, labels 0 to 3, log
    scores) prefer 1, 2, 2: total -0.3, against -16 for 3, 3, 3.
    """
    graph = k2.Fsa.from_str("0 1 1 0\n0 3 3 -1\n1 1 1 0\n1 2 2 0\n2 2 2 0\n2 4 -1 0\n3 3 3 0\n3 4 -1 0\n4")
    frames = torch.tensor([[[-1e30, -0.1, -5, -5], [-1e30, -5, -0.1, -5], [-1e30, -5, -0.1, -5]]])
    segments = torch.tensor([[0, 0, 3]], dtype=torch.int32)
    lattice = k2.intersect_dense_pruned(
        k2.create_fsa_vec([graph]),
        k2.DenseFsaVec(frames, segments),
        search_beam=50.0,
        output_beam=50.0,
        min_active_states=1,
        max_active_states=100,
    )
    best = k2.shortest_path(lattice, use_double_scores=True)
    labels = best.labels.tolist()
    score = float(best.get_tot_scores(use_double_scores=True, log_semiring=False)[0])
    if labels != [1, 2, 2, -1] or abs(score + 0.3) > 1e-4:
        raise BrokenEnvironment(
            f"k2 found the path {labels} with score {score:.4f} in a graph whose best path is "
            "[1, 2, 2, -1] with score -0.3000"
        )


def main() -> None:
    """Check everything and print one line, or say what is wrong and exit with status 1."""
    try:
        modules = import_all(TOGETHER)
        import_apart(APART)
        check_k2_build(modules["k2"], modules["torch"])
        check_k2_search(modules["k2"], modules["torch"])
    except BrokenEnvironment as error:
        here = Path(sys.prefix)
        sys.exit(f"check_env.py: error: the environment {here} does not work\n{error}\n{WAY_OUT}")
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "k2"))
    python = ".".join(map(str, sys.version_info[:3]))
    print(f"environment: python {python}, {versions}: works", file=sys.stderr)


if __name__ == "__main__":
    main()
