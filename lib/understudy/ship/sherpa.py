"""A folder for sherpa-onnx, made from a folder of stage 12: the same network and graph, on another engine."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import onnx
from jinja2 import Environment, StrictUndefined

from understudy.device.decoding_graph import as_fst
from understudy.device.errors import DeviceError
from understudy.device.files import GRAPH, Files
from understudy.device.mapped import read_mapped
from understudy.device.network import PIECE
from understudy.device.openfst import Fst, read_fst, to_bytes
from understudy.ship import sherpa_graph, sherpa_network, sherpa_text
from understudy.ship.options import Told
from understudy.step import UserError, atomic_path, log

MODEL, TOKENS, WORDS, RULE, README = "model.onnx", "tokens.txt", "words.txt", "rule.fst", "README.md"
BEAM = 16.0
"""beam of sherpa-onnx's search, which is no option there"""
_HEARS = {"type": "log-mel", "sample_rate": 16000, "low_hz": 20, "high_hz": 7600, "window_s": 0.025, "shift_s": 0.01,
          "scale": 32768}  # fmt: skip
"""fixed settings of sherpa-onnx's front end, and the scale that `sherpa_network` makes up for"""
_FRAMES_MORE = 2  # a piece is processed once a frame of the next one is there, and a frame once its window is


def write_sherpa(device: Path, out: Path, told: Told) -> None:
    """Write model.onnx, graph.fst, tokens.txt, words.txt, README.md, and for readable text rule.fst.

    Args:
        device: folder of a precision.
        told: how the words come out.

    Raises:
        UserError: the folder is incomplete, or its network takes other features than the engine's.
    """
    try:
        files = Files.of(device)
        network, graph = onnx.load(files.network), _graph(files)
    except (DeviceError, ValueError) as error:
        raise UserError(f"{error}") from None
    described = {one.key: one.value for one in network.metadata_props}
    _check_features(described, files.network)
    about, scale = files.about, BEAM / files.about["beam"]
    made = sherpa_graph.as_sherpa(
        graph,
        files.sequences,
        about["sequence_base"],
        int(described["senones"]),
        about["silences"],
        scale,
        told == "text",
    )
    scoring = sherpa_network.Scoring(about["acoustic_scale"] * scale, about["prior_scale"], made.columns)
    _write(out / MODEL, sherpa_network.as_sherpa(network, described, scoring).SerializeToString())
    _write_fst(out / GRAPH, made.fst)
    words: list[str] = about["words"]
    join = sherpa_text.joining(words)
    said = [[words[word] for word in each] for each in made.said]
    _write(out / TOKENS, sherpa_text.tokens(said, made.blank, join).encode())
    _write(out / WORDS, "".join(f"{word} {number}\n" for number, word in enumerate(words)).encode())
    if told == "text":
        _write_fst(out / RULE, sherpa_text.rule(join))
    _write(out / README, _readme(about, described, told).encode())
    log.info("%s: %d columns for %s senones", out, len(made.columns), described["senones"])


def _graph(files: Files) -> Fst:
    if not files.mapped:
        return read_fst(files.graph)
    return as_fst(read_mapped(files.folder, files.sequences, files.about["sequence_base"]))


def _check_features(described: dict[str, str], network: Path) -> None:
    how = json.loads(described["features"])
    top = how["high_hz"] + (how["sample_rate"] / 2 if how["high_hz"] <= 0 else 0)  # Kaldi counts from half the rate
    for key, value in {**how, "high_hz": top}.items():
        if _HEARS.get(key, value) != value:
            raise UserError(f"{network}: {key} must be {_HEARS[key]} for sherpa-onnx's front end, got {value}")


def _readme(about: dict[str, Any], described: dict[str, str], told: Told) -> str:
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True)
    template = environment.from_string(Path(__file__).with_name("sherpa.md.jinja").read_text(encoding="utf-8"))
    return template.render(
        system=about["system"], told=told, max_active=about["max_active"], tail=silence_after(described),
        least_confidence=about.get("least_confidence"),
    )  # fmt: skip


def silence_after(described: dict[str, str]) -> float:
    """Return the seconds of zeros that audio needs at its end for its last frames to be heard, rounded up to tenths.

    Args:
        described: metadata of a network.onnx.
    """
    how = json.loads(described["features"])
    frames = how["stack"] * (int(described["delay"]) + PIECE) + _FRAMES_MORE
    return math.ceil(10 * frames * how["shift_s"]) / 10


def _write(path: Path, data: bytes) -> None:
    with atomic_path(path) as partial:
        partial.write_bytes(data)


def _write_fst(path: Path, fst: Fst) -> None:
    _write(path, to_bytes(fst))
