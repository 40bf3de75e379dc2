"""Tiny models of transformers with random weights, saved as real ones are."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

needs_transformers = pytest.mark.skipif(
    find_spec("transformers") is None, reason="needs transformers, which utils/setup.sh --with encoders installs"
)
SMALL = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}


def save_samples(
    folder: Path,
    kind: str = "Wav2Vec2",
    norm: str = "layer",
    rate: int = 16000,
    symmetric: bool = False,
    **more: object,
) -> Path:
    """A wav2vec 2.0, HuBERT or WavLM with convolutions as wide in time as theirs; `symmetric`: these do not lean."""
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(
        **{
            **SMALL, "conv_dim": (8,) * 7, "feat_extract_norm": norm, "num_conv_pos_embeddings": 16,
            "num_conv_pos_embedding_groups": 4, "do_stable_layer_norm": norm == "layer", **more,
        }
    )  # fmt: skip
    model = getattr(transformers, f"{kind}Model")(config)
    if symmetric:
        straighten(model.feature_extractor)
    model.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=rate, do_normalize=True).save_pretrained(folder)
    return folder


def save_whisper(folder: Path, seconds: int = 2, mels: int = 80, symmetric: bool = False) -> Path:
    """A Whisper that hears so many seconds at once."""
    import transformers

    torch.manual_seed(0)
    config = transformers.WhisperConfig(
        vocab_size=60, num_mel_bins=mels, encoder_layers=3, encoder_attention_heads=2, decoder_layers=1,
        decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, d_model=16,
        max_source_positions=50 * seconds, max_target_positions=20, pad_token_id=0, bos_token_id=0, eos_token_id=0,
        decoder_start_token_id=1,
    )  # fmt: skip
    model = transformers.WhisperModel(config)
    if symmetric:
        straighten(model)
    model.save_pretrained(folder)
    transformers.WhisperFeatureExtractor(feature_size=80, chunk_length=seconds).save_pretrained(folder)
    return folder


def straighten(model: torch.nn.Module) -> None:
    """Make convolutions hear as much after their middle as before it."""
    for one in model.modules():
        if isinstance(one, torch.nn.Conv1d):
            one.weight.data = (one.weight.data + one.weight.data.flip(-1)) / 2
