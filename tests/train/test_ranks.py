"""Training under torchrun: as one process trains, whatever is sent; what happens when a rank dies."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from understudy.step import UserError
from understudy.train.precision import check_precision
from understudy.train.strategy import device

ROOT = Path(__file__).parents[2]
RENDEZVOUS = ("--rdzv_backend=c10d", "--rdzv_conf=store_type=file")


def train(folder: Path, out: str, ranks: int, *more: str) -> list:
    launch = ["-m", "torch.distributed.run", *RENDEZVOUS, "--nproc_per_node", str(ranks), "--monitor_interval", "0.3"]
    return [
        sys.executable, *(launch if ranks else []), ROOT / "steps/train.py", "--labelled",
        folder / "labelled.jsonl.gz", "--dev", folder / "dev.jsonl.gz", "--labels", folder / "labels",
        "--model.layers", "1", "--model.cells", "24", "--train.max_frames", "60", "--train.checkpoint_seconds", "0",
        "--threads", "1", "--out", folder / out, *more,
    ]  # fmt: skip


def run(command: list, status: int = 0) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == status, done.stderr
    return done.stderr


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def computes(precision: str) -> bool:
    try:
        check_precision(precision, device(), "exact")
    except UserError:
        return False
    return True


def devs(folder: Path) -> list[float]:
    return [look["dev"] for look in json.loads((folder / "model.json").read_text())["meta"]["history"]]


@pytest.mark.parametrize("more", [[], ["--train.accumulate", "2"]])
def test_threads_and_ranks_learn_what_one_process_learns(speech, more):
    """Dropout and augmentation too: they are the utterance's, whoever learns from it."""
    more = ["--epochs", "5", *more]
    run(train(speech, "alone", 0, *more))
    for name, ranks, threads in (("threads", 0, "2"), ("ranks", 2, "1")):
        run(train(speech, name, ranks, *more, "--threads", threads))
        assert devs(speech / name) == pytest.approx(devs(speech / "alone"), rel=1e-5)
        one, other = weights(speech / "alone"), weights(speech / name)
        assert all(torch.allclose(one[key], other[key], atol=1e-5) for key in one)
    # The same model, however many ranks: nothing is trained again.
    assert "up to date" in run(train(speech, "ranks", 0, *more))


def test_an_update_of_two_batches_is_that_of_one_twice_as_large(speech):
    run(train(speech, "large", 0, "--epochs", "2", "--train.max_frames", "100000"))
    run(train(speech, "small", 0, "--epochs", "2", "--train.accumulate", "1000"))
    one, two = weights(speech / "large"), weights(speech / "small")
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)


def test_products_in_half_precision_learn_nearly_the_same(speech):
    if not computes("bfloat16"):
        told = run(train(speech, "bfloat16", 0, "--train.precision", "bfloat16"), 1)
        assert "cannot compute an LSTM so on this processor" in told and not (speech / "bfloat16/model.json").exists()
        pytest.skip("this processor does not compute LSTMs in bfloat16, and training refused it")
    for precision in ("float32", "bfloat16"):
        run(train(speech, precision, 0, "--epochs", "3", "--train.precision", precision))
    full, half = devs(speech / "float32"), devs(speech / "bfloat16")
    assert full != half and half == pytest.approx(full, rel=0.05)
    if not torch.cuda.is_available():
        assert "needs a GPU" in run(train(speech, "x", 0, "--train.precision", "float16"), 1)


def test_one_rank_without_block_momentum_learns_as_without_blocks(speech):
    blocks = ["--train.parallel.method", "bmuf", "--train.parallel.bmuf.block", "3"]
    run(train(speech, "plain", 0, "--epochs", "2"))
    run(train(speech, "blocks", 0, "--epochs", "2", *blocks))  # 1 - 1/ranks is none
    plain, filtered = weights(speech / "plain"), weights(speech / "blocks")
    assert all(torch.equal(plain[name], filtered[name]) for name in plain)
    assert devs(speech / "plain") == devs(speech / "blocks")


@pytest.mark.parametrize(("method", "victim"), [("exact", 1), ("bmuf", 0), ("threshold", 1)])
def test_a_dead_rank_is_named_and_the_job_goes_on_as_if_unbroken(speech, method, victim):
    # Few spans on other channels: with many, so small a model does not learn much in eight passes.
    options = ["--epochs", "8", "--train.parallel.method", method, "--train.parallel.bmuf.block", "4"]
    options += ["--train.channel.share", "0.2"]
    run(train(speech, "whole", 2, *options))
    command, state = train(speech, "broken", 2, *options), speech / "broken/checkpoint.json"
    job = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    _wait(lambda: state.exists() and json.loads(state.read_text())["update"] > 9, job)
    os.kill(_pid(job.pid, victim), signal.SIGKILL)
    told = job.communicate(timeout=60)[1]
    assert job.returncode != 0 and not (speech / "broken/model.json").exists()
    assert re.search(rf"rank {victim} \(pid \d+ on \S+\) died", told) and "Run the same command again" in told
    if victim:
        assert "died" in (speech / "broken/log.txt").read_text()
    assert "resumed at update" in run(command)
    whole, resumed = weights(speech / "whole"), weights(speech / "broken")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert devs(speech / "whole") == devs(speech / "broken")
    assert devs(speech / "whole")[-1] < 0.6 * devs(speech / "whole")[0]
    assert sorted(path.name for path in (speech / "broken").iterdir() if not path.name.startswith(".partial")) == [
        ".done.json", "log.txt", "model.json", "model.safetensors", "tensorboard",
    ]  # fmt: skip
    # Where what is sent depends on the ranks, another number makes another model.
    record = json.loads((speech / "broken/.done.json").read_text())["record"]
    assert record.get("option ranks") == (None if method == "exact" else "2")


def _wait(ready, job: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while not ready() and time.monotonic() < deadline:
        assert job.poll() is None, "ended before it could be killed: " + job.stderr.read()
        time.sleep(0.002)


def _pid(launcher: int, rank: int) -> int:
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()
    environments = {int(child): Path(f"/proc/{child}/environ").read_text().split("\0") for child in children}
    return next(child for child, environment in environments.items() if f"RANK={rank}" in environment)
