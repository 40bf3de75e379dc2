"""Training as a step runs it: data, model and plan are set up, and the model is trained."""

from __future__ import annotations

from pathlib import Path

from understudy import models
from understudy.data.manifests import ManifestSpeech
from understudy.data.nonspeech import Senones, Sounds, WithNonspeech
from understudy.data.shar import SharSpeech
from understudy.data.speech import Speech
from understudy.features import Kind, Normaliser
from understudy.lang.tree import Tree
from understudy.models import AcousticModel
from understudy.models.hearing import meta_of
from understudy.step import UserError, fingerprint, log, read_json
from understudy.targets import TargetReader
from understudy.targets.cost import cpu_seconds_per_hour
from understudy.targets.store import check_tree
from understudy.train.criteria import Hard
from understudy.train.loop import Sets, Trainer, finish, log_priors
from understudy.train.options import TrainingOptions

# Options in which a model must agree with the model that it starts from.
SHAPE = ("kind", "layers", "cells", "bottleneck", "projection", "bidirectional", "centred", "delay")


def train(options: TrainingOptions, out: Path) -> None:
    """Set up data and model, train, and write the model folder.

    Raises:
        UserError: options, labels, targets, features or the first model do not belong together, or training diverges.
    """
    if options.model.kind == "cooccurrence":
        raise UserError("--model.kind cooccurrence is counted, not trained. Run steps/map_posteriors.py.")
    tree = Tree.load(options.labels / "tree.json")
    sets = _sets(options, tree)
    model, meta = models.build(options.model, sets.labelled.kind.inputs, tree.num_senones), _meta(options, sets)
    if options.init:
        first = models.load(options.init)
        models.check_kind(options.labelled, sets.labelled.kind, first)
        _check_init(options, first, model, tree)
        model.load_state_dict(first.state_dict())
        meta |= {"init": options.init.name, "updates": first.meta["updates"]}
        if hours := first.meta.get("transferred_hours"):
            meta["transferred_hours"] = hours
    elif options.transfer:
        meta["transferred_hours"] = _transfer(options, model, sets.labelled.kind)
    plan = options.plan()
    trainer = Trainer(
        model, sets, plan, options.train, out, options.seed, options.threads,
        {"soft": Hard()} if options.true_labels else None, trained=options.init is not None,
    )  # fmt: skip
    log.info("%d parameters, %d updates in %d passes", model.num_parameters, trainer.updates, len(plan))
    finish(trainer, log_priors(sets.labelled, tree.num_senones), meta)


def _sets(options: TrainingOptions, tree: Tree) -> Sets:
    targets = TargetReader(options.targets, options.k) if options.targets else None
    if targets is not None:
        check_tree(options.targets, targets.describe, tree, options.labels)
    sets = Sets(
        _labelled(options, targets, tree),
        ManifestSpeech.labelled(options.dev, options.labels),
        _unlabelled(options.unlabelled, options, targets, tree) if options.unlabelled else None,
    )
    if options.train.soft_weight and not sets.labelled.any_soft_targets():
        raise UserError(
            f"--train.soft_weight {options.train.soft_weight:g}: none of {options.labelled} has soft targets. Let the "
            "teacher write them (steps/make_targets.py) and name them among --targets, or leave it 0."
        )
    return _among_nonspeech(options.nonspeech, options, sets, tree) if options.nonspeech else sets


def _among_nonspeech(nonspeech: Path, options: TrainingOptions, sets: Sets, tree: Tree) -> Sets:
    """Return the sets with nonspeech sounds mixed into both training sets, as labels or as soft targets."""
    sounds, senones, share = Sounds(nonspeech), Senones.of(tree), options.nonspeech_share
    log.info("%s: %d sounds, %.1f minutes", nonspeech, len(sounds.cuts), sounds.seconds / 60)
    labelled, unlabelled = WithNonspeech(sets.labelled, sounds, senones, share), sets.unlabelled
    if unlabelled:
        k = (options.k or (unlabelled.described or {})["k"]) if unlabelled.any_soft_targets() else None
        unlabelled = WithNonspeech(unlabelled, sounds, senones, share, k)
    return Sets(labelled, sets.dev, unlabelled)


def _shape(model: AcousticModel) -> dict:
    return {**{name: getattr(model.options, name) for name in SHAPE}, "inputs": model.inputs}


def _transfer(options: TrainingOptions, model: AcousticModel, kind: Kind) -> float:
    """Take over another model's layers. Returns the hours of labelled speech that these were trained on.

    Raises:
        UserError: they have another shape, or were trained on other features.
    """
    first = models.load(options.transfer)
    models.check_kind(options.labelled, kind, first)
    if different := fingerprint.differences(_shape(first), _shape(model)):
        raise UserError(
            f"--transfer {options.transfer}: not the layers of such a model as is to be trained "
            f"({'; '.join(different)}). Give --model as it was trained."
        )
    own = ("output.", "log_priors")
    layers = {name: value for name, value in first.state_dict().items() if not name.startswith(own)}
    model.load_state_dict({**model.state_dict(), **layers})
    return first.meta["labelled_hours"] + first.meta.get("transferred_hours", 0.0)


def _check_init(options: TrainingOptions, first: AcousticModel, model: AcousticModel, tree: Tree) -> None:
    """Raise UserError where the model to start from has another shape, or other senones."""
    theirs = _shape(first) | {"senones": first.senones, "tree": first.meta.get("tree", tree.fingerprint)}
    ours = _shape(model) | {"senones": model.senones, "tree": tree.fingerprint}
    if different := fingerprint.differences(theirs, ours):
        raise UserError(
            f"--init {options.init}: not such a model as is to be trained ({'; '.join(different)}). Give --model as it "
            "was trained, and --labels of its tree."
        )


def _labelled(options: TrainingOptions, targets: TargetReader | None, tree: Tree) -> Speech:
    if not options.labelled.is_dir():
        return ManifestSpeech.labelled(options.labelled, options.labels, targets)
    data = _stream(options.labelled, options, tree)
    if data.tree != tree.fingerprint:
        raise UserError(f"{options.labelled}: labels of the tree {data.tree}, {options.labels} has {tree.fingerprint}")
    return data


def _stream(folder: Path, options: TrainingOptions, tree: Tree) -> SharSpeech:
    data = SharSpeech(folder, options.k, options.pool)
    if data.described:
        check_tree(folder, data.described, tree, options.labels)
    return data


def _unlabelled(unlabelled: list[Path], options: TrainingOptions, targets: TargetReader | None, tree: Tree) -> Speech:
    if options.true_labels:
        return ManifestSpeech.labelled(unlabelled[0], options.true_labels)
    at = options.labelled if options.labelled.is_dir() else options.labelled.parent
    normaliser = Normaliser.load(at / "normaliser.json")
    if not unlabelled[0].is_dir():
        return ManifestSpeech(unlabelled, normaliser, None, targets)
    data = _stream(unlabelled[0], options, tree)
    data.normaliser = normaliser
    return data


def _meta(options: TrainingOptions, sets: Sets) -> dict:
    meta = {
        "labelled_hours": sets.labelled.original_seconds / 3600,
        "unlabelled_hours": sets.unlabelled.original_seconds / 3600 if sets.unlabelled else 0.0,
        "tree": Tree.load(options.labels / "tree.json").fingerprint,
        "seed": options.seed,
        **meta_of(sets.labelled.kind),
    }
    if options.nonspeech:
        meta["nonspeech_share"] = options.nonspeech_share
    if options.true_labels:
        report = options.true_labels / "report.json"
        told = read_json(report).get("supervision", "true labels") if report.exists() else "true labels"
        return meta | {"teacher": None, "supervision": told}
    taught = sets.unlabelled or sets.labelled
    if taught.described is None:
        return meta | {"teacher": None, "supervision": None}
    kept = taught.described["k"] if options.k is None else options.k
    cost = cpu_seconds_per_hour(options.targets) if options.targets else taught.target_cost
    return meta | {
        "teacher": taught.described["teacher"], "supervision": f"{taught.described['supervision']}, k = {kept}",
        "target_cpu_s_per_hour": cost,
    }  # fmt: skip
