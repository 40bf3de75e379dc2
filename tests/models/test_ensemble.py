"""Several networks heard as one: the mean of what they say, on disk as in memory, and refused where one is needed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import torch

from understudy import models
from understudy.models import Ensemble, LstmModel
from understudy.models.options import ModelOptions
from understudy.step import UserError

STEP = Path(__file__).parents[2] / "steps/combine.py"


def network(seed: int, senones: int = 7, tree: str = "oak", **shape: object) -> LstmModel:
    torch.manual_seed(seed)
    model = LstmModel(ModelOptions(2, **{"cells": 12, **shape}), 10, senones)
    model.log_priors.copy_(torch.randn(senones).log_softmax(0))
    model.meta = {"tree": tree, "labelled_hours": 1.0 + seed, "unlabelled_hours": 0.0, "updates": 100, "seed": seed}
    return model.eval()


def combine(folder: Path, *members: LstmModel) -> subprocess.CompletedProcess:
    for number, member in enumerate(members):
        (folder / str(number)).mkdir()
        models.save(member, folder / str(number))
    names = ",".join(str(folder / str(number)) for number in range(len(members)))
    command = [str(STEP), "--models", f"[{names}]", "--out", str(folder / "all")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_says_the_mean_of_what_its_members_say(tmp_path):
    members = [network(0), network(1, cells=8, bidirectional=True), network(2)]
    members[1].meta["warnings"] = ["10.0 % of dev frames right"]
    assert combine(tmp_path, *members).returncode == 0
    ensemble = models.load_any(tmp_path / "all")
    heard = [torch.randn(9, 10), torch.randn(4, 10)]
    for number, found in enumerate(ensemble.logits(heard)):
        mean = torch.stack([m.logits(heard)[number].softmax(1) for m in members]).mean(0)
        torch.testing.assert_close(found.exp(), mean)
    torch.testing.assert_close(ensemble.log_posteriors(heard)[1], ensemble.logits(heard)[1])
    torch.testing.assert_close(ensemble.log_priors.exp(), torch.stack([m.log_priors.exp() for m in members]).mean(0))
    assert ensemble.num_parameters == sum(m.num_parameters for m in members)
    assert ensemble.meta["labelled_hours"] == 3.0 and ensemble.meta["updates"] == 300 and ensemble.senones == 7
    assert ensemble.meta["warnings"] == [f"{tmp_path / '1'}: 10.0 % of dev frames right"]


def test_one_network_is_still_one(tmp_path):
    models.save(network(0), tmp_path)
    assert isinstance(models.load_any(tmp_path), LstmModel)
    assert models.load(tmp_path).meta == network(0).meta


def test_it_is_refused_where_one_network_is_needed(tmp_path):
    models.save(Ensemble([network(0), network(1)], {}), tmp_path)
    with pytest.raises(UserError, match="2 networks; this takes one"):
        models.load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes((tmp_path / "model.safetensors").read_bytes()[:-50])
    with pytest.raises(UserError, match=r"not the weights that model\.json describes"):
        models.load_any(tmp_path)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (network(1, senones=8), "senones: 8 -> 7"),
        (network(1, tree="elm"), "tree: elm -> oak"),
        (None, "give at least two"),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path, other, said):
    done = combine(tmp_path, *filter(None, [network(0), other]))
    assert done.returncode == 1 and said in done.stderr
    assert not (tmp_path / "all/model.json").exists()
