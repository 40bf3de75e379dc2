"""What every test needs: the library on the path, for this process and for those that it starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

LIB = str(Path(__file__).resolve().parents[1] / "lib")

if LIB not in sys.path:
    sys.path.insert(0, LIB)
if LIB not in os.environ.get("PYTHONPATH", "").split(os.pathsep):
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [LIB, os.environ.get("PYTHONPATH")]))
