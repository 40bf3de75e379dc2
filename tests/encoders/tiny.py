"""Tiny models of transformers with random weights, saved as real ones are."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

needs_transformers = pytest.mark.skipif(
    find_spec("transformers") is None, reason="needs transformers, which utils/setup.sh --with encoders installs"
)
needs_ctranslate2 = pytest.mark.skipif(
    find_spec("ctranslate2") is None, reason="needs ctranslate2, which utils/setup.sh --with encoders installs"
)
SMALL = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}


def save_samples(
    folder: Path,
    kind: str = "Wav2Vec2",
    norm: str = "layer",
    rate: int = 16000,
    symmetric: bool = False,
    model: str = "Model",
    **more: object,
) -> Path:
    """A wav2vec 2.0, HuBERT or WavLM with convolutions as wide in time as theirs; `symmetric`: these do not lean.

    Args:
        model: ForCTC: it recognises `vocab_size` letters too.
    """
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(
        **{
            **SMALL, "conv_dim": (8,) * 7, "feat_extract_norm": norm, "num_conv_pos_embeddings": 16,
            "num_conv_pos_embedding_groups": 4, "do_stable_layer_norm": norm == "layer", **more,
        }
    )  # fmt: skip
    made = getattr(transformers, f"{kind}{model}")(config)
    if symmetric:
        straighten(made.feature_extractor)
    made.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=rate, do_normalize=True).save_pretrained(folder)
    return folder


def save_whisper(
    folder: Path, seconds: int = 2, mels: int = 80, symmetric: bool = False, tokens: int = 60, positions: int = 20,
) -> Path:  # fmt: skip
    """A Whisper that hears so many seconds at once, and says at most so many of these tokens."""
    import transformers

    torch.manual_seed(0)
    config = transformers.WhisperConfig(
        vocab_size=tokens, num_mel_bins=mels, encoder_layers=3, encoder_attention_heads=2, decoder_layers=1,
        decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24, d_model=16,
        max_source_positions=50 * seconds, max_target_positions=positions, pad_token_id=0, bos_token_id=0,
        eos_token_id=0, decoder_start_token_id=1,
    )  # fmt: skip
    model = transformers.WhisperModel(config)
    if symmetric:
        straighten(model)
    model.save_pretrained(folder)
    transformers.WhisperFeatureExtractor(feature_size=80, chunk_length=seconds).save_pretrained(folder)
    return folder


SPECIAL = "endoftext startoftranscript transcribe translate startoflm startofprev nospeech notimestamps en".split()


def converted(folder: Path, out: Path, vocabulary: list[str] | None = None) -> Path:
    """A Whisper of transformers for CTranslate2, by the parts of its own converter that need no tokeniser."""
    from ctranslate2.converters.transformers import WhisperLoader
    from transformers import WhisperForConditionalGeneration

    vocabulary = vocabulary or [f"<|{name}|>" for name in SPECIAL] + [f"w{n}" for n in range(60 - len(SPECIAL))]
    spec = WhisperLoader().get_model_spec(WhisperForConditionalGeneration.from_pretrained(folder))
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.lang_ids, spec.config.alignment_heads = [vocabulary.index("<|en|>")], [(0, 0)]
    spec.validate()
    spec.optimize()
    out.mkdir()
    spec.save(str(out))
    return out


def save_recogniser(folder: Path) -> Path:
    """A Whisper of CTranslate2 with its tokeniser, in `folder/model`; that of transformers is in `folder/torch`.

    Tokens stand in the order of real ones: words, specials, time stamps.
    """
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    specials = [one for one in SPECIAL if one != "notimestamps"] + ["notimestamps"]
    vocabulary = [f"w{n}" for n in range(40)] + [f"<|{name}|>" for name in specials]
    vocabulary += [f"<|{tick / 50:.2f}|>" for tick in range(11)]
    torch_folder = save_whisper(folder / "torch", 30, tokens=len(vocabulary), positions=448)
    out = converted(torch_folder, folder / "model", vocabulary)
    numbers = {token: number for number, token in enumerate(vocabulary)}
    Tokenizer(WordLevel(numbers, "w0")).save(str(out / "tokenizer.json"))
    return out


def straighten(model: torch.nn.Module) -> None:
    """Make convolutions hear as much after their middle as before it."""
    for one in model.modules():
        if isinstance(one, torch.nn.Conv1d):
            one.weight.data = (one.weight.data + one.weight.data.flip(-1)) / 2
