"""Levels against what audio was made with: pauses, soft speakers, clipping, silence, parts of recordings."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse.utils import fastcopy

from understudy.corpus import Report, Utterance, build_cut
from understudy.corpus.levels import Levels, Meter, warnings
from understudy.corpus.validate import validate

RATE = 16000


def tone(seconds: float = 1.0, level: float = -20.0, frequency: float = 400.0) -> np.ndarray:
    """A sine whose RMS has this level, in dB of full scale."""
    return np.sqrt(2) * 10 ** (level / 20) * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)


def metered(samples: np.ndarray, block: int = RATE) -> Meter:
    meter = Meter(RATE)
    for start in range(0, len(samples), block):
        meter.add(samples[start : start + block].astype(np.float32))
    return meter


def reported(folder: Path, **speakers: np.ndarray) -> Report:
    """Of one utterance of each speaker, in 16 bits."""
    cuts, report = [], Report()
    for name, samples in speakers.items():
        path = folder / f"{name}.wav"
        soundfile.write(path, samples, RATE, subtype="PCM_16")
        cuts.append(build_cut(Utterance(f"u-{name}", path, "one", name)))
    list(validate(cuts, report=report))
    return report


@pytest.mark.parametrize("block", [RATE, 4000, 333])
def test_the_level_is_that_of_speech_whatever_the_pauses_the_blocks_and_the_offset(block):
    noise = np.random.default_rng(0).normal(0, 10 ** (-70 / 20), 3 * RATE)
    speech = np.concatenate([noise[:RATE], tone(0.6) + noise[: round(0.6 * RATE)], noise[RATE:]])
    assert metered(speech, block).level == pytest.approx(-20, abs=0.05)
    assert metered(speech + 0.1, block).level == pytest.approx(-20, abs=0.05)
    assert metered(speech / 10, block).level == pytest.approx(-40, abs=0.05)


def test_soft_parts_of_speech_count_as_far_as_30_db():
    assert metered(np.concatenate([tone(), tone(level=-45.0)])).level == pytest.approx(
        10 * np.log10((10**-2 + 10**-4.5) / 2), abs=0.05
    )
    assert metered(np.concatenate([tone(), tone(level=-55.0)])).level == pytest.approx(-20, abs=0.05)


@pytest.mark.parametrize(("samples", "level"), [(np.zeros(RATE), -np.inf), (np.zeros(0), -np.inf), (tone(0.01), -20)])
def test_of_no_speech_and_of_less_than_a_frame(samples, level):
    assert metered(samples).level == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize("block", [RATE, 7])
def test_clipped_is_several_samples_at_full_scale_in_a_row(block):
    peak = tone(level=20 * np.log10(0.5**0.5), frequency=100)  # normalised to its peak
    assert peak.max() == pytest.approx(1) and not metered(peak, block).clipped
    assert metered(np.clip(1.2 * peak, -1, 1), block).clipped
    assert metered(np.clip(1.2 * peak, -1, 0), block).clipped
    clicks = np.zeros(100)
    clicks[[5, 6, 20, 40]] = 1
    assert not metered(clicks, block).clipped


def test_a_cut_has_the_level_of_its_part_of_the_recording(tmp_path):
    soundfile.write(tmp_path / "long.wav", np.concatenate([tone(), tone(level=-40.0)]), RATE, subtype="PCM_16")
    whole, report = build_cut(Utterance("u", tmp_path / "long.wav", "one two", "ann")), Report()
    parts = []
    for number, name in enumerate(("ann", "bob")):
        said = fastcopy(whole.supervisions[0], id=name, speaker=name, duration=1.0)
        parts.append(fastcopy(whole, id=name, start=float(number), duration=1.0, supervisions=[said]))
    list(validate(parts, report=report))
    assert report.levels.speakers["ann"].mean == pytest.approx(-20, abs=0.1)
    assert report.levels.speakers["bob"].mean == pytest.approx(-40, abs=0.1)


def test_speakers_and_sets_are_told_with_mean_and_range(tmp_path):
    report = reported(tmp_path, ann=tone(level=-20.0), bob=tone(level=-26.0))
    told = report.levels.told()
    assert (told["mean"], told["softest"], told["loudest"]) == pytest.approx((-23, -26, -20), abs=0.1)
    assert told["speakers"]["bob"] == {"utterances": 1, "mean": -26.0, "softest": -26.0, "loudest": -26.0}
    assert told["clipped"] == told["silent"] == {"utterances": 0, "first": []}
    sentence = (
        "speech has -23.0 dBFS on average; speakers from -26.0 (bob) to -20.0 (ann), utterances from -26.0 to -20.0"
    )
    assert report.levels.in_words() == sentence
    assert warnings({"labelled": report.levels}) == []
    assert Levels().told() is Levels().in_words() is None  # no audio was read


def test_speakers_that_differ_are_told_softest_and_loudest(tmp_path):
    levels = {"labelled": reported(tmp_path, ann=tone(), bob=tone(level=-25.0)).levels,
              "dev": reported(tmp_path, cy=tone(level=-29.0), di=tone(level=-31.0)).levels}  # fmt: skip
    (found,) = warnings(levels)  # sets differ by 7.5 dB
    assert found.startswith("levels of speakers differ by 11.0 dB: the softest is di (dev, -31.0 dBFS)")
    assert "the loudest ann (labelled, -20.0 dBFS)" in found and "normalised online" in found
    levels["dev"] = reported(tmp_path, di=tone(level=-34.0)).levels
    sets, speakers = warnings(levels)
    assert sets.startswith("levels of sets differ by 11.5 dB: the softest is dev (-34.0 dBFS), the loudest labelled (")
    assert speakers.startswith("levels of speakers differ by 14.0 dB")


def test_clipped_and_silent_utterances_are_counted_and_the_first_named(tmp_path):
    clipped = {f"loud{i}": np.clip(tone(level=3.0), -1, 1) for i in range(7)}
    report = reported(tmp_path, ann=tone(level=-3.5), none=np.zeros(RATE), soft=tone(level=-65.0), **clipped)
    told = report.levels.told()
    assert told["silent"] == {"utterances": 2, "first": ["u-none", "u-soft"]}
    assert told["clipped"] == {"utterances": 7, "first": [f"u-loud{i}" for i in range(5)]}
    assert "none" not in told["speakers"] and told["softest"] == pytest.approx(-3.5, abs=0.1)
    clipping, silence = warnings({"labelled": report.levels})
    assert clipping.startswith("labelled: 7 of 10 utterances are clipped") and "u-loud0, u-loud1" in clipping
    assert silence.startswith("labelled: 2 of 10 utterances are silent") and "u-none, u-soft" in silence


def test_what_is_left_out_has_no_level(tmp_path, caplog):
    samples = tone()
    samples[800] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "good.wav", tone(), RATE)
    cuts = [build_cut(Utterance(name, tmp_path / f"{name}.wav", "one", name)) for name in ("nan", "good")]
    report = Report()
    with caplog.at_level(logging.ERROR):
        list(validate(cuts, bad="exclude", report=report))
    assert list(report.levels.speakers) == ["good"]
