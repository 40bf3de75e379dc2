"""Sequence training as a step runs it: data, model and criterion are set up, and the model is trained."""

from __future__ import annotations

from pathlib import Path

from lhotse import CutSet

from understudy import models
from understudy.data.manifests import ManifestSpeech
from understudy.lang.alignment_lexicon import spoken_lexicon
from understudy.lang.denominator import denominator
from understudy.lang.graph import load_graph
from understudy.lang.tree import Tree
from understudy.models import AcousticModel
from understudy.step import UserError, log
from understudy.train.criteria import Criterion
from understudy.train.loop import Sets, Trainer, finish
from understudy.train.options import SequenceTrainingOptions
from understudy.train.schedule import Pass
from understudy.train.sequence import Mmi, Numerators, Smbr


def train_sequence(options: SequenceTrainingOptions, out: Path) -> None:
    """Set up data, model and criterion, train, and write the model folder.

    Raises:
        UserError: model, labels, features or graph do not belong together, or training diverges.
    """
    model, tree = models.load(options.model), Tree.load(options.labels / "tree.json")
    models.check_tree(options.model, model, tree, options.labels)
    labelled, dev = (ManifestSpeech.labelled(path, options.labels) for path in (options.labelled, options.dev))
    models.check_kind(options.labelled, labelled.kind, model)
    criterion = _mmi(options, model, tree, labelled, dev) if options.criterion == "mmi" else _smbr(options, model)
    plan, criteria = [Pass(options.criterion)] * options.epochs, {str(options.criterion): criterion}
    trainer = Trainer(
        model, Sets(labelled, dev), plan, options.train, out, options.seed, options.threads, criteria, True
    )
    log.info("%d parameters, %d updates in %d passes", model.num_parameters, trainer.updates, len(plan))
    meta = {**model.meta, "init": options.model.name, "criterion": options.criterion, "seed": options.seed}
    finish(trainer, model.log_priors.clone(), meta)


def _mmi(
    options: SequenceTrainingOptions, model: AcousticModel, tree: Tree, labelled: ManifestSpeech, dev: ManifestSpeech
) -> Criterion:
    lm, graph = denominator(labelled.labels_of_all(), tree, options.lm_order, options.lm_extra_states)
    known = {cut.id for cut in (*labelled.cuts, *dev.cuts)}
    transcripts = {
        cut.id: cut.supervisions[0].text
        for path in (options.labelled, options.dev)
        for cut in CutSet.from_jsonl_lazy(path)
        if cut.id in known
    }
    numerators = Numerators(transcripts, spoken_lexicon(options.lang, (options.labelled, options.dev)), lm, tree)
    return Mmi(graph, numerators, model.log_priors, options.sequence)


def _smbr(options: SequenceTrainingOptions, model: AcousticModel) -> Criterion:
    if options.graph is None:
        raise UserError("--criterion smbr: it needs a decoding graph. Give the folder of one with --graph.")
    graph = load_graph(options.graph, model.meta.get("tree"))
    return Smbr(graph, model.log_priors, options.sequence)
