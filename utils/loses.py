#!/usr/bin/env python3
"""Exit status 0 if a network of stage 12 loses more than so many per cent of its WER on dev by 8-bit numbers.

Usage: utils/loses.py exp/device/dev.json PER_CENT
"""

import json
import sys
from pathlib import Path


def main() -> int:
    """Print the losses; 0: one is too large, 1: none is, 2: they cannot be told."""
    rates = {name: score["wer"] for name, score in json.loads(Path(sys.argv[1]).read_text()).items()}
    full = rates.pop("float32", None)
    if not full or not rates:
        print(f"{sys.argv[1]}: no rate in float32 above 0, or none in 8 bits", file=sys.stderr)
        return 2
    losses = {name: 100 * (rate / full - 1) for name, rate in rates.items()}
    print(", ".join(f"{name}: {loss:+.1f} % of the WER on dev" for name, loss in losses.items()), file=sys.stderr)
    return 0 if max(losses.values()) > float(sys.argv[2]) else 1


if __name__ == "__main__":
    sys.exit(main())
