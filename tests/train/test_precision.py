"""A precision that a processor does not have is refused before training."""

import contextlib

import pytest
import torch

from understudy.step import UserError
from understudy.train.precision import check_precision, loss_scaler

CPU = torch.device("cpu")


def test_what_the_processor_cannot_compute_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("could not create a primitive descriptor for the LSTM forward propagation primitive\nat 0")

    monkeypatch.setattr(torch.nn.LSTM, "forward", fails)
    with pytest.raises(UserError, match=r"bfloat16: torch \S+ cannot compute.*LSTM forward.*\)\. Take float32"):
        check_precision("bfloat16", CPU, "exact")
    check_precision("float32", CPU, "exact")


@pytest.mark.parametrize(("device", "method"), [("cpu", "exact"), ("cuda", "bmuf")])
def test_float16_needs_a_gpu_and_no_blocks(device: str, method: str) -> None:
    with pytest.raises(UserError, match="needs a GPU"):
        check_precision("float16", torch.device(device), method)


def test_a_check_draws_nothing() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    with contextlib.suppress(UserError):  # of this processor; what was drawn until then counts all the same
        check_precision("bfloat16", CPU, "exact")
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.filterwarnings("error")
def test_losses_are_scaled_in_float16_alone_and_torch_does_not_complain() -> None:
    scaler = loss_scaler("float32")
    assert not scaler.is_enabled() and scaler.get_scale() == 1.0 and scaler.state_dict() == {}
