"""The step that ships: what is refused does not lie there as if it could be used."""

from __future__ import annotations

import copy
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
import toy_recogniser

from understudy.device.faults import DeviceError
from understudy.device.recogniser import Recogniser
from understudy.features.logmel import NUM_MELS
from understudy.models import AcousticModel
from understudy.ship.export import export
from understudy.ship.folder import write_graph
from understudy.stage import UserError


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = Path(__file__).parents[2] / "steps" / "ship.py"
    spec = importlib.util.spec_from_file_location("ship_step", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "ship_step", module)
    spec.loader.exec_module(module)
    return module


def test_a_network_that_is_not_the_model_makes_no_folder_whole(step: ModuleType, tmp_path: Path) -> None:
    ours, speech = toy_recogniser.make(tmp_path / "recogniser"), [torch.randn(30, 3 * NUM_MELS)]
    folders = {name: tmp_path / name for name in ("int8-dynamic", "float32")}

    def networks(model: AcousticModel) -> None:
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
            export(model, ours.normaliser, ours.tree.fingerprint, folder / "network.onnx")
            write_graph(ours.graph, folder)

    other = copy.deepcopy(ours.model)
    with torch.no_grad():
        other.output.bias.add_(0.1)
    networks(other)
    with pytest.raises(UserError, match=r"float32/network\.onnx: its logits differ from the model's by 0\.1"):
        step.seal_alike(ours, speech, folders)
    for folder in folders.values():
        with pytest.raises(DeviceError, match=r"no device\.json in it"):
            Recogniser(folder)
    networks(ours.model)
    likes = step.seal_alike(ours, speech, folders)
    assert list(likes) == list(folders) and likes["float32"].largest < step.SAME
    for folder in folders.values():
        assert Recogniser(folder).network.senones == ours.model.senones
