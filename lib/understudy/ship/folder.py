"""The folder that goes to a device: network, graph, their description, and the run-time itself."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import understudy.device
from understudy.decode.recogniser import Recogniser
from understudy.device.files import ARCS, DESCRIPTION, FORMAT, G2P, GRAPH, LANGUAGE, NETWORK, PLACES, STATES, seal
from understudy.device.mapped import write_mapped
from understudy.device.places import Places
from understudy.lang.graph import DecodingGraph, write_fst
from understudy.step import atomic_path, log, to_json, write_json

RUNTIME = "understudy_device"
COMMAND = "understudy-listen"
PACKAGES = ("numpy", "onnxruntime", "kaldi_native_fbank", "kaldifst", "kaldi-hmm-gmm")
"""all that the run-time needs"""

_ENTRY = f"""#!/usr/bin/env python3
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
try:
    from {RUNTIME}.__main__ import main
except ImportError as error:
    sys.exit(f"{COMMAND}: error: {{error}}. Install what it needs: pip install -r requirements.txt")
sys.exit(main())
"""


def write_graph(graph: DecodingGraph, first: Path, *others: Path) -> None:
    """Write the decoding graph, which networks of one tree share, to the folder of each, and no other graph there.

    A graph with epsilons is written in files to be mapped, another one in OpenFst's format.
    """
    for folder in (first, *others):
        for name in (GRAPH, ARCS, STATES):
            (folder / name).unlink(missing_ok=True)
    if graph.has_epsilons:
        write_mapped(graph, first)
    else:
        write_fst(graph, first / GRAPH)
    for folder in others:
        for name in _graph_files(graph):
            shutil.copyfile(first / name, folder / name)


def _graph_files(graph: DecodingGraph) -> tuple[str, ...]:
    return (ARCS, STATES) if graph.has_epsilons else (GRAPH,)


def seal_folder(recogniser: Recogniser, out: Path, language: bool = True, graph: DecodingGraph | None = None) -> None:
    """Write the run-time beside network and graph, then device.json, which makes the folder whole.

    Args:
        language: write language.json too, so that graphs can be made on the device.
        graph: the one that `write_graph` wrote; None: the recogniser's.
    """
    graph = graph or recogniser.graph
    package = Path(understudy.device.__file__).parent
    (out / RUNTIME).mkdir(exist_ok=True)
    for source in sorted(package.glob("*.py")):
        shutil.copyfile(source, out / RUNTIME / source.name)
    with atomic_path(out / COMMAND) as partial:
        partial.write_text(_ENTRY)
    (out / COMMAND).chmod(0o755)
    with atomic_path(out / "requirements.txt") as partial:
        partial.write_text("".join(f"{_pinned(name)}\n" for name in PACKAGES))
    files = [NETWORK, *_graph_files(graph)]
    if language:
        files += _write_language(recogniser, out)
    write_json(
        out / DESCRIPTION, {**_described(recogniser, graph), "files": {name: seal(out / name) for name in files}}
    )


def _write_language(recogniser: Recogniser, out: Path) -> list[str]:
    """Write what graphs are made from on the device, and return the names of the files."""
    tree, names = recogniser.tree, [LANGUAGE]
    from understudy.device.language import language_values  # brings OpenFst

    about = language_values(recogniser.vocabulary, tree.nodes, tree.fingerprint)
    with atomic_path(out / LANGUAGE) as partial:
        text = to_json(about, LANGUAGE, ensure_ascii=False, separators=(",", ":"))  # compact: lexicons are long
        partial.write_text(text, encoding="utf-8")
    if (recogniser.folder / PLACES).exists():
        names.append(PLACES)
        with atomic_path(out / PLACES) as partial:
            Places.read(recogniser.folder / PLACES).dearer(recogniser.scales.word).save(partial)
    if (recogniser.folder / G2P).exists():
        names.append(G2P)
        with atomic_path(out / G2P) as partial:
            shutil.copyfile(recogniser.folder / G2P, partial)
    log.info("%s: %s", out, ", ".join(f"{name} {(out / name).stat().st_size} bytes" for name in names))
    return names


def _described(recogniser: Recogniser, graph: DecodingGraph) -> dict[str, Any]:
    lexicon, tree, beams = recogniser.lexicon, recogniser.tree, recogniser.beams
    return {
        "format": FORMAT, "system": recogniser.about["system"], "tree": tree.fingerprint,
        "acoustic_scale": recogniser.scales.acoustic, "prior_scale": recogniser.scales.prior, "beam": beams.search,
        "min_active": beams.min_active, "max_active": beams.max_active, "silences": recogniser.silences,
        "least_confidence": recogniser.least_confidence, "most_misfit": recogniser.about.get("most_misfit"),
        "lattice_beam": beams.output, "calibration": recogniser.calibration and asdict(recogniser.calibration),
        "words": list(lexicon.words), "sequence_base": graph.sequence_base,
        "sequences": [list(words) for words in graph.word_sequences],
    }  # fmt: skip


def _pinned(name: str) -> str:
    from importlib.metadata import version

    return f"{name}=={version(name)}"
