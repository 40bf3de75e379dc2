"""A recipe for a corpus of somebody's own: egs/NAME/s1, with nothing to write by hand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment

from understudy.intake.options import Corpus
from understudy.intake.sizes import Sizes, configurations, sizes_of
from understudy.intake.take_in import REPORT
from understudy.lang.graphemes import GRAPHEMES
from understudy.step import UserError, atomic_path, read_json

ROOT = Path(__file__).parents[3]
"""Of the repository"""
_TOLD = {"kaldi": "a data directory of Kaldi's", "table": "a table", "folder": "a folder of audio",
         "lhotse": "Lhotse's manifests"}  # fmt: skip
_PREPARED = "{}, as Lhotse prepares it"
_LIKE = ROOT / "egs/an4/s1"
"""What a recipe has besides, as all have it"""


def make_recipe(name: str, layout: str, corpus: Corpus, folder: Path) -> Sizes:
    """Make the recipe's folder, prepare the corpus in it, and write run.sh with sizes that suit what was found.

    A recipe is whole once its run.sh is there. One that was left before that is gone on with: converted audio stays.

    Returns:
        The sizes.

    Raises:
        UserError: the name is none, the recipe is there already, or its step has failed and told why.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*", name):
        raise UserError(f"{name}: the name of a recipe must be letters, digits, _ and -.")
    if (made := folder / "run.sh").exists():
        raise UserError(f"{made} is there already. Change conf/corpus.yaml beside it, or remove the recipe.")
    _lay_out(folder, layout, corpus.absolute())
    report = _prepared(folder, layout)
    sizes = sizes_of(report)
    for conf, origin in configurations(sizes).items():
        _copy(ROOT / "egs" / origin / "s1/conf" / f"{conf}.yaml", folder / "conf" / f"{conf}.yaml")
    with atomic_path(folder / "run.sh") as partial:
        partial.write_text(_run_sh(name, layout, corpus, sizes), encoding="utf-8")
    (folder / "run.sh").chmod(0o755)
    return sizes


def _lay_out(folder: Path, layout: str, corpus: Corpus) -> None:
    """All that needs no speech to be looked at."""
    (folder / "conf").mkdir(parents=True, exist_ok=True)
    for link in ("steps", "utils"):
        if not (folder / link).is_symlink():
            (folder / link).symlink_to(os.path.relpath(ROOT / link, folder.resolve()))
    for file in ("cmd.sh", "path.sh"):
        _copy(_LIKE / file, folder / file)
    head = (
        f"# What the speech of this recipe is made of: options of steps/prepare_corpus.py --from {layout} (--help).\n"
    )
    with atomic_path(folder / "conf/corpus.yaml") as partial:
        written = yaml.safe_dump(_given(corpus), allow_unicode=True, sort_keys=False, width=110)
        partial.write_text(head + written, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as partial:
        shutil.copyfile(source, partial)


def _given(options: Any) -> dict[str, Any]:
    """The options that are not as by default, for YAML."""
    values = {}
    for one in fields(options):
        value = getattr(options, one.name)
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        if value != default:
            values[one.name] = (
                str(value) if isinstance(value, Path) else _given(value) if is_dataclass(value) else value
            )
    return values


def _prepared(folder: Path, layout: str) -> dict[str, Any]:
    """What stage 0 of the recipe finds, which it need not do again.

    Raises:
        UserError: it has failed, and has said why.
    """
    jobs = len(os.sched_getaffinity(0))
    command = ["steps/prepare_corpus.py", "--from", layout, "--config", "conf/corpus.yaml", "--audio", "data/audio",
               "--jobs", str(jobs), "--out", "data/corpus"]  # fmt: skip
    if subprocess.run([sys.executable, *command], cwd=folder, check=False).returncode:
        raise UserError(
            "the corpus is not prepared, as was said above. Mend that and run the same command: it goes on."
        )
    return read_json(folder / "data/corpus" / REPORT)


def _run_sh(name: str, layout: str, corpus: Corpus, sizes: Sizes) -> str:
    environment = Environment(trim_blocks=True, keep_trailing_newline=True)  # this is no page: nothing is escaped
    template = environment.from_string(Path(__file__).with_name("run.sh.jinja").read_text(encoding="utf-8"))
    told = ["Why these sizes:", *sizes.why] if sizes.why else []
    why = [line for sentence in told for line in textwrap.wrap(sentence, 116)]
    return template.render(
        name=name, layout=layout, layout_told=_told(layout) + ".", why=why, options=_options(corpus, sizes),
        settings=_settings(corpus, sizes),
    )  # fmt: skip


def _told(layout: str) -> str:
    kind, _, corpus = layout.partition(":")
    return _PREPARED.format(corpus) if corpus else _TOLD[kind]


def _options(corpus: Corpus, sizes: Sizes) -> str:
    """Lines of options, their comments one below the other."""
    speeds = "four speeds and its own" if sizes.few else "three speeds"
    lines = [
        ("senones", sizes.senones, "most leaves of the phonetic decision tree"),
        ("teacher_epochs", sizes.teacher_epochs, f"passes of the teacher over labelled speech at {speeds}"),
        ("realigned_epochs", sizes.realigned_epochs, "more passes on its own alignment"),
        ("transfer", "", "a teacher of another corpus, whose layers this one begins with; empty: none"),
        ("encoder", "", "a foreign model that the teacher hears through: a folder, or a name; empty: none"),
        ("encoder_pad", "true", "a Whisper hears 30 s at once, as it was trained; false: the cut alone, in less time"),
        ("mmi_epochs", 0, "passes of sequence training, of teacher and students; 0: none"),
        ("student", "student", "conf/<student>.yaml"),
        ("large", "", "conf/<large>.yaml, a student between teacher and small student (stage 9); empty: none"),
        ("generations", 1, "of students: from the second on, the one before teaches (stage 9)"),
        ("student_epochs", sizes.student_epochs, "labelled passes of the baseline"),
        ("distil_epochs", sizes.distil_epochs, "passes over all speech of the distilled student"),
        ("robust", "true", "normalise by a running mean, learn other channels and sounds without words; false: not"),
        ("english", "", "share of general English in the language model, such as 0.6; empty: none"),
        ("scales", "'[0.2, 0.3, 0.4, 0.5, 0.7, 1.0]'", "acoustic, tried on dev"),
        ("prior_scales", "'[0.2, 0.4, 0.6, 0.8, 1.0]'", "likewise"),
        ("word_penalties", "'[0, 1]'", "costs of a word, likewise"),
    ]  # fmt: skip
    if corpus.lexicon != GRAPHEMES:
        lines.insert(
            0, ("oov", "fail", "labelled words without pronunciation: fail, skip (their cuts), or g2p (guessed)")
        )
    return "\n".join(f"{f'{name}={value}':<24} # {comment}" for name, value, comment in lines)


def _settings(corpus: Corpus, sizes: Sizes) -> list[str]:
    """What utils/recipe.sh is to do otherwise than by default."""
    found = []
    if corpus.text is not None:
        found.append("text=$data/corpus/text.txt")
    if sizes.few:
        found.append("speeds='[0.8, 0.9, 1.1, 1.2]' # few voices: others are made of them")
    if sizes.large:
        found += ["mono_hours=10", "teacher_frames=15000", "beam=13"]
    return found
