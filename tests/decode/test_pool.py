"""Processes that outlive a step know what they have loaded."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "ship"))
import toy_recogniser

from understudy import models
from understudy.decode.pool import Decoder
from understudy.decode.search import Beams


def test_a_model_that_is_made_again_in_its_place_is_another(tmp_path):
    toy_recogniser.make(tmp_path)

    def decoder():
        return Decoder(tmp_path, tmp_path / "HCLG.safetensors", tmp_path / "normaliser.json", Beams())

    before = decoder()
    assert decoder() == before
    model = models.load(tmp_path)
    with torch.no_grad():
        model.output.bias += 1
    models.save(model, tmp_path)
    assert decoder() != before
