"""A corpus's preparation, called as a command or from here."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from lhotse import MonoCut

from understudy.corpus import read_cuts
from understudy.step import UserError

LOCAL = Path(__file__).parents[2] / "local"
SETS = ("labelled", "unlabelled", "dev", "test")


class Preparation:
    """`local/<corpus>/prepare.py`."""

    def __init__(self, corpus: str) -> None:
        self.script = LOCAL / corpus / "prepare.py"

    def module(self) -> ModuleType:
        """The script, imported."""
        name = f"prepare_{self.script.parent.name}"
        if name not in sys.modules:
            sys.path.insert(0, str(self.script.parent))  # as for a script
            spec = importlib.util.spec_from_file_location(name, self.script)
            sys.modules[name] = importlib.util.module_from_spec(spec)  # where dataclasses look their module up
            spec.loader.exec_module(sys.modules[name])
        return sys.modules[name]

    def command(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """The script, run."""
        return subprocess.run([sys.executable, self.script, *map(str, arguments)], capture_output=True, text=True)

    def made(self, corpus: Path, out: Path, **options: object) -> dict[str, list[MonoCut]]:
        """The sets that it wrote, by name, with two development speakers."""
        module = self.module()
        module.run(module.Options(out=out, corpus_dir=corpus, dev_speakers=2, **options), None)
        paths = {name: out / f"{name}.jsonl.gz" for name in SETS}
        return {name: list(read_cuts(path)) for name, path in paths.items() if path.exists()}

    def fault_of(self, corpus: Path, out: Path, **options: object) -> str:
        """What is said of a fault; no manifest is written."""
        with pytest.raises(UserError) as error:
            self.made(corpus, out, **options)
        assert not list(out.glob("*.jsonl.gz"))
        return str(error.value)
