"""An encoder hears manifests, set by set."""

from __future__ import annotations

from pathlib import Path

from lhotse import CutSet

from understudy.encoders.extract import EncoderExtractor
from understudy.encoders.options import EncoderFeatureOptions
from understudy.features import stacked_frames
from understudy.features.extract import extract_set, normaliser_of
from understudy.parallel.workers import Workers
from understudy.step import log, write_json


def make_features(options: EncoderFeatureOptions, out: Path) -> None:
    """Features of all sets and their normaliser; report.json says of what, and how large each set is."""
    extractor = EncoderExtractor(options.encoder, options.max_seconds)
    sets: dict[str, dict[str, float]] = {}
    with Workers(options.jobs, options.cluster, options.threads, out) as workers:
        for name, path in zip(options.names, options.cuts, strict=True):
            speeds = [1.0, *(options.speeds or [])] if name in options.perturb else [1.0]
            before = workers.cpu_seconds()
            extract_set(path, out, name, speeds, options.shard_size, extractor, workers)
            sets[name] = _sizes(out, name)
            log.info("%s: %s; %.0f CPU seconds in this run", name, sets[name], workers.cpu_seconds() - before)
    normaliser_of(out / f"{options.normalise_on}.jsonl.gz", None).save(out / "normaliser.json")
    write_json(out / "report.json", {"features": extractor.type, "weights": extractor.weights, "sets": sets})


def _sizes(out: Path, name: str) -> dict[str, float]:
    seconds, frames = 0.0, 0
    for cut in CutSet.from_jsonl_lazy(out / f"{name}.jsonl.gz"):
        seconds, frames = seconds + cut.duration, frames + stacked_frames(cut)
    stored = sum(path.stat().st_size for path in (out / name).glob("*.lca"))
    return {"hours": round(seconds / 3600, 4), "frames": frames, "bytes_per_frame": round(stored / max(frames, 1), 1)}
