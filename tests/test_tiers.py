"""Which tier a file's tests belong to."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from tests.conftest import tier
from tests.steps import test_decode

HERE = Path(__file__).parent


def module(**values: object) -> ModuleType:
    made = ModuleType("made")
    vars(made).update(values)
    return made


@pytest.mark.parametrize(
    ("file", "has", "found"),
    [
        ("train/test_x.py", {}, "unit"),
        ("train/test_x.py", {"subprocess": subprocess}, "integration"),
        ("train/test_x.py", {"helper": test_decode}, "integration"),
        ("train/test_x.py", {"helper": Path}, "unit"),
        ("egs/test_x.py", {"subprocess": subprocess}, "recipes"),
    ],
)
def test_it_follows_from_what_the_file_has_at_hand(file: str, has: dict[str, object], found: str) -> None:
    assert tier(HERE / file, module(**has)) == found
