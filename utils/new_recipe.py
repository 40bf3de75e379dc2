#!/usr/bin/env python3
"""Make a recipe, egs/NAME/s1, for a corpus of your own, and prepare that: nothing is to be written by hand.

e.g.: utils/new_recipe.sh mine --from folder --path recordings --pattern '{speaker}/{take}'
      utils/new_recipe.sh mine --from kaldi --labelled-path data/train --dev-path data/dev --test-path data/test
      utils/new_recipe.sh svenska --from table --path cv-corpus/sv-SE --labelled 0.3
      utils/new_recipe.sh hanyu --from lhotse:aishell --path /corpora/aishell
      utils/new_recipe.sh mine --from lhotse --path cuts.jsonl.gz --dev 0.05 --test 0.05 --lexicon lexicon.txt
"""

from __future__ import annotations

import sys
from dataclasses import fields, make_dataclass
from pathlib import Path

from understudy.intake import layout
from understudy.intake.command import layout_of
from understudy.intake.recipe import ROOT, make_recipe
from understudy.intake.sizes import Sizes
from understudy.step import UserError
from understudy.step.options import parse


def main() -> None:
    """Make the recipe, and say what to do next."""
    name, *rest = sys.argv[1:] or ["--help"]
    if name in ("--help", "-h"):
        rest = ["--help"]
    elif name.startswith("-"):
        print(f"error: {name}: the name of the recipe comes first, then --from and the layout.", file=sys.stderr)
        raise SystemExit(2)
    source, rest = layout_of(rest, __doc__)
    kind = layout(source)
    options = make_dataclass("Options", [("folder", Path | None, None)], bases=(kind,), kw_only=True)
    options.__doc__ = f"{kind.__doc__}\n\n    Args:\n        folder: of the recipe; by default egs/NAME/s1\n    "
    try:
        values = parse(options, __doc__, rest)
        corpus = kind(**{one.name: getattr(values, one.name) for one in fields(kind)})
        folder = values.folder or ROOT / "egs" / name / "s1"
        sizes = make_recipe(name, source, corpus, folder)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    _say(folder, sizes, (folder / "data/corpus/unlabelled.jsonl.gz").exists())


def _say(folder: Path, sizes: Sizes, unlabelled: bool) -> None:
    """Print the reasons for the sizes, what there is none of, and what to do next."""
    print(*sizes.why, sep="\n")
    if not unlabelled:
        print(
            "There is no unlabelled speech, so no student is distilled: give unlabelled_path in conf/corpus.yaml,\n"
            "or labelled a smaller share, whose rest is unlabelled then."
        )
    print(f"The recipe is in {folder}. Look at its run.sh and conf/, then:\n  cd {folder}")
    print("  ./run.sh --stop-stage 0   # what is to be known of the corpus\n  ./run.sh                  # all of it")


if __name__ == "__main__":
    main()
