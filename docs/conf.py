"""Settings of Sphinx, which makes pages of docs/ and of the library's docstrings: `sphinx-build docs docs/_build`."""

from __future__ import annotations

import re

project = "Understudy"
author = copyright = "The Understudy authors"
extensions = ["myst_parser", "autoapi.extension", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = project
html_static_path = ["pictures"]
exclude_patterns = ["_build"]
suppress_warnings = [
    "autoapi.python_import_resolution",  # of what is imported from where it was imported itself
    "ref.python",  # words of a description that several classes have as attributes: they are no references
]

myst_heading_anchors = 3

autoapi_dirs = ["../lib/understudy"]
autoapi_root = "api"
autoapi_options = ["members", "undoc-members", "show-inheritance", "show-module-summary"]
autoapi_python_class_content = "both"
autoapi_member_order = "bysource"
autoapi_add_toctree_entry = False
autoapi_keep_files = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes that a class describes are declared in it, too


def _within(app: object, name: str, source: list[str]) -> None:
    """Links out of docs/ point to what the pages have: the README is the first page, other files stay names."""
    source[0] = re.sub(r"\]\(\.\./README\.md", "](index.md", source[0])
    source[0] = re.sub(r"\[([^\]]+)\]\(\.\./[^)]*\)", r"\1", source[0])


def _included(app: object, path: object, parent: str, content: list[str]) -> None:
    """The same of the README, which lies outside: its links to what is not in docs/ stay names."""
    content[0] = content[0].replace('"docs/pictures/', '"_static/')
    content[0] = re.sub(r"\[([^\]]+)\]\((?!docs/|https?:|#)[^)]*\)", r"\1", content[0])


def setup(app: object) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _within)
    app.connect("include-read", _included)
