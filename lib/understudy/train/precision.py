"""Half precision, where the hardware supports it."""

from __future__ import annotations

import torch
from torch import nn

from understudy.step import UserError


def check_precision(precision: str, device: torch.device, method: str) -> None:
    """Check that a device can compute a network's matrix products in a precision, before training.

    Args:
        precision: a value of `TrainOptions.precision`.
        method: a value of `ParallelOptions.method`.

    Raises:
        UserError: it cannot.
    """
    if precision == "float16" and (device.type == "cpu" or method == "bmuf"):
        # Updates that overflow are skipped, and with bmuf each rank would skip others.
        raise UserError("--train.precision float16 needs a GPU, and not bmuf; take bfloat16 or float32")
    if precision == "float32":
        return
    # torch leaves products to oneDNN, which lacks bfloat16 on some processors. So a layer is tried, large enough for
    # torch to use oneDNN. The layer draws random weights; fork_rng keeps later random numbers independent of it.
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
    """Return the loss scaler that keeps small float16 gradients from underflow; in other precisions it does nothing."""
    enabled = precision == "float16"
    if hasattr(torch.amp, "GradScaler"):  # torch 2.3 and later, which deprecate the other
        return torch.amp.GradScaler("cuda", enabled=enabled)
    return torch.cuda.amp.GradScaler(enabled=enabled)
