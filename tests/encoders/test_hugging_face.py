"""Models of transformers against transformers itself, with tiny random weights; times that are known; bad folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.encoders.moments import noise
from tests.encoders.tiny import needs_transformers, save_samples, save_whisper

from understudy.encoders.encoder import Encoder
from understudy.encoders.loading import load_encoder
from understudy.encoders.options import EncoderOptions
from understudy.encoders.resample import at_our_frames
from understudy.step import UserError

pytestmark = needs_transformers


def loaded(folder: Path, **options: object) -> Encoder:
    """As a step loads it."""
    return load_encoder(folder, EncoderOptions(str(folder), **options))


def hidden_states(folder: Path, samples: np.ndarray) -> list[np.ndarray]:
    """(frames, dims) of every layer, by transformers' own pieces."""
    import transformers

    ears = transformers.AutoFeatureExtractor.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    given = ears(samples, sampling_rate=16000, return_tensors="pt")[ears.model_input_names[0]]
    if model.config.model_type == "whisper":
        model = model.get_encoder()
    with torch.no_grad():
        out = model(given, output_hidden_states=True)
    return [one[0].numpy() for one in (*out.hidden_states[:-1], out.last_hidden_state)]


@pytest.mark.parametrize(
    ("kind", "norm"), [("Wav2Vec2", "layer"), ("Wav2Vec2", "group"), ("Hubert", "group"), ("WavLM", "layer")]
)
def test_layers_are_those_of_transformers(tmp_path: Path, kind: str, norm: str) -> None:
    folder, samples = save_samples(tmp_path, kind, norm), noise(16000)
    expected = hidden_states(folder, samples)
    for layer, wanted in [(0, expected[0]), (2, expected[2]), (3, expected[3]), (None, expected[-1])]:
        encoder = loaded(folder, layer=layer)
        (rows,) = encoder([encoder.prepared(samples)])
        assert rows.shape == wanted.shape == (49, 16) and np.abs(rows - wanted).max() < 1e-5, layer
    assert (encoder.hop, encoder.middle, encoder.shortest) == (320, 200.0, 400)


def test_whispers_layers_are_those_of_transformers(tmp_path: Path) -> None:
    folder, samples = save_whisper(tmp_path), noise(20000)
    expected = hidden_states(folder, samples)
    for layer, wanted in [*enumerate(expected), (None, expected[-1])]:
        (rows,) = loaded(folder, layer=layer)([samples])
        assert rows.shape == wanted.shape == (100, 16) and np.abs(rows - wanted).max() < 1e-5, layer
    with pytest.raises(UserError, match=r"--encoder\.layer 4: .* has layers 0 to 3"):
        loaded(folder, layer=4)


@pytest.mark.parametrize("kind", ["Wav2Vec2", "Hubert"])
def test_letters_are_those_that_transformers_recognises(tmp_path: Path, kind: str) -> None:
    import transformers

    folder, samples = save_samples(tmp_path, kind, model="ForCTC", vocab_size=11), noise(16000)
    ears, model = (
        getattr(transformers, name).from_pretrained(folder) for name in ("AutoFeatureExtractor", "AutoModelForCTC")
    )
    model.lm_head.weight.data *= 40  # some letters are surer than others
    model.save_pretrained(folder)
    with torch.no_grad():
        given = ears(samples, sampling_rate=16000, return_tensors="pt")["input_values"]
        expected = model.eval()(given).logits[0].log_softmax(-1).clamp(min=-10).numpy()
    encoder = loaded(folder, head="ctc")
    (rows,) = encoder([encoder.prepared(samples)])
    assert rows.shape == expected.shape == (49, 11) and np.abs(rows - expected).max() < 1e-4
    assert rows.min() == -10 and rows.max() > -2


def test_a_model_that_recognises_no_letters_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"its weights lack 2, such as lm_head\.bias"):
        loaded(save_samples(tmp_path / "samples", vocab_size=11), head="ctc")
    with pytest.raises(UserError, match=r"--encoder\.head ctc: .* is a whisper, which has no such head"):
        loaded(save_whisper(tmp_path / "whisper"), head="ctc")
    with pytest.raises(UserError, match=r"--encoder\.head ctc is above the last layer; leave out --encoder\.layer 2"):
        EncoderOptions("model", layer=2, head="ctc")


def test_windows_side_by_side_are_as_alone(tmp_path: Path) -> None:
    encoder = loaded(save_samples(tmp_path))
    windows = [noise(n, n) for n in (16000, 9123, 400)]
    assert encoder.pads
    for together, window in zip(encoder(windows), windows, strict=True):
        (single,) = encoder([window])
        assert together.shape == single.shape and np.abs(together - single).max() < 1e-5
    assert not loaded(save_samples(tmp_path / "group", norm="group")).pads


def test_a_whisper_hears_a_short_cut_alone_where_it_may(tmp_path: Path) -> None:
    """As transformers would with so short a context, and the next one at full length again."""
    folder = save_whisper(tmp_path)
    padded, short = loaded(folder, layer=0), loaded(folder, layer=0, pad=False)
    samples, whole = noise(9000), noise(32000, 1)
    (expected,), (rows,) = padded([samples]), short([samples])
    assert (padded.pads, padded.padded, short.pads, short.padded) == (True, 32000, False, 0)
    # Before any attention the rows are the same, but for the last, beside which a convolution sees the edge.
    assert rows.shape == (29, 16) and np.abs(rows[:-1] - expected[:28]).max() < 1e-5
    assert np.abs(short([whole])[0] - padded([whole])[0]).max() < 1e-5


@pytest.mark.parametrize("kind", ["samples", "whisper"])
def test_bursts_are_heard_when_they_sound(tmp_path: Path, kind: str) -> None:
    """What a burst changes before any attention is around the middle of the burst, over many, within 3 ms."""
    save = {
        "samples": lambda: save_samples(tmp_path, num_conv_pos_embeddings=3, symmetric=True),
        "whisper": lambda: save_whisper(tmp_path, symmetric=True),
    }
    save[kind]()
    encoder = loaded(tmp_path, layer=0)
    background, off = noise(32000) * 0.01 + noise(32000, 1) * 0.01, []

    def ours(samples: np.ndarray) -> np.ndarray:
        return at_our_frames(encoder([samples])[0], 0, 66, 0, encoder.middle, encoder.hop)

    silent = ours(background)
    for at in np.random.default_rng(0).integers(6000, 26000, 24):
        burst = background.copy()
        burst[at : at + 160] += 0.3 * np.sin(np.arange(160) * 0.8).astype(np.float32)
        heard = np.square(ours(burst) - silent).sum(1)
        off.append(((0.03 * np.arange(66) + 0.015) * heard).sum() / heard.sum() - (at + 80) / 16000)
    assert abs(np.mean(off)) < 3e-3 and np.abs(off).max() < 0.03


def test_a_model_of_another_rate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="sampling_rate must be 16000, as our audio is, got 8000"):
        loaded(save_samples(tmp_path, rate=8000))


def test_log_mels_that_the_network_does_not_take_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="feature_size must be 128, as our audio and its network are, got 80"):
        loaded(save_whisper(tmp_path, mels=128))


def test_log_mels_of_another_length_are_refused(tmp_path: Path) -> None:
    folder = save_whisper(tmp_path)
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(UserError, match="its log-mels are of 30 s and its network is for 2 s"):
        loaded(folder)


def test_weights_that_are_not_all_there_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = save_samples(tmp_path)
    kept = load_file(folder / "model.safetensors")
    kept.pop("encoder.layers.1.attention.k_proj.weight")
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"its weights lack 1, such as encoder\.layers\.1\.attention\.k_proj\.weight"):
        loaded(folder)


def test_a_model_whose_times_are_not_known_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(UserError, match="the times of a bert's frames are not known"):
        loaded(tmp_path)


def test_damaged_weights_are_told(tmp_path: Path) -> None:
    folder = save_samples(tmp_path)
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match="transformers cannot load it"):
        loaded(folder)
