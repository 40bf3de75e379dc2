"""What every test needs: the library on the path, for this process and for those that it starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# All bring OpenFst along: in this order they get on, in others, and after some packages, one never returns.
import kaldifst  # noqa: F401

import kaldi_hmm_gmm  # noqa: F401  # isort: skip
import kaldilm  # noqa: F401

LIB = str(Path(__file__).resolve().parents[1] / "lib")

if LIB not in sys.path:
    sys.path.insert(0, LIB)
if LIB not in os.environ.get("PYTHONPATH", "").split(os.pathsep):
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [LIB, os.environ.get("PYTHONPATH")]))
