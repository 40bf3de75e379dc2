"""A student's folders, one for each precision: they are made, compared with the model, and measured."""

from __future__ import annotations

import os
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from lhotse import CutSet

from understudy.corpus import read_cuts, write_cuts
from understudy.corpus.names import set_name
from understudy.corpus.subset import evenly
from understudy.decode.recogniser import Recogniser
from understudy.device.decoding_graph import DecodingGraph
from understudy.device.files import NETWORK, seal
from understudy.features import load_stacked
from understudy.score.confidence import normalised_cross_entropy
from understudy.score.interval import rounded
from understudy.score.outcome import told, write_outcome
from understudy.score.results import append_result, of_model, of_now
from understudy.score.tested import of_manifest
from understudy.ship.check import Likeness, compare
from understudy.ship.folder import seal_folder, write_graph
from understudy.ship.footprint import Footprint, measure, multiply_adds
from understudy.ship.options import Precision, ShipOptions
from understudy.ship.quantise import write_network
from understudy.step import Step, UserError, log, write_json

SAME = 1e-3  # largest difference of a logit that rounding may make


def ship(options: ShipOptions, step: Step) -> None:
    """Export, check, recognise the test sets, write a results line for each."""
    recogniser = Recogniser(options.recogniser)
    cuts = islice(CutSet.from_jsonl_lazy(options.calibrate), options.calibration)
    speech = [torch.from_numpy(load_stacked(cut, recogniser.normaliser)) for cut in cuts]
    graph = _graph(options, recogniser)
    _networks(options, recogniser, graph, speech, step.out)
    ways = recogniser.about.get("normalise", [])
    dev, how, tested = {}, {"normalise": ways}, _tested(options, step.out)
    folders = {name: step.out / name for name in options.precisions}
    likes = seal_alike(recogniser, speech[:20], folders, options.language, graph)
    for precision, like in likes.items():
        folder, kept = step.out / precision, step.out / "heard" / precision
        if options.dev:
            heard = measure(folder, options.dev, kept / "dev", options.shard_size, ways)
            dev[precision] = write_outcome(folder / "dev", heard.outcomes, how)
        for path in tested:
            name = set_name(path)
            found = measure(folder, path, kept / name, options.shard_size, ways, sure=True)
            score = write_outcome(folder / name, found.outcomes, how)
            line = _line(options, step, recogniser, precision, path) | score | _costs(folder, found, like)
            line |= _worth(found, recogniser)
            append_result(options.results, line | {"scored": os.path.relpath(folder / name, options.results.parent)})
            costs = found.rtf, line["bytes"] / 1e6, found.peak_mb
            log.info("%s, %s: %s, %.4f of real time, %.2f MB, %.0f MB in memory", precision, name, told(score), *costs)
    if dev:
        write_json(step.out / "dev.json", dev)


def _tested(options: ShipOptions, out: Path) -> list[Path]:
    """Return manifests of the test sets' utterances that are to be recognised."""
    if not options.utterances:
        return options.test
    manifests = [out / "tested" / path.name for path in options.test]
    for path, manifest in zip(options.test, manifests):
        write_cuts(manifest, evenly(read_cuts(path), options.utterances))
    return manifests


def _graph(options: ShipOptions, recogniser: Recogniser) -> DecodingGraph:
    """Return the graph that ships: with --compact the one with epsilons."""
    if not options.compact:
        return recogniser.graph
    if recogniser.compact is None:
        raise UserError(
            f"--compact true: {options.recogniser} has no graph with epsilons. Make the graph with --new-words 0 and "
            "without classes in the language model (steps/make_graph.py), and pack the recogniser anew."
        )
    return recogniser.compact


def _networks(
    options: ShipOptions, recogniser: Recogniser, graph: DecodingGraph, speech: list[torch.Tensor], out: Path
) -> None:
    """Write the graph, and the network of each precision."""
    for precision in options.precisions:
        (out / precision).mkdir(parents=True, exist_ok=True)
        write_network(
            precision, recogniser.model, recogniser.normaliser, recogniser.tree.fingerprint, speech,
            out / precision / NETWORK,
        )  # fmt: skip
    write_graph(graph, *(out / precision for precision in options.precisions))


def seal_alike(
    recogniser: Recogniser, speech: list[torch.Tensor], folders: dict[Precision, Path], language: bool = True,
    graph: DecodingGraph | None = None,
) -> dict[Precision, Likeness]:  # fmt: skip
    """Compare each folder's network with the model over utterances (frames, inputs), then complete the folders.

    Raises:
        UserError: the network in float32 differs from the model; then no folder is completed.
    """
    likes = {precision: compare(recogniser.model, folder / NETWORK, speech) for precision, folder in folders.items()}
    for precision, like in likes.items():
        log.info("%s: %s", precision, like)
        if precision == "float32" and like.largest > SAME:
            network = folders[precision] / NETWORK
            raise UserError(f"{network}: its logits differ from the model's by {like.largest:.2g}: do not ship it")
    for folder in folders.values():
        seal_folder(recogniser, folder, language, graph)
    return likes


def _line(options: ShipOptions, step: Step, recogniser: Recogniser, precision: str, manifest: Path) -> dict[str, Any]:
    return {
        "recipe": options.recipe, "system": f"{options.system}-{precision}", "test_set": set_name(manifest),
        "tested_on": of_manifest(manifest), "config": step.digest, "precision": precision, **of_model(recogniser.model),
        "multiply_adds_per_s": round(multiply_adds(recogniser.model)), **of_now(),
    }  # fmt: skip


def _worth(found: Footprint, recogniser: Recogniser) -> dict[str, Any]:
    """Return the normalised cross entropy of the confidences, and of the shares before calibration."""
    calibrated = list(map(recogniser.calibration or float, found.shares))
    each = [normalised_cross_entropy(of, found.right) for of in (calibrated, found.shares)]
    return {name: rounded(of) for name, of in zip(("nce", "nce_uncalibrated"), each)}


def _costs(folder: Path, found: Footprint, like: Likeness) -> dict[str, Any]:
    return {
        "bytes": seal(folder / NETWORK)["bytes"], "rtf": round(found.rtf, 5), "first_word_s": found.first_word_s,
        "end_s": found.end_s[0], "end_s_95": found.end_s[1], "peak_memory_mb": round(found.peak_mb),
        **{key: value for key, value in asdict(like).items() if key != "frames"},
    }  # fmt: skip
