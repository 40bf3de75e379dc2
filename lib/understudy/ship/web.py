"""A page for browsers, made from a folder of stage 12: the same network, graph and front end, in JavaScript."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from understudy.device.errors import DeviceError
from understudy.device.features import FrontEnd
from understudy.device.files import Files
from understudy.device.openfst import read_fst
from understudy.ship import web_features, web_graph, web_network
from understudy.step import UserError, atomic_path, log, to_json

PAGE = Path(__file__).with_name("page")
"""folder of HTML, style and modules, which are the same for every student"""
DESCRIPTION, NUMBERS = "model.json", "model.bin"
FORMAT = 1
_ALIGNED = 8  # bytes; a typed array begins at a multiple of its width

Arrays = dict[str, np.ndarray]


def write_web(device: Path, out: Path, most_bytes: int) -> int:
    """Write the page, model.bin and, last, model.json, which completes the folder.

    Args:
        device: folder of a precision, in 8 bits.
        most_bytes: greatest size of all files of `out` together.

    Returns:
        Their size in bytes.

    Raises:
        UserError: the folder is incomplete, its network is of a kind that the page cannot run, or they are too large.
    """
    about, arrays = _model(device)
    numbers, places = packed(arrays)
    text = to_json({**about, "arrays": places, "bytes": len(numbers)}, DESCRIPTION, separators=(",", ":"))
    page = sorted(PAGE.iterdir())
    size = len(numbers) + len(text.encode()) + sum(path.stat().st_size for path in page)
    if size > most_bytes:
        raise UserError(
            f"{out}: must have {most_bytes} bytes at most, got {size}, of which model.bin has {len(numbers)}; ship a "
            "smaller student or graph, or raise --most-bytes"
        )
    for path in page:
        with atomic_path(out / path.name) as partial:
            shutil.copyfile(path, partial)
    for name, data in ((NUMBERS, numbers), (DESCRIPTION, text.encode())):
        with atomic_path(out / name) as partial:
            partial.write_bytes(data)
    log.info("%s: %d bytes, %d of them numbers", out, size, len(numbers))
    return size


def _model(device: Path) -> tuple[dict[str, Any], Arrays]:
    """Return model.json without its arrays, and the arrays."""
    try:
        files = Files.of(device)
        if files.mapped:
            raise UserError(
                f"{device}: its graph has epsilons, which the page does not search. Ship it with steps/ship.py "
                "--compact false."
            )
        network, graph = onnx.load(files.network), read_fst(files.graph)
        described = {one.key: one.value for one in network.metadata_props}
        front = FrontEnd(described, files.network)
    except (DeviceError, ValueError) as error:
        raise UserError(f"{error}") from None
    about = files.about
    hears, of_features = web_features.as_web(described, front)
    runs, of_network = web_network.as_web(network, described, files.network)
    searches, of_graph = web_graph.as_web(graph, files.graph)
    priors = np.array(json.loads(described["log_priors"]), np.float32)
    steps = "int8-static" if runs["steps"] else "int8-dynamic"
    keys = ("beam", "min_active", "max_active", "silences")
    search = {"scale": float(np.float32(about["acoustic_scale"])), **{key: about[key] for key in keys}}
    search["least_confidence"] = about.get("least_confidence")
    words = {key: about[key] for key in ("words", "sequence_base", "sequences")}
    whole = {
        "format": FORMAT, "system": about["system"], "precision": steps, "features": hears, "network": runs,
        "graph": searches, "search": search, **words,
    }  # fmt: skip
    return whole, {**of_features, **of_network, "offset": about["prior_scale"] * priors, **of_graph}


def packed(arrays: Arrays) -> tuple[bytes, dict[str, dict[str, Any]]]:
    """Return all numbers in a row, little-endian, and each array's kind, length, and byte at which it begins."""
    data, places = bytearray(), {}
    for name, values in arrays.items():
        data += bytes(-len(data) % _ALIGNED)
        places[name] = {"kind": values.dtype.name, "length": values.size, "at": len(data)}
        data += values.astype(values.dtype.newbyteorder("<")).tobytes()
    return bytes(data), places
