"""What sherpa-onnx hears, in a Python that has it: `python on_sherpa.py FOLDER OUT.json MOST PIECE TAIL FILE.wav…`.

FOLDER is one of steps/ship_sherpa.py, MOST how many states may be active. Audio comes in pieces of PIECE samples, with
TAIL seconds of zeros after it. Needs nothing but sherpa-onnx and numpy. OUT.json has text, numbers of words and times
of each file, and the costs.
"""

import json
import sys
import time
import wave
from pathlib import Path

import numpy as np
import sherpa_onnx

folder, out = map(Path, sys.argv[1:3])
most, piece, tail = int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
rule = folder / "rule.fst"
begun = time.process_time()
recognizer = sherpa_onnx.OnlineRecognizer.from_zipformer2_ctc(
    model=str(folder / "model.onnx"), tokens=str(folder / "tokens.txt"), ctc_graph=str(folder / "graph.fst"),
    ctc_max_active=most, feature_dim=64, num_threads=1, rule_fsts=str(rule) if rule.exists() else "",
)  # fmt: skip
loaded, heard, seconds = time.process_time(), {}, 0.0
for path in map(Path, sys.argv[6:]):
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32768
    seconds += len(samples) / 16000
    samples = np.concatenate([samples, np.zeros(round(16000 * tail), np.float32)])
    stream = recognizer.create_stream()
    for begin in range(0, len(samples), piece):
        stream.accept_waveform(16000, samples[begin : begin + piece])
        while recognizer.is_ready(stream):
            recognizer.decode_stream(stream)
    result = recognizer.get_result_all(stream)
    heard[path.name] = {
        "text": result.text, "words": list(result.words), "tokens": result.tokens, "times": list(result.timestamps),
    }  # fmt: skip
peak = next(int(x.split()[1]) for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmHWM"))
told = {
    "version": sherpa_onnx.__version__, "heard": heard, "load_s": loaded - begun, "peak_mb": peak / 1024,
    "rtf": (time.process_time() - loaded) / max(seconds, 1e-9),
}  # fmt: skip
out.write_text(json.dumps(told))
