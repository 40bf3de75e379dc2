"""An ensemble: the mean posteriors of several networks make a better teacher, at their added cost."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from understudy.models.acoustic import AcousticModel


class Ensemble(nn.Module):
    """The mean of the posteriors of networks that share a tree (as distilled by Hinton et al. 2015, section 4).

    It can be decoded with and can write targets, but cannot be trained or shipped.

    Attributes:
        log_priors: (senones,) log of the mean of the members' priors.
        meta: what it was made from, for the results.
    """

    def __init__(self, members: list[AcousticModel], meta: dict[str, Any]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.senones, self.meta = members[0].senones, meta

    @property
    def networks(self) -> list[AcousticModel]:
        """The members."""
        return [cast(AcousticModel, member) for member in self.members]

    @property
    def num_parameters(self) -> int:
        """Number of trained parameters of all members together."""
        return sum(member.num_parameters for member in self.networks)

    @property
    def log_priors(self) -> Tensor:
        """(senones,) log of the mean of the members' priors."""
        return _log_mean([member.log_priors for member in self.networks])

    @torch.inference_mode()
    def logits(self, features: list[Tensor]) -> list[Tensor]:
        """Return log-posteriors, which serve as logits: list of (frames, inputs) to list of (frames, senones)."""
        heard = [[z.log_softmax(1) for z in member.logits(features)] for member in self.networks]
        return [_log_mean(list(of_one)) for of_one in zip(*heard, strict=True)]

    def log_posteriors(self, features: list[Tensor]) -> list[Tensor]:
        """Return log-posteriors of whole utterances: list of (frames, inputs) to list of (frames, senones)."""
        return self.logits(features)


def _log_mean(logs: list[Tensor]) -> Tensor:
    return torch.stack(logs).logsumexp(0) - torch.tensor(float(len(logs))).log()
