#!/usr/bin/env python3
r"""Make a student's page for browsers, which recognises a WAV file or the microphone and needs only its own folder.

e.g.: steps/ship_web.py --device exp/device/networks/int8-dynamic --out exp/device/web

--device is a folder of steps/ship.py in 8 bits. --out gets the folder page, which any server of files serves:
python -m http.server --directory exp/device/web/page
"""

from __future__ import annotations

from understudy.ship.options import WebOptions
from understudy.step import Step, main


def run(options: WebOptions, step: Step) -> None:
    """Write the folder of the page."""
    from understudy.ship.web import write_web

    write_web(options.device, step.out / "page", options.most_bytes)


if __name__ == "__main__":
    main(WebOptions, run, inputs=("device",))
