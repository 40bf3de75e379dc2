"""Transcription of manifests by shard, with the CPU time that it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from lhotse.cut import Cut

from understudy.corpus import in_shards
from understudy.corpus.names import set_name
from understudy.parallel.workers import Workers
from understudy.pseudo.options import WhisperOptions
from understudy.pseudo.whisper import Said, Whisper
from understudy.step import atomic_path, log, read_json, to_json, write_json

TEXT, LINES = "text", "text.jsonl"


class _Task(NamedTuple):
    recogniser: Callable[[Sequence[Cut]], Iterator[Said]]
    cuts: list[Cut]
    path: Path


def transcribe_sets(options: WhisperOptions, out: Path) -> None:
    """Write `out/<set>/text` in Kaldi's format, `text.jsonl` with the recogniser's log-probabilities, and report.json.

    Each shard stores its CPU time, so that report.json has that of all shards, including the loading of the model,
    even if they were made by several runs.
    """
    one = options
    whisper = Whisper(one.model, one.language, one.beam, one.precision, one.batch)
    report: dict[str, Any] = {}
    with Workers(options.jobs, options.cluster, options.threads, out) as workers:
        for manifest in options.cuts:
            name = set_name(manifest)
            report[name] = _transcribe_set(manifest, out / name, options.shard_size, whisper, workers)
            log.info("%s: %s", name, report[name])
    write_json(out / "report.json", {"model": whisper.folder.name, "weights": whisper.digest, "sets": report})


def _transcribe_set(
    manifest: Path, folder: Path, shard_size: int, whisper: Whisper, workers: Workers
) -> dict[str, float | int | None]:
    folder.mkdir(parents=True, exist_ok=True)
    shards = enumerate(in_shards(manifest, shard_size))
    tasks = (_Task(whisper, cuts, folder / f"{number:05d}.json") for number, cuts in shards)
    cpu = seconds = 0.0
    number = empty = 0
    with _written(folder / TEXT) as text, _written(folder / LINES) as lines:
        for path in workers.map(_transcribe_shard, tasks, f"{manifest}: shards"):
            shard = read_json(path)
            cpu, seconds = cpu + shard["cpu_s"], seconds + shard["speech_s"]
            for one in shard["cuts"]:
                text.write(f"{one['id']} {one['text']}".rstrip() + "\n")
                lines.write(to_json(one, one["id"], ensure_ascii=False) + "\n")
                number, empty = number + 1, empty + (not one["text"])
    per_hour = round(3600 * cpu / seconds, 1) if seconds else None
    return {"cuts": number, "without_words": empty, "hours": round(seconds / 3600, 4), "cpu_s_per_hour": per_hour}


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    with atomic_path(path) as partial, partial.open("w", encoding="utf-8") as file:
        yield file


def _transcribe_shard(task: _Task) -> Path:
    if task.path.exists():
        return task.path
    begun, cuts = time.process_time(), []
    for cut, said in zip(task.cuts, task.recogniser(task.cuts), strict=True):
        sure = {"log_probability": round(said.log_probability, 4), "no_speech": round(said.no_speech, 4)}
        cuts.append({"id": cut.id, "text": said.text, **sure})
    seconds = sum(cut.duration for cut in task.cuts)
    spent = time.process_time() - begun
    write_json(task.path, {"cpu_s": round(spent, 3), "speech_s": round(seconds, 3), "cuts": cuts})
    return task.path
