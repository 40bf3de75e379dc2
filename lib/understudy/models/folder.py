"""Model folders: weights, and their description."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import load_file, save_file

from understudy.models.acoustic import AcousticModel
from understudy.models.ensemble import Ensemble
from understudy.models.kinds import build
from understudy.models.options import ModelOptions
from understudy.step import UserError, atomic_path, fingerprint, read_json, write_json

if TYPE_CHECKING:
    from understudy.lang.tree import Tree


def save(model: AcousticModel | Ensemble, folder: Path) -> None:
    """Write model.safetensors and model.json, each atomically, weights first."""
    with atomic_path(folder / "model.safetensors") as partial:
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, partial)
    shape = {"members": [_shape(m) for m in model.networks]} if isinstance(model, Ensemble) else _shape(model)
    write_json(folder / "model.json", {**shape, "parameters": model.num_parameters, "meta": model.meta})


def _shape(model: AcousticModel) -> dict[str, Any]:
    return {"options": asdict(model.options), "inputs": model.inputs, "senones": model.senones}


def check_tree(folder: Path, model: AcousticModel | Ensemble, tree: Tree, where: Path) -> None:
    """Check that a model's senones are those of a tree.

    Args:
        folder: folder of the model, for messages.
        where: place of the tree, for messages.

    Raises:
        UserError: the model has another number of senones, or those of another tree; the message names both.
    """
    if model.senones != tree.num_senones:
        raise UserError(f"{folder}: {model.senones} senones, {where} has {tree.num_senones}")
    if (known := model.meta.get("tree", tree.fingerprint)) != tree.fingerprint:
        raise UserError(f"{folder}: senones of the tree {known}, {where} has {tree.fingerprint}")


def weights_fingerprint(folder: Path) -> str:
    """Return the fingerprint of a model's weights; it does not depend on where the folder is."""
    return fingerprint.of_file(folder / "model.safetensors")


def load(folder: Path) -> AcousticModel:
    """Read a single network that `save` wrote, ready for inference.

    Raises:
        UserError: the folder holds an ensemble, files are missing, or the weights do not fit the description.
    """
    model = load_any(folder)
    if isinstance(model, Ensemble):
        raise UserError(f"{folder}: {len(model.members)} networks; this takes one. Give one of them, or their student.")
    return model


def load_any(folder: Path) -> AcousticModel | Ensemble:
    """Read a network or an ensemble that `save` wrote, for steps that only use its posteriors.

    Raises:
        UserError: files are missing, or the weights do not fit the description.
    """
    described = read_json(folder / "model.json")
    model: AcousticModel | Ensemble
    if "members" in described:
        model = Ensemble([_network(shape) for shape in described["members"]], described["meta"])
    else:
        model = _network(described)
        model.meta = described["meta"]
    weights = folder / "model.safetensors"
    try:
        model.load_state_dict(load_file(weights))
    except FileNotFoundError:
        raise UserError(f"{weights}: no such file. Train the model first.") from None
    except Exception as error:  # truncated or foreign weights: the remedy is always the same
        raise UserError(f"{weights}: not the weights that model.json describes ({error}). Train again.") from error
    return model.eval()


def _network(described: dict[str, Any]) -> AcousticModel:
    return build(ModelOptions(**described["options"]), described["inputs"], described["senones"])
