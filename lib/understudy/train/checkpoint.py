"""Checkpoints of the training state in safetensors and JSON, without pickle, from which a killed run resumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from understudy.step import atomic_path, read_json, write_json


def save(folder: Path, tensors: dict[str, dict[str, torch.Tensor]], state: dict[str, Any]) -> None:
    """Write a checkpoint: groups of tensors, and plain values.

    The JSON file names its tensor file and is written last; file names differ from one checkpoint to the next, so that
    the file that the JSON names is always complete.
    """
    name = f"checkpoint-{state['update'] % 2}-{state['update']}.safetensors"
    flat = {f"{group}/{key}": t.contiguous() for group, part in tensors.items() for key, t in part.items()}
    with atomic_path(folder / name) as partial:
        save_file(flat, partial)
    write_json(folder / "checkpoint.json", {**state, "tensors": name})
    for old in folder.glob("checkpoint-*.safetensors"):
        if old.name != name:
            old.unlink()


def load(folder: Path) -> tuple[dict[str, dict[str, torch.Tensor]], dict[str, Any]] | None:
    """Read the last checkpoint that `save` wrote; None: there is none."""
    if not (folder / "checkpoint.json").exists():
        return None
    state = read_json(folder / "checkpoint.json")
    groups: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in load_file(folder / state["tensors"]).items():
        group, name = key.split("/", 1)
        groups.setdefault(group, {})[name] = tensor
    return groups, state


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return Adam's moments and step counts, named "<number of the parameter>.<name>"."""
    state = optimizer.state_dict()["state"]
    return {f"{i}.{k}": torch.as_tensor(v) for i, part in state.items() for k, v in part.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Restore an optimiser's state from what `optimizer_tensors` returned."""
    whole = optimizer.state_dict()
    whole["state"] = {}
    for key, tensor in tensors.items():
        number, name = key.split(".", 1)
        whole["state"].setdefault(int(number), {})[name] = tensor
    optimizer.load_state_dict(whole)
