#!/usr/bin/env python3
"""Check that this Python has all that the recipes use, and that k2, if it is there, works with its torch.

e.g.: .venv/bin/python utils/check_env.py [--with-k2]
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from types import ModuleType

# What lib/, steps/ and tests/ import, torch first.
TOGETHER = (
    "torch numpy lhotse kaldi_native_fbank lilcom soundfile safetensors zstandard nltk num2words espeakng_loader onnx "
    "onnxruntime psutil cryptography distributed dask_jobqueue jsonargparse yaml cloudpickle tqdm matplotlib "
    "tensorboardX jinja2"
).split()

# Each is imported in a process of its own: some of them hang when they are imported in the wrong order
# (kaldifst and kaldi_hmm_gmm after kaldilm or kaldi_decoder).
APART = "kaldifst kaldi_hmm_gmm kaldi_decoder kaldilm kaldialign".split()

# Looked for, not imported: only a file of pocketsphinx is read, whatever Python it was built for.
FILES = {"pocketsphinx": "model/en-us/en-us.lm.bin"}

# What the recipes can do without; a line says what follows where one is missing or does not load.
OPTIONAL = {
    "k2": "the search is our own with numpy (--search numpy)",
    "torchaudio": "features are kaldi-native-fbank's (--backend kaldi-native-fbank)",
    "silero_vad": "long recordings without transcripts are refused, or stay whole (--cut.longest null)",
    "phonetisaurus": "words that no dictionary has get no pronunciations; it has builds for Linux x86_64 alone",
}

IMPORT_SECONDS = 120  # far more than any import takes, also from a slow disk

WAY_OUT = """\
What to do:
  .venv (made by utils/setup.sh): remove it and run utils/setup.sh again
  your own (UNDERSTUDY_VENV): install what is missing as docs/setup.md says, or unset UNDERSTUDY_VENV"""


class BrokenEnvironment(Exception):
    """Something that the recipes need is missing or does not work; the message says what."""


def import_all(names: Iterable[str]) -> dict[str, ModuleType]:
    """Import every package; raise BrokenEnvironment naming all that fail, each with its reason."""
    modules, failures = {}, []
    for name in names:
        try:
            modules[name] = importlib.import_module(name)
        except Exception as error:  # a broken shared library raises whatever it likes
            failures.append(f"cannot import {name}: {error}")
    failures += [reason for name in APART if (reason := _failure_apart(name)) is not None]
    failures += [f"{name} is missing, or its file {file}" for name, file in FILES.items() if not _has_file(name, file)]
    if failures:
        raise BrokenEnvironment("\n".join(failures))
    return modules


def _failure_apart(name: str) -> str | None:
    """Return why a package cannot be imported in a new process, or None if it can."""
    command = [sys.executable, "-c", f"import {name}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_SECONDS)
    except subprocess.TimeoutExpired:
        return f"import {name} did not return in {IMPORT_SECONDS} s"
    if done.returncode == 0:
        return None
    return f"cannot import {name}: {(done.stderr.strip().splitlines() or [f'exit status {done.returncode}'])[-1]}"


def _has_file(name: str, file: str) -> bool:
    return any((folder / file).is_file() for folder in _folders(name))


def _folders(name: str) -> list[Path]:
    """Return the folders of a package, without importing it; none if it is missing."""
    spec = importlib.util.find_spec(name)
    return [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []


def import_optional(name: str, needed: bool) -> ModuleType | None:
    """Return a package, or None after printing what replaces it; raise BrokenEnvironment if it is needed."""
    try:
        return importlib.import_module(name)
    except Exception as error:
        reason = "is not installed" if isinstance(error, ModuleNotFoundError) and error.name == name else str(error)
        if needed or not isinstance(error, ImportError | OSError):
            raise BrokenEnvironment(f"cannot import {name}: {reason}") from error
        print(f"environment: without {name} ({reason.splitlines()[0]}): {OPTIONAL[name]}", file=sys.stderr)
        return None


def check_k2_build(torch: ModuleType) -> None:
    """Raise BrokenEnvironment if k2 was built for another version of torch; to be called before k2 is imported."""
    for folder in _folders("k2"):
        text = (folder / "torch_version.py").read_text()
        built_for = re.search(r'^k2_torch_version = "([0-9.]+)', text, re.MULTILINE)[1]
        running = torch.__version__.split("+")[0]
        if built_for != running:
            raise BrokenEnvironment(
                f"k2 was built for torch {built_for}, but torch {running} is installed: install a k2 for torch "
                f"{running}, or torch {built_for}; or go without k2 (pip uninstall k2)"
            )


def check_gpu(torch: ModuleType) -> None:
    """Print a line if this machine has a GPU that torch cannot use: everything runs on the CPU then."""
    try:
        seen = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=IMPORT_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return
    if seen.returncode != 0 or not seen.stdout.startswith("GPU "):
        return
    try:
        torch.ones(2, device="cuda").sum().item()
    except Exception as error:  # AssertionError without CUDA, RuntimeError with a driver or a GPU that does not fit
        name = seen.stdout.splitlines()[0].split(" (UUID")[0]
        print(
            f"environment: torch {torch.__version__} cannot use {name} ({str(error).strip().splitlines()[0]}); "
            "training runs on the CPU. A newer torch (utils/setup.sh --lane current), or a newer driver, may use it",
            file=sys.stderr,
        )


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


def name_and_version(name: str, module: ModuleType) -> str:
    """Return e.g. `torch 2.13.0+cpu`; a package that was built by hand may state no version."""
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return f"{name} {getattr(module, '__version__', 'of unknown version')}"


def main() -> None:
    """Check everything and print what was found, or say what is wrong and exit with status 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--with-k2", action="store_true", help="k2 must be there too")
    with_k2 = parser.parse_args().with_k2 or bool(_folders("k2"))  # a k2 that is there must load
    try:
        modules = import_all(TOGETHER)
        torch = modules["torch"]
        check_k2_build(torch)
        optional = {name: import_optional(name, needed=with_k2 and name == "k2") for name in OPTIONAL}
        if (k2 := optional["k2"]) is not None:
            check_k2_search(k2, torch)
    except BrokenEnvironment as error:
        here = Path(sys.prefix)
        sys.exit(f"check_env.py: error: the environment {here} does not work\n{error}\n{WAY_OUT}")
    check_gpu(torch)
    versions = ", ".join(name_and_version(name, found) for name, found in [("torch", torch), ("k2", k2)] if found)
    python = ".".join(map(str, sys.version_info[:3]))
    print(f"environment: python {python}, {versions}: works", file=sys.stderr)


if __name__ == "__main__":
    main()
