"""Whisper in CTranslate2 against the same weights in torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.encoders.moments import noise
from tests.encoders.tiny import converted, needs_ctranslate2, needs_transformers, save_whisper

from understudy.encoders.ctranslate2_whisper import CTranslate2Whisper
from understudy.encoders.loading import load_encoder
from understudy.encoders.options import EncoderOptions
from understudy.step import UserError

pytestmark = [needs_transformers, needs_ctranslate2]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A Whisper of 30 s for torch, and the same for CTranslate2."""
    torch_folder = save_whisper(tmp_path_factory.mktemp("torch"), seconds=30)
    return torch_folder, converted(torch_folder, tmp_path_factory.mktemp("ctranslate2") / "model")


def test_it_recognises_no_letters(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match=r"--encoder\.head ctc: .*Whisper"):
        load_encoder(folders[1], EncoderOptions(str(folders[1]), head="ctc"))


def test_it_makes_what_torch_makes(folders: tuple[Path, Path]) -> None:
    samples, short = noise(100_000), noise(20_000, 1)
    for pad in (True, False):
        in_torch, here = (load_encoder(f, EncoderOptions(str(f), pad=pad)) for f in folders)
        assert isinstance(here, CTranslate2Whisper)
        assert (here.longest, here.hop, here.pads, here.padded) == (
            in_torch.longest, in_torch.hop, in_torch.pads, in_torch.padded,
        )  # fmt: skip
        for window in (samples, short):
            (expected,), (rows,) = in_torch([window]), here([window])
            assert rows.shape == expected.shape and np.abs(rows - expected).max() < 1e-4


def test_it_has_one_layer(folders: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match=r"--encoder\.layer 2: CTranslate2 gives the last layer of .* alone"):
        load_encoder(folders[1], EncoderOptions(str(folders[1]), layer=2))


def test_damaged_weights_are_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({}))
    (tmp_path / "model.bin").write_bytes(b"no weights")
    with pytest.raises(UserError, match="CTranslate2 cannot load it as a Whisper"):
        load_encoder(tmp_path, EncoderOptions(str(tmp_path)))
