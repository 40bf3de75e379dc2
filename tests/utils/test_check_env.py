"""utils/check_env.py, on packages that are missing, do not load, or do not fit."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "utils/check_env.py"


@pytest.fixture
def check(monkeypatch, tmp_path):
    """The script as a module, with an empty folder where packages are looked for first."""
    spec = importlib.util.spec_from_file_location("check_env", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.syspath_prepend(tmp_path)
    return module


@pytest.fixture
def package(monkeypatch, tmp_path):
    """Writes a package in the place of one that may be installed."""

    def write(name: str, **files: str) -> None:
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / name).mkdir()
        for file, text in {"__init__": "", **files}.items():
            (tmp_path / name / f"{file}.py").write_text(text)

    return write


def test_all_that_is_missing_is_named(check, monkeypatch):
    monkeypatch.setattr(check, "APART", ["no_such_apart"])
    monkeypatch.setattr(check, "FILES", {"no_such_data": "a/file", "pytest": "no/such/file"})
    with pytest.raises(check.BrokenEnvironment) as raised:
        check.import_all(["json", "no_such_one", "no_such_two"])
    for name in ("no_such_one", "no_such_two", "no_such_apart", "no_such_data", "pytest"):
        assert re.search(rf"^(cannot import )?{name}\b", str(raised.value), re.MULTILINE), name
    assert "json" not in str(raised.value)


def test_what_can_be_done_without_is_told(check, capsys, monkeypatch):
    monkeypatch.setitem(check.OPTIONAL, "no_such_one", "there is another way")
    assert check.import_optional("no_such_one", needed=False) is None
    assert "without no_such_one (is not installed): there is another way" in capsys.readouterr().err
    with pytest.raises(check.BrokenEnvironment, match="cannot import no_such_one: is not installed"):
        check.import_optional("no_such_one", needed=True)


def test_a_library_that_does_not_load_is_told_with_its_reason(check, package, capsys):
    package("torchaudio", __init__="raise OSError('libcudart.so: cannot open shared object file')")
    assert check.import_optional("torchaudio", needed=False) is None
    assert "without torchaudio (libcudart.so: cannot open" in capsys.readouterr().err


def test_k2_for_another_torch(check, package):
    package("k2", __init__="raise ImportError", torch_version='k2_torch_version = "2.11.0+cpu"\n')
    check.check_k2_build(SimpleNamespace(__version__="2.11.0+cu128"))
    with pytest.raises(check.BrokenEnvironment, match=r"built for torch 2\.11\.0, but torch 2\.13\.0 is installed"):
        check.check_k2_build(SimpleNamespace(__version__="2.13.0+cpu"))


def test_a_package_without_metadata_has_a_version(check):
    assert check.name_and_version("no_such_one", SimpleNamespace(__version__="1.2+mine")) == "no_such_one 1.2+mine"
    assert check.name_and_version("no_such_one", SimpleNamespace()) == "no_such_one of unknown version"
    assert check.name_and_version("pytest", pytest) == f"pytest {pytest.__version__}"


@pytest.mark.parametrize("gpus, said", [("echo 'GPU 0: Grand (UUID: GPU-1)'", True), ("exit 9", False)])
def test_a_gpu_that_torch_cannot_use_is_told(check, monkeypatch, tmp_path, capsys, gpus, said):
    def ones(number: int, device: str) -> None:
        raise AssertionError("Torch not compiled with CUDA enabled")

    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{gpus}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    check.check_gpu(SimpleNamespace(__version__="2.13.0+cpu", ones=ones))
    expected = (
        "torch 2.13.0+cpu cannot use GPU 0: Grand (Torch not compiled with CUDA enabled); training runs on the CPU"
    )
    assert (expected in capsys.readouterr().err) == said
