"""Features of an encoder for manifests, set by set."""

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
    """Make features of all sets, their normaliser, and report.json with the features' type, sizes and CPU cost.

    The cost is that of this run's shards, including the time to load the encoder.
    """
    extractor = EncoderExtractor(options.encoder, options.max_seconds)
    sets: dict[str, dict[str, float | None]] = {}
    with Workers(options.jobs, options.cluster, options.threads, out) as workers:
        for name, path in zip(options.names, options.cuts, strict=True):
            speeds = [1.0, *(options.speeds or [])] if name in options.perturb else [1.0]
            there, begun = _shards(out, name), workers.cpu_seconds()
            extract_set(path, out, name, speeds, options.shard_size, extractor, workers)
            spent, hours = workers.cpu_seconds() - begun, _seconds(_shards(out, name) - there) / 3600
            sets[name] = {**_sizes(out, name), "cpu_s_per_hour": round(spent / hours, 1) if hours else None}
            log.info("%s: %s", name, sets[name])
    normaliser_of(out / f"{options.normalise_on}.jsonl.gz", None).save(out / "normaliser.json")
    write_json(out / "report.json", {"features": extractor.type, "weights": extractor.weights, "sets": sets})


def _shards(out: Path, name: str) -> set[Path]:
    return set((out / name).glob("*.jsonl.gz"))


def _seconds(manifests: set[Path]) -> float:
    return sum(cut.duration for path in manifests for cut in CutSet.from_jsonl_lazy(path))


def _sizes(out: Path, name: str) -> dict[str, float]:
    seconds = _seconds({manifest := out / f"{name}.jsonl.gz"})
    frames = sum(stacked_frames(cut) for cut in CutSet.from_jsonl_lazy(manifest))
    stored = sum(path.stat().st_size for path in (out / name).glob("*.lca"))
    return {"hours": round(seconds / 3600, 4), "frames": frames, "bytes_per_frame": round(stored / max(frames, 1), 1)}
