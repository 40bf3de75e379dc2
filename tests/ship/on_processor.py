"""Run networks in a process that may be an emulated processor's: `python on_processor.py FOLDER OUT.npz`.

FOLDER holds networks NAME.onnx and the inputs of their runs in NAME.npz, as "RUN input". What comes out is
"NAME RUN output".
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime

options, found = onnxruntime.SessionOptions(), {}
options.intra_op_num_threads = options.inter_op_num_threads = 1
for path in sorted(Path(sys.argv[1]).glob("*.onnx")):
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    runs: dict[str, dict[str, np.ndarray]] = {}
    for key, values in np.load(path.with_suffix(".npz")).items():
        run, name = key.split()
        runs.setdefault(run, {})[name] = values
    for run, inputs in runs.items():
        for output, values in zip(session.get_outputs(), session.run(None, inputs), strict=True):
            found[f"{path.stem} {run} {output.name}"] = values
np.savez(sys.argv[2], **found)
