"""Keyword spotting by a shipped student in a test set: its misses and false alarms, as a curve."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path
from typing import Any

from lhotse.cut import Cut

from understudy.corpus import in_shards
from understudy.device.errors import DeviceError
from understudy.device.files import Files
from understudy.device.recogniser import Recogniser
from understudy.device.wishes import Wishes
from understudy.features.extract import load_samples
from understudy.score.spotting import Told, curve, judged, picture, summary
from understudy.ship.options import SpottingOptions
from understudy.step import UserError, atomic_path, log, to_json, write_json

_ALL = 1e9
"""a misfit (nats) that no hit exceeds"""


def spot(options: SpottingOptions, out: Path) -> None:
    """Spot keywords in all utterances, shard by shard; shards that are done are not repeated after a kill.

    Raises:
        UserError: something is wrong with the keywords or the folder, or no keyword is said.
    """
    try:
        wishes = Wishes(words=options.words, keywords=options.keywords)
        student = Recogniser(options.device, wishes=wishes, most_misfit=_ALL)
    except DeviceError as error:
        raise UserError(str(error)) from None
    for told in student.told:
        log.warning("%s", told)
    heard = []
    for number, cuts in enumerate(in_shards(options.test, options.shard_size)):
        path = out / "heard" / f"{number:05d}.jsonl"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(path) as partial:
                partial.write_text(
                    "".join(to_json(_heard(student, cut), cut.id) + "\n" for cut in cuts), encoding="utf-8"
                )
            log.info("%s", path)
        heard += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    _tell(heard, Files.of(options.device).about.get("most_misfit"), out)


def _heard(student: Recogniser, cut: Cut) -> dict[str, Any]:
    """Return the keywords that are said in an utterance, and the hits in it."""
    if student.keywords is None:
        raise RuntimeError("no keywords to spot")
    found = student.whole(load_samples(cut))
    hits = [{"text": h.text, "start": round(h.start, 3), "end": round(h.end, 3), "misfit": h.misfit}
            for h in found.hits or []]  # fmt: skip
    said = student.keywords.count((cut.supervisions[0].text or "").split())
    return {"id": cut.id, "seconds": cut.duration, "said": said, "hits": hits}


def _tell(heard: list[dict[str, Any]], operating: float | None, out: Path) -> None:
    by_keyword = defaultdict[str, list[Told]](list)
    said = Counter(text for one in heard for text in one["said"])
    for one in heard:
        for text in {hit["text"] for hit in one["hits"]}:
            hits = [(hit["text"], hit["misfit"]) for hit in one["hits"] if hit["text"] == text]
            by_keyword[text] += judged(hits, one["said"])
    every, hours = said.total(), sum(one["seconds"] for one in heard) / 3600
    points = curve(chain.from_iterable(by_keyword.values()), every)
    found = summary(points, every, hours, operating)
    found["keywords"] = {
        text: summary(curve(by_keyword[text], said[text]), said[text], hours, operating) for text in sorted(said)
    }
    write_json(out / "keywords.json", found)
    picture(points, every, hours, out / "curve.png")
    for most, at in found["at_most_false_per_hour"].items():
        log.info("at most %s false alarms an hour: %.1f %% of %d missed (misfit %.2f nats at most)", most,
                 at["missed_percent"], every, at["most_misfit"])  # fmt: skip
    if operating is not None:
        at = found["operating"]
        log.info("as the folder is made (misfit %.2f nats at most): %.1f %% missed, %.2f false alarms an hour",
                 operating, at["missed_percent"], at["false_per_hour"])  # fmt: skip
