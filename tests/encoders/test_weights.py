"""Where models are, and what is said where they are not."""

from __future__ import annotations

import os
import shutil
import socket
from importlib.util import find_spec
from pathlib import Path

import pytest

from understudy.encoders.weights import digest_of, located, weights
from understudy.step import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a model, as far as its files' names go."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model/config.json").write_text("{}")
    (tmp_path / "model/pytorch_model.bin").write_bytes(b"weights")
    return tmp_path / "model"


def test_a_folder_is_itself_and_its_digest_stays_where_it_moves(folder: Path, tmp_path: Path) -> None:
    assert located(str(folder)) == folder
    shutil.copytree(folder, tmp_path / "elsewhere")
    assert digest_of(tmp_path / "elsewhere") == digest_of(folder)


def test_other_weights_and_other_settings_have_another_digest(folder: Path) -> None:
    digests = {digest_of(folder)}
    (folder / "preprocessor_config.json").write_text('{"do_normalize": true}')
    digests.add(digest_of(folder))
    (folder / "pytorch_model.bin").write_bytes(b"Weights")
    digests.add(digest_of(folder))
    (folder / "README.md").write_text("words")
    assert len(digests) == 3 and digest_of(folder) in digests


def test_safetensors_go_before_older_files(folder: Path) -> None:
    (folder / "model-00001-of-00002.safetensors").write_bytes(b"1")
    (folder / "model-00002-of-00002.safetensors").write_bytes(b"2")
    assert [path.suffix for path in weights(folder)] == [".safetensors"] * 2


def test_a_folder_without_weights_is_told(folder: Path) -> None:
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(UserError, match=r"model: has no weights\. The folder of a model holds config\.json and one of"):
        located(str(folder))


def test_a_folder_that_is_not_there_is_not_asked_for_on_the_hub(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="gone: no such folder"):
        located(str(tmp_path / "gone"))


@pytest.mark.skipif(find_spec("huggingface_hub") is not None, reason="huggingface_hub is installed")
def test_a_name_without_the_extra_says_how_to_get_it() -> None:
    with pytest.raises(UserError, match=r"somebody/model: .*Run utils/setup\.sh --with encoders"):
        located("somebody/model")


@pytest.mark.skipif(
    find_spec("huggingface_hub") is None, reason="needs huggingface_hub (utils/setup.sh --with encoders)"
)
def test_a_name_that_cannot_be_had_says_what_to_do_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants

    def none(*_: object, **__: object) -> None:
        raise OSError("there is no network")

    monkeypatch.setattr(socket, "getaddrinfo", none)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert "HF_HUB_OFFLINE" not in os.environ
    with pytest.raises(
        UserError, match=r"Without network, fetch it elsewhere .*, copy the folder here, and give its path"
    ):
        located("somebody/model")
