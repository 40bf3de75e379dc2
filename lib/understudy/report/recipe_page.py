"""What the page of a recipe shows: results, curves, an utterance, mistakes, and how all was made."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from understudy.corpus import read_cuts
from understudy.features import Normaliser
from understudy.lang.lexicon import Lexicon
from understudy.lang.tree import Tree
from understudy.report import example, gather, pictures
from understudy.report.corpus_page import NAME as CORPUS
from understudy.report.options import PageOptions
from understudy.report.page import render
from understudy.score.errors import side_by_side
from understudy.score.interval import said
from understudy.score.report import known_as
from understudy.score.results import latest, read_conditions, read_results
from understudy.score.tested import by_set, sentence
from understudy.ship import robustness_report
from understudy.step import atomic_path, log
from understudy.step.log import commit, machine

_CURVES = 8  # in a picture
_WORST = 8  # utterances
_FREQUENT = 12  # confusions of a kind
_DETAILED = 8  # systems whose mistakes are listed


def write_page(options: PageOptions) -> None:
    """Write the page of what there is, and say what there is not."""
    results = options.exp / "results.jsonl"
    lines = latest(read_results(results)) if results.exists() else []
    models, absent = gather.trained(options.exp), []
    sizes = {model.name: model.size for model in models}
    for line in lines:
        line.setdefault("bytes", sizes.get(_model_of(line)))  # a device's network knows its own
    shown = _chosen(options, lines)
    told = _example(options, shown)
    parts = {
        "results": _results(lines, options.baseline), "baseline": options.baseline,
        "robustness": _robustness(results), "curves": _curves(models), "example": told,
        "mistakes": _mistakes(options.exp, shown),
        "pipeline": gather.pipeline([options.data, options.exp]),
        "robustness_notes": [robustness_report.INTRODUCTION, robustness_report.SOUNDS],
    }  # fmt: skip
    titles = {"results": "Results", "robustness": "What it stands", "curves": "Training", "example": "An utterance",
              "mistakes": "Mistakes", "pipeline": "How it was made"}  # fmt: skip
    for key, name in titles.items():
        if not parts[key]:
            absent.append(f"Nothing yet for “{name}”.")
    recipe = lines[0]["recipe"] if lines else options.exp.resolve().parent.parent.name
    about = f"Made {time.strftime('%Y-%m-%d %H:%M')}, commit {commit()}, {machine()}."
    out = options.out or options.exp / "report.html"
    beside = options.data / "valid" / CORPUS
    corpus = os.path.relpath(beside, out.parent) if beside.exists() else None
    page = render(
        "page.html", corpus=corpus, title=f"{recipe}: {options.exp}", about=about,
        sections=[({"curves": "training"}.get(k, k), n) for k, n in titles.items() if parts[k]], absent=absent, **parts,
    )  # fmt: skip
    with atomic_path(out) as partial:
        partial.write_text(page, encoding="utf-8")
    print(f"{out}: {len(lines)} results, {len(models)} models, {len(page) / 1e6:.1f} MB")


def _model_of(line: dict[str, Any]) -> str:
    """Folder of the model below exp: it was decoded into a folder of its own."""
    return str(Path(line.get("scored", "?/?/?")).parent.parent)


def _results(lines: list[dict[str, Any]], baseline: str | None) -> list[dict[str, Any]]:
    found = []
    for tested in by_set(lines):
        of = tested.lines
        drawn = [
            (pictures.against(of, "parameters", "parameters", True),
             "WER against the size of the model, with 95 % intervals."),
            (pictures.against(of, "unlabelled_hours", "unlabelled speech (hours)", False),
             "WER against the unlabelled speech that a system learnt from, with 95 % intervals."),
        ]  # fmt: skip
        found.append({
            "name": tested.name, "lines": of, "words": of[0]["words"], "utterances": of[0]["utterances"],
            "about": f"{sentence(of)} {said(of)}",
            "base": next((line["wer"] for line in of if line["system"] == baseline), None),
            "figures": [{"svg": pictures.svg(figure), "caption": text} for figure, text in drawn if figure],
        })  # fmt: skip
    return found


def _robustness(results: Path) -> list[dict[str, Any]]:
    lines = latest(read_conditions(results)) if results.exists() else []
    found = []
    for (recipe, test_set, system), of in robustness_report.by_student(lines).items():
        tables = [robustness_report.speech_rows(of), robustness_report.nothing_rows(of)]
        figure = pictures.svg(robustness_report.figure(of))
        found.append({
            "name": f"{recipe}, {test_set}: {system}", "tables": [table for table in tables if table[1]],
            "intervals": robustness_report.interval_note(of), "svg": figure,
            "caption": robustness_report.caption(system),
        })  # fmt: skip
    return found


def _curves(models: list[gather.Model]) -> list[str]:
    learnt = [model for model in models if len(model.history) > 1]
    groups = [learnt[i : i + _CURVES] for i in range(0, len(learnt), _CURVES)]
    return [pictures.svg(pictures.training(group)) for group in groups]


def _chosen(options: PageOptions, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines of the systems to look at closely, all of one test set: those asked for, or the usual three.

    A network on a device is not one of them: it is a model that is there already, in other numbers.
    """
    lines = [line for line in lines if "scored" in line and "precision" not in line]
    lines = [line for line in lines if (options.exp / line["scored"] / "errs.txt").exists()]
    lines = [line for line in lines if line["test_set"] == lines[0]["test_set"]]
    if options.systems:
        by_name = {line["system"]: line for line in lines}
        return [by_name[name] for name in options.systems if name in by_name][:_DETAILED]
    base = [line for line in lines if line["system"] == options.baseline]
    taught = sorted(
        (line for line in lines if line.get("teacher") and line["wer"] is not None), key=lambda line: line["wer"]
    )[:1]
    called = known_as(taught[0]["teacher"], taught[0]["system"]) if taught else set()
    teachers = [line for line in lines if line["system"] in called][:1]
    found = [*teachers, *base, *taught] or lines[:3]
    return list({line["system"]: line for line in found}.values())


def _mistakes(exp: Path, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for line in lines:
        errors = gather.errors(exp / line["scored"])
        worst = [one for one in errors[:_WORST] if one.score.errors]
        found.append({
            "name": line["system"], "test_set": line["test_set"],
            "confusions": {kind: words[:_FREQUENT] for kind, words in gather.confusions(errors).items()},
            "worst": [
                {"name": one.score.id, "speaker": one.score.speaker, "errors": one.score.errors,
                 "words": one.score.words, "sides": side_by_side(*_texts(one))}
                for one in worst
            ],
        })  # fmt: skip
    return found


def _texts(one: gather.Aligned) -> tuple[list[str], list[str]]:
    ref, hyp = zip(*one.pairs) if one.pairs else ((), ())
    return [word for word in ref if word != "***"], [word for word in hyp if word != "***"]


def _example(options: PageOptions, lines: list[dict[str, Any]]) -> dict[str, Any] | None:
    """An utterance that the last system hears better than the one before, seen and heard."""
    tree, graph = options.tree or options.exp / "tree", options.graph or options.exp / "graph"
    if not lines or not (tree / "tree.json").exists() or not (graph / "lexicon.txt").exists():
        return None
    manifest = options.data / "feats" / f"{lines[0]['test_set']}.jsonl.gz"
    if not manifest.exists():
        return None
    cuts = {cut.id: cut for cut in read_cuts(manifest)}
    errors = {line["system"]: gather.errors(options.exp / line["scored"]) for line in lines}
    before, after = (list(errors.values())[i] for i in (-2 if len(errors) > 1 else -1, -1))
    name = example.choose(before, after, {cut.id: cut.duration for cut in cuts.values()})
    if name is None:
        log.warning("no utterance was scored: the page goes without an example")
        return None
    folders = {line["system"]: options.exp / _model_of(line) for line in lines}
    normaliser = Normaliser.load(manifest.parent / "normaliser.json")
    heard = example.hear(cuts[name], folders, Lexicon.read(graph), Tree.load(tree / "tree.json"), normaliser)
    pairs = [(system, next(a.pairs for a in of if a.score.id == name)) for system, of in errors.items()]
    why = f"An utterance of {cuts[name].duration:.1f} s."
    if len(errors) > 1:
        better, worse = lines[-1]["system"], lines[-2]["system"]
        why = (
            f"Of utterances that are neither short nor long the one in which {better} corrects most errors of {worse}."
        )
    return {
        "id": name, "why": why, "audio": heard.audio, "said": cuts[name].supervisions[0].text, "heard": pairs,
        "picture": pictures.png(pictures.posteriors(heard)),
    }  # fmt: skip
