"""Whisper as a recogniser against the same weights in transformers; long cuts; what is no such model."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tests.encoders.moments import cut_of, noise
from tests.encoders.tiny import needs_ctranslate2, needs_transformers, save_recogniser

from understudy.pseudo.whisper import Loaded, Said, Whisper, load, whole_segments
from understudy.step import UserError

pytestmark = [needs_transformers, needs_ctranslate2]


def whisper(folder: Path, beam: int = 1, language: str = "en", batch: int = 2) -> Whisper:
    return Whisper(str(folder), language, beam, "float32", batch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Whisper of English alone."""
    return save_recogniser(tmp_path_factory.mktemp("whisper"))


@torch.no_grad()
def log_posteriors(folder: Path, samples: np.ndarray, ids: list[int]) -> tuple[torch.Tensor, dict[str, int]]:
    """Of each token behind the prompt, and of what follows the last, by transformers; and the numbers of all tokens."""
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

    model = WhisperForConditionalGeneration.from_pretrained(folder.parent / "torch").eval()
    tokens = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    prompt = [tokens["<|startoftranscript|>"], tokens["<|notimestamps|>"]]
    heard = WhisperFeatureExtractor()(samples, sampling_rate=16000, return_tensors="pt").input_features
    logits = model(input_features=heard, decoder_input_ids=torch.tensor([prompt + ids])).logits[0, 1:]
    return logits.log_softmax(1), tokens


def test_each_token_is_the_likeliest_by_transformers_too(folder: Path, tmp_path: Path) -> None:
    cuts = [cut_of(tmp_path, f"u{n}", noise(length, n)) for n, length in enumerate((40_000, 90_000, 16_000))]
    said = list(whisper(folder)(cuts))
    assert [one.text for one in said] == [one.text for one in whisper(folder, batch=3)(cuts)]
    for one, cut in zip(said, cuts, strict=True):
        samples = cut.load_audio()[0]
        ((ids, result),) = load(whisper(folder))._generated([samples], timed=False)
        posteriors, tokens = log_posteriors(folder, samples, ids)
        ended = len(result.sequences_ids[0]) == len(ids) + 1 or len(ids) < 200
        follow = [*ids, tokens["<|endoftext|>"]] if ended else ids
        assert posteriors[: len(follow)].argmax(1).tolist() == follow
        mean = np.mean([float(posteriors[i, number]) for i, number in enumerate(follow)])
        assert one.log_probability == pytest.approx(mean, abs=1e-3) and 0 <= one.no_speech <= 1
        assert one.text.split() == [f"w{number}" for number in ids if number < 40]


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        ([100, 1, 2, 150, 150, 3, 4, 200, 200, 5], ([100, 1, 2, 150, 150, 3, 4, 200], 100)),  # the last is cut off
        ([100, 1, 2, 150, 150, 3, 180], ([100, 1, 2, 150, 150, 3, 180], 0)),  # then silence
        ([100, 1, 2, 150, 150], ([100, 1, 2, 150], 50)),
        ([100, 1, 2], ([100, 1, 2], 0)),
        ([], ([], 0)),
    ],
)
def test_segments_end_where_two_time_stamps_stand(ids: list[int], found: tuple[list[int], int]) -> None:
    assert whole_segments(ids, 100) == found


def test_a_long_cut_goes_on_where_the_last_segment_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, first = load(whisper(folder)), load(whisper(folder)).untimed + 1
    samples, begins = np.arange(70 * 16000, dtype=np.float32), []
    told = [[first, 1, 2, first + 1000, first + 1000, 3], [first, 4], [5]]  # 20 s are whole; no pair; the rest

    def generated(windows: list[np.ndarray], timed: bool) -> list[tuple[list[int], object]]:
        begins.append((int(windows[0][0]) / 16000, len(windows[0]) / 16000, timed))
        return [(told[len(begins) - 1], type("Result", (), {"scores": [-len(begins)], "no_speech_prob": 0.5}))]

    monkeypatch.setattr(loaded, "_generated", generated)
    assert loaded.heard_long(samples) == Said("w1 w2 w4 w5", pytest.approx((-1 * 5 - 2 * 3 - 3 * 2) / 10), 0.5, 10)
    assert begins == [(0, 30, True), (20, 30, True), (50, 20, False)]


def test_a_long_cut_is_heard(folder: Path, tmp_path: Path) -> None:
    (said,) = whisper(folder)([cut_of(tmp_path, "long", noise(31 * 16000))])
    assert said.text and said.log_probability < 0


def test_languages(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"--language de: .* knows English alone"):
        Loaded(whisper(folder, language="de"))
    loaded = Loaded(whisper(folder))
    assert loaded.prompt == [41]  # behind forty words and the end
    monkeypatch.setattr(loaded, "ears", SimpleNamespace(network=SimpleNamespace(is_multilingual=True)))
    assert loaded._prompt("en") == ["startoftranscript", "en", "transcribe"]
    with pytest.raises(UserError, match=r"no token <\|xx\|>.*--language"):
        loaded._id(loaded._prompt("xx")[1])


def test_what_is_no_such_model_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"must be a Whisper of CTranslate2"):
        whisper(folder.parent / "torch")
    (tmp_path / "model").mkdir()
    for name in ("config.json", "model.bin", "vocabulary.json"):
        (tmp_path / "model" / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(UserError, match=r"tokenizer\.json: no such file"):
        whisper(tmp_path / "model")
    (tmp_path / "model/tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match=r"tokenizer\.json: cannot be read"):
        Loaded(whisper(tmp_path / "model"))
