"""Processes that outlive a step know what they have loaded."""

import torch
from tests.ship import toy_recogniser

from understudy import models
from understudy.decode.batch import Decoder
from understudy.decode.options import Beams


def test_a_model_that_is_made_again_in_its_place_is_another(tmp_path):
    toy_recogniser.make(tmp_path)

    def decoder():
        return Decoder(tmp_path, tmp_path, tmp_path / "normaliser.json", Beams())

    before = decoder()
    assert decoder() == before
    model = models.load(tmp_path)
    with torch.no_grad():
        model.output.bias += 1
    models.save(model, tmp_path)
    assert decoder() != before
