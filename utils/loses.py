#!/usr/bin/env python3
"""Say yes if a network of stage 12 loses more than so many per cent of its WER on dev by 8-bit numbers, else no.

Usage: utils/loses.py exp/device/networks/dev.json PER_CENT
"""

import json
import math
import sys
from pathlib import Path


def main() -> None:
    """Print the losses to standard error, the answer to standard output.

    The answer is no exit status: a script would take a file that cannot be read for an answer.
    """
    rates = {name: score["wer"] for name, score in json.loads(Path(sys.argv[1]).read_text()).items()}
    if "float32" not in rates or len(rates) < 2:
        raise SystemExit(f"{sys.argv[1]}: no rate in float32, or none in 8 bits. Run stage 12 again.")
    if None in rates.values():
        raise SystemExit(f"{sys.argv[1]}: dev has no words in its references, so that no loss is known. Name another.")
    full = rates.pop("float32")
    losses = {name: _loss(full, rate) for name, rate in rates.items()}
    print(", ".join(f"{name}: {loss:+.1f} % of the WER on dev" for name, loss in losses.items()), file=sys.stderr)
    print("yes" if max(losses.values()) > float(sys.argv[2]) else "no")


def _loss(full: float, rate: float) -> float:
    """Return the relative loss in per cent; infinite from no errors at all to some."""
    if full:
        return 100 * (rate / full - 1)
    return math.inf if rate else 0.0


if __name__ == "__main__":
    main()
