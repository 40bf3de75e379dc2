"""Loading of encoders of any kind."""

from __future__ import annotations

from pathlib import Path

from understudy.encoders.encoder import Encoder
from understudy.encoders.options import EncoderOptions
from understudy.encoders.weights import CONFIGURATIONS
from understudy.step import UserError, read_json


def load_encoder(folder: Path, options: EncoderOptions) -> Encoder:
    """Load the encoder in a folder with weights.

    Raises:
        UserError: the encoder is of no known kind, or cannot be loaded.
    """
    config = read_json(path := folder / CONFIGURATIONS[0])
    if "model_type" in config:
        from understudy.encoders import hugging_face

        return hugging_face.load(folder, options)
    if (folder / "model.bin").exists():
        from understudy.encoders.ctranslate2_whisper import CTranslate2Whisper

        return CTranslate2Whisper(folder, options)
    raise UserError(
        f"{path}: says no model_type, as those of transformers do, and there is no model.bin of CTranslate2"
    )
