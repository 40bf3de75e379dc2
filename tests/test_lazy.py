"""Names of packages that are imported when they are asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

PACKAGES = ("corpus", "data", "features", "models", "shar", "targets")


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_has_the_names_that_it_promises(name: str) -> None:
    package = import_module(f"understudy.{name}")
    assert package.__all__
    for one in package.__all__:
        found = getattr(package, one)
        assert not isinstance(found, type(package)), f"{one} is a module too: which is meant hangs on who was first"


def test_a_name_that_a_package_has_not_is_an_error_as_anywhere() -> None:
    package = import_module("understudy.models")
    with pytest.raises(AttributeError, match=r"module 'understudy\.models' has no attribute 'nothing'"):
        _ = package.nothing
    with pytest.raises(ImportError, match="nothing"):
        from understudy.models import nothing  # noqa: F401


def test_a_package_alone_imports_nothing_and_its_modules_can_be_had() -> None:
    program = f"""if True:
        import sys
        from importlib import import_module
        for name in {PACKAGES}:
            import_module("understudy." + name)
        heavy = [name for name in ("torch", "lhotse", "numpy") if name in sys.modules]
        assert not heavy, heavy
        from understudy.models import options
        assert options.__name__ == "understudy.models.options" and "torch" not in sys.modules
        from understudy.models import LstmModel
        assert LstmModel.__module__ == "understudy.models.lstm"
    """
    subprocess.run([sys.executable, "-c", program], check=True)
