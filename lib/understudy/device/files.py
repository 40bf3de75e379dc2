"""The folder that stage 12 makes: device.json, the network and the graph."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import DeviceError

FORMAT = 1
DESCRIPTION, NETWORK, GRAPH = "device.json", "network.onnx", "graph.fst"
ARCS, STATES = "arcs.npy", "states.npy"
"""files of a large graph, in place of graph.fst"""
LANGUAGE, PLACES, G2P = "language.json", "places.npz", "g2p.npz"
"""files of folders that accept their users' sentences and words"""

_NUMBER = (int, float)
_KEYS: dict[str, type | tuple[type, ...]] = {
    "tree": str, "acoustic_scale": _NUMBER, "prior_scale": _NUMBER, "beam": _NUMBER, "min_active": int,
    "max_active": int, "silences": list, "words": list, "sequence_base": int, "sequences": list, "files": dict,
}  # fmt: skip
"""keys that device.json must have, and the types of their values"""
_OPTIONAL = {
    **dict.fromkeys(("least_confidence", "most_misfit", "lattice_beam"), (*_NUMBER, type(None))),
    "calibration": (dict, type(None)),
}
"""keys that older folders lack"""


@dataclass(frozen=True)
class Files:
    """The files of a folder, which are complete and belong together."""

    folder: Path
    about: dict[str, Any]
    """values of device.json"""

    @property
    def network(self) -> Path:
        """The acoustic model."""
        return self.folder / NETWORK

    @property
    def graph(self) -> Path:
        """The decoding graph, where it is not mapped."""
        return self.folder / GRAPH

    @property
    def mapped(self) -> bool:
        """Whether the decoding graph is a large one, in files that are mapped into memory."""
        return ARCS in self.about["files"]

    @property
    def sequences(self) -> list[tuple[int, ...]]:
        """Word ids that the graph's outputs from `sequence_base` on stand for."""
        return [tuple(words) for words in self.about["sequences"]]

    @property
    def language(self) -> Path:
        """Pronunciations and tree, for graphs made on the device. Raises DeviceError where the folder has none."""
        return self._extra(LANGUAGE, "--grammar and --words need")

    @property
    def places(self) -> Path:
        """The places where words can be set into the graph. Raises DeviceError where there are none."""
        if self.mapped:
            raise DeviceError(
                f"{self.folder}: its graph, of a large vocabulary, has no place for --words. Make the graph with "
                "--new-words above 0, or classes in the language model, and the folder anew; or give --grammar."
            )
        return self._extra(PLACES, "--words needs")

    @property
    def g2p(self) -> Path:
        """The model that guesses pronunciations, which not all folders have."""
        return self.folder / G2P

    def _extra(self, name: str, needs: str) -> Path:
        if name not in self.about["files"]:
            raise DeviceError(
                f"{self.folder}: no {name} in it, which {needs}. Make graph, recogniser and folder anew (stages 11 and "
                "12); steps/ship.py --language true carries it along."
            )
        return self.folder / name

    @classmethod
    def of(cls, folder: Path) -> Files:
        """Read device.json and check the other files against it.

        Raises:
            DeviceError: a file is missing, cut off, changed, or of a later version; or device.json lacks something.
        """
        about = _description(folder)
        for name, expected in about["files"].items():
            _check(folder / name, expected)
        return cls(folder, about)


def seal(path: Path) -> dict[str, Any]:
    """Return what device.json records of a file: its length in bytes and its SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def _description(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise DeviceError(f"{folder}: no {DESCRIPTION} in it. Give the folder that stage 12 made.") from None
    except (OSError, ValueError) as error:
        raise DeviceError(f"{path}: cannot be read ({error}). Copy the folder again.") from None
    if not isinstance(about, dict):
        raise DeviceError(f"{path}: describes nothing. Copy the folder again.")
    if about.get("format") != FORMAT:
        raise DeviceError(
            f"{path}: format {about.get('format')}; this run-time reads format {FORMAT}. "
            "Take the run-time that lies in the folder."
        )
    wrong = [key for key, kind in _KEYS.items() if not isinstance(about.get(key), kind)]
    wrong += [key for key, kind in _OPTIONAL.items() if not isinstance(about.get(key), kind)]
    if not wrong and not _sealed(about["files"]):
        wrong = ["files"]
    if wrong:
        raise DeviceError(f"{path}: nothing to be used for {', '.join(wrong)} in it. Copy the folder again.")
    return about


def _sealed(files: dict[str, Any]) -> bool:
    """Whether network and graph are among the files, and each file has a length."""
    return ({NETWORK, GRAPH} <= files.keys() or {NETWORK, ARCS, STATES} <= files.keys()) and all(
        isinstance(one, dict) and isinstance(one.get("bytes"), int) for one in files.values()
    )


def _check(path: Path, expected: dict[str, Any]) -> None:
    if not path.exists():
        raise DeviceError(f"{path}: no such file. Copy the whole folder.")
    found = seal(path)
    if found["bytes"] < expected["bytes"]:
        raise DeviceError(f"{path}: cut off, {found['bytes']} of {expected['bytes']} bytes. Copy it again.")
    if found != expected:
        raise DeviceError(f"{path}: not the file that {DESCRIPTION} describes. Copy the whole folder again.")
