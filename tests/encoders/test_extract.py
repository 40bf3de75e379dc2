"""Cuts to features: windows, batches, lengths, and what is stored, with an encoder whose numbers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lhotse import CutSet, MonoCut
from tests.encoders.moments import Moments, cut_of, moments, noise

from understudy.corpus import write_cuts
from understudy.encoders import extract
from understudy.encoders.extract import EncoderExtractor
from understudy.encoders.options import EncoderOptions
from understudy.encoders.resample import at_our_frames
from understudy.features import kind_of, load_frames, load_logmel, load_stacked, stacked_frames
from understudy.features.extract import LogmelExtractor, extract_set, normaliser_of
from understudy.parallel.workers import Workers
from understudy.step import UserError

SECONDS = (0.03, 0.5, 1.003, 1.01, 1.02, 1.4567, 2.0, 2.9999, 3.0, 4.21, 9.0, 13.013)


@pytest.fixture
def cuts(tmp_path: Path) -> list[MonoCut]:
    """Of many lengths, longer than a window too."""
    return [cut_of(tmp_path, f"u{n}", noise(round(s * 16000), n)) for n, s in enumerate(SECONDS)]


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> Moments:
    """What every extractor loads."""
    one = Moments()
    monkeypatch.setattr(extract, "load_encoder", lambda folder, options: one)
    extract._load.cache_clear()
    return one


def extractor(
    folder: Path, weights: bytes = b"weights", max_seconds: float = 6.0, **options: object
) -> EncoderExtractor:
    """Of a folder that looks like a model's."""
    (folder / "ears").mkdir(exist_ok=True)
    (folder / "ears/config.json").write_text("{}")
    (folder / "ears/model.bin").write_bytes(weights)
    return EncoderExtractor(EncoderOptions(str(folder / "ears"), context=0.25, **options), max_seconds)


def alone(cut: MonoCut) -> np.ndarray:
    """What the rule makes of all of a cut at once."""
    samples = cut.load_audio()[0]
    return at_our_frames(moments(samples), 0, (len(samples) + 80) // 160 // 3, 0, 200.0, 320)


def test_windows_and_batches_make_what_a_cut_alone_makes(tmp_path: Path, cuts: list[MonoCut], encoder: Moments) -> None:
    found = dict(extractor(tmp_path)(cuts))
    assert sorted(found) == list(range(len(cuts)))
    for number, cut in enumerate(cuts):
        assert np.abs(found[number] - alone(cut)).max() < 1e-6, cut.id
    lengths = [length for batch in encoder.heard for length in batch]
    assert max(lengths) == Moments.longest and min(lengths) == 480
    assert all(len(batch) == 1 or max(batch) * len(batch) <= 6 * 16000 for batch in encoder.heard)
    assert any(len(set(batch)) > 1 for batch in encoder.heard)  # of several lengths, side by side
    assert len(lengths) > len(cuts)  # some were windowed


def test_an_encoder_that_cannot_pad_hears_one_length_at_once(
    tmp_path: Path, cuts: list[MonoCut], encoder: Moments
) -> None:
    encoder.pads = False
    found = dict(extractor(tmp_path)([*cuts, cuts[3], cuts[3]]))
    assert all(len(set(batch)) == 1 for batch in encoder.heard) and any(len(batch) > 1 for batch in encoder.heard)
    assert np.array_equal(found[3], found[len(cuts)])


def test_silence_up_to_the_window_counts_in_a_batch(tmp_path: Path, cuts: list[MonoCut], encoder: Moments) -> None:
    encoder.padded = Moments.longest
    dict(extractor(tmp_path)(cuts))
    assert max(map(len, encoder.heard)) == 2  # 6 s of 3 s each


def test_frames_are_as_many_as_stacked_log_mels(tmp_path: Path, cuts: list[MonoCut], encoder: Moments) -> None:
    manifests = {}
    for name, one in (("logmel", LogmelExtractor("kaldi-native-fbank")), ("ears", extractor(tmp_path))):
        write_cuts(tmp_path / "set.jsonl.gz", cuts)
        extract_set(tmp_path / "set.jsonl.gz", tmp_path / name, "set", [1.0, 0.9, 1.1], 5, one, Workers(1))
        manifests[name] = list(CutSet.from_file(tmp_path / name / "set.jsonl.gz"))
    normaliser = normaliser_of(tmp_path / "ears/set.jsonl.gz", None)
    for log_mels, ears in zip(*manifests.values(), strict=True):
        assert log_mels.id == ears.id
        assert stacked_frames(log_mels) == stacked_frames(ears) == len(load_logmel(log_mels)) // 3
        assert len(load_frames(ears)) == len(load_stacked(ears, normaliser)) == stacked_frames(ears)
    with pytest.raises(UserError, match=r"has features of \w+: ears, last layer, and this takes log-mels"):
        load_logmel(manifests["ears"][0])


def test_what_is_stored_is_near_what_was_made(tmp_path: Path, encoder: Moments) -> None:
    rng = np.random.default_rng(0)
    one = extractor(tmp_path)
    for scale in (1e-3, 1.0, 300.0):
        frames = (scale * rng.normal(size=(400, 40)) * rng.uniform(0.7, 8, 40)).astype(np.float32)
        step = 2.0 ** one.tick_power(frames)
        assert np.quantile(frames.std(0), 0.1) / 16 < step <= np.quantile(frames.std(0), 0.1) / 8
    assert one.tick_power(np.zeros((5, 3), np.float32)) == -16


def test_a_killed_set_goes_on_to_the_same(tmp_path: Path, cuts: list[MonoCut], encoder: Moments) -> None:
    write_cuts(tmp_path / "set.jsonl.gz", cuts)
    manifest, shard = tmp_path / "out/set.jsonl.gz", tmp_path / "out/set/00001.lca"
    arguments = tmp_path / "set.jsonl.gz", tmp_path / "out", "set", [1.0], 4, extractor(tmp_path), Workers(1)
    extract_set(*arguments)
    whole, stored = manifest.read_bytes(), shard.read_bytes()
    manifest.unlink()
    shard.unlink()
    encoder.heard.clear()
    extract_set(*arguments)
    assert (manifest.read_bytes(), shard.read_bytes()) == (whole, stored)
    assert sum(map(len, encoder.heard)) == 4  # no others were heard again


def test_other_weights_or_options_are_another_kind(tmp_path: Path, cuts: list[MonoCut], encoder: Moments) -> None:
    write_cuts(tmp_path / "set.jsonl.gz", cuts[:2])
    kinds = []
    for number, (weights, options) in enumerate([(b"a", {}), (b"b", {}), (b"b", {"layer": 3}), (b"b", {"pad": False})]):
        one = extractor(tmp_path, weights, **options)
        extract_set(tmp_path / "set.jsonl.gz", tmp_path / str(number), "set", [1.0], 4, one, Workers(1))
        kinds.append(kind_of(next(iter(CutSet.from_file(tmp_path / str(number) / "set.jsonl.gz")))))
    assert len(set(kinds)) == 4
    assert kinds[2].name.endswith(": ears, layer 3") and kinds[2].inputs == 2


def test_weights_that_change_under_way_are_noticed(tmp_path: Path, cuts: list[MonoCut], encoder: Moments) -> None:
    before = extractor(tmp_path, b"before")
    extractor(tmp_path, b"after")
    with pytest.raises(UserError, match="ears: its weights changed while features are made of it"):
        next(before(cuts))


def test_a_cut_without_a_frame_is_named(tmp_path: Path, encoder: Moments) -> None:
    with pytest.raises(UserError, match="cut short: lasts 20 ms, and a frame takes 30"):
        next(extractor(tmp_path)([cut_of(tmp_path, "short", noise(320))]))


def test_features_that_are_no_numbers_are_named(tmp_path: Path, cuts: list[MonoCut], encoder: Moments) -> None:
    class Broken(Moments):
        def __call__(self, windows: list[np.ndarray]) -> list[np.ndarray]:
            return [np.full_like(one, np.nan) for one in super().__call__(windows)]

    extract._load.cache_clear()
    encoder.__class__ = Broken
    with pytest.raises(UserError, match=r"cut u0: .*ears makes features that are not finite numbers"):
        next(extractor(tmp_path)(cuts))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"layer": -1}, "--encoder.layer must be 0 or more, got -1"),
        ({"window": 4.0, "context": 2.0}, "--encoder.window must be at least a second longer than twice"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict, told: str) -> None:
    with pytest.raises(UserError, match=told):
        EncoderOptions("model", **options)
