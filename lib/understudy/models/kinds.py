"""Construction of networks: an LSTM, a factorised time-delay network, or a co-occurrence table."""

from __future__ import annotations

from understudy.models.acoustic import AcousticModel
from understudy.models.cooccurrence import CooccurrenceModel
from understudy.models.lstm import LstmModel
from understudy.models.options import ModelOptions
from understudy.models.tdnnf import TdnnfModel

_KINDS: dict[str, type[AcousticModel]] = {
    "lstm": LstmModel, "tdnnf": TdnnfModel, "cooccurrence": CooccurrenceModel,
}  # fmt: skip


def build(options: ModelOptions, inputs: int, senones: int) -> AcousticModel:
    """Make a new network with random weights from torch's generator.

    Raises:
        UserError: its options do not go together.
    """
    return _KINDS[options.kind](options, inputs, senones)
