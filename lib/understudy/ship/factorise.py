"""A smaller student made from a trained one: a layer's output to the next frame and the next layer is projected.

Source: Prabhavalkar et al. 2016 (arXiv:1603.08042): the recurrent matrix and the next layer's input matrix are
factorised together, with a projection that they share; the result is an LSTM with projection.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from understudy.models import AcousticModel, LstmModel, streaming
from understudy.step import UserError


@torch.no_grad()
def factorise(student: AcousticModel, projection: int) -> LstmModel:
    """Return a model whose layers' outputs are projected, as like the given one as singular values allow.

    A layer's output is normalised before the next layer. The mean that this subtracts is part of the matrix that is
    factorised; the deviation is taken to be that of the projected numbers, which is not exact: distil the model again.

    Raises:
        UserError: the student cannot stream, or is projected already; the projection is not within its cells.
    """
    model = streaming(student)
    if model.options.projection:
        raise UserError("a model with projection is factorised already: give one without")
    if projection < 1:
        raise UserError(f"--projection {projection}: 1 or more, and less than the {model.options.cells} cells")
    small = LstmModel(replace(model.options, projection=projection), model.inputs, model.senones)
    hears: Tensor = model.lstms[0].get_parameter("weight_ih_l0")
    offset = torch.zeros(4 * model.options.cells)
    readers = [*(layer.get_parameter("weight_ih_l0") for layer in model.lstms[1:]), model.output.weight]
    for number, (layer, norm, reads) in enumerate(zip(model.lstms, model.norms, readers, strict=True)):
        old, new = dict(layer.named_parameters()), dict(small.lstms[number].named_parameters())
        heard = _centred(reads * norm.get_parameter("weight"))
        bases = torch.linalg.svd(torch.cat([old["weight_hh_l0"], heard]), full_matrices=False).Vh[:projection]
        new["weight_ih_l0"].copy_(hears)
        new["bias_ih_l0"].copy_(old["bias_ih_l0"] + offset)
        new["bias_hh_l0"].copy_(old["bias_hh_l0"])
        new["weight_hr_l0"].copy_(bases)
        new["weight_hh_l0"].copy_(old["weight_hh_l0"] @ bases.T)
        hears, offset = heard @ bases.T, reads @ norm.get_parameter("bias")
        small.norms[number].get_parameter("weight").fill_((model.options.cells / projection) ** 0.5)
        small.norms[number].get_parameter("bias").zero_()
    small.output.weight.copy_(hears)
    small.output.bias.copy_(model.output.bias + offset)
    small.log_priors.copy_(model.log_priors)
    small.meta = {**model.meta, "factorised": projection}
    return small


def _centred(matrix: Tensor) -> Tensor:
    """Return the matrix whose product with a vector is this one's with the vector minus its mean."""
    return matrix - matrix.mean(1, keepdim=True)
