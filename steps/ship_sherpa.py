#!/usr/bin/env python3
r"""Make a student's folders for sherpa-onnx, which runs on Android, iOS, small boards and in browsers.

e.g.: steps/ship_sherpa.py --networks exp/device/networks --out exp/device/sherpa-onnx

--networks is a folder of steps/ship.py. --out gets a folder for each of its precisions, whose README.md says how to
run it.
"""

from __future__ import annotations

from understudy.ship.options import SherpaOptions
from understudy.step import Step, UserError, main


def run(options: SherpaOptions, step: Step) -> None:
    """Write each precision's folder."""
    from understudy.device.files import DESCRIPTION
    from understudy.ship.sherpa import write_sherpa

    folders = sorted(path.parent for path in options.networks.glob(f"*/{DESCRIPTION}"))
    if not folders:
        raise UserError(f"{options.networks}: no folders of networks in it. Make them with steps/ship.py.")
    for folder in folders:
        write_sherpa(folder, step.out / folder.name, options.words)


if __name__ == "__main__":
    main(SherpaOptions, run, inputs=("networks",))
