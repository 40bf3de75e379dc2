"""Half precision, where there is hardware for it."""

from __future__ import annotations

import torch
from torch import nn

from understudy.step import UserError


def check_precision(precision: str, device: torch.device, method: str) -> None:
    """See that a device computes a network's products in a precision, before anything is learnt.

    Args:
        precision: of `TrainOptions.precision`.
        method: of `ParallelOptions.method`.

    Raises:
        UserError: it does not.
    """
    if precision == "float16" and (device.type == "cpu" or method == "bmuf"):
        # Updates that overflow are left out, by each rank of bmuf others.
        raise UserError("--train.precision float16 needs a GPU, and not bmuf; take bfloat16 or float32")
    if precision == "float32":
        return
    # torch leaves products to oneDNN, which has no bfloat16 on some processors. So it is tried, in a size for which
    # torch asks oneDNN at all. Modules draw their first weights; what is drawn after this must not depend on it.
    try:
        with torch.random.fork_rng(), torch.autocast(device.type, getattr(torch, precision)):
            layer = nn.LSTM(128, 64).to(device)
            found = layer(torch.zeros(20, 4, 128, device=device))[0]
        found.float().sum().backward()
    except RuntimeError as error:
        raise UserError(
            f"--train.precision {precision}: torch {torch.__version__} cannot compute an LSTM so on this processor "
            f"({str(error).splitlines()[0]}). Take float32."
        ) from None


def loss_scaler(precision: str) -> torch.amp.GradScaler:
    """What keeps small gradients of float16 from vanishing; of other precisions it does nothing."""
    enabled = precision == "float16"
    if hasattr(torch.amp, "GradScaler"):  # torch 2.3 and later, which warn of the other
        return torch.amp.GradScaler("cuda", enabled=enabled)
    return torch.cuda.amp.GradScaler(enabled=enabled)
