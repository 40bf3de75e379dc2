"""Strangers are refused: at every port of a step's processes, here and in a queue; credentials that are the user's."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import dask
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from distributed import LocalCluster

from understudy.parallel import credentials
from understudy.parallel.options import ClusterOptions
from understudy.parallel.workers import Workers
from understudy.step import UserError

STRANGER = Path(__file__).with_name("stranger.py")

STEP = """
    import os, sys, time
    from pathlib import Path
    from understudy.parallel.workers import ClusterOptions, Workers

    def work(folder):
        Path(folder, str(os.getpid())).touch()
        time.sleep(600)

    if __name__ == "__main__":
        pids, out, kind = sys.argv[1:]
        with Workers(2, ClusterOptions(kind, memory="1GB"), out=Path(out)) as workers:
            list(workers.map(work, [pids] * 2))
"""

# A queue of this machine, whose jobs begin at once.
QUEUE = {
    "sbatch": '#!/bin/sh\nsh "$1" >"$QUEUE/log-$$" 2>&1 &\ntouch "$QUEUE/job-$!"\necho "Submitted batch job $!"\n',
    "scancel": '#!/bin/sh\nkill "$@" 2>/dev/null\n',
    "squeue": "#!/bin/sh\n",
}


@contextmanager
def running(folder: Path, kind: str) -> Iterator[tuple[psutil.Popen, Path]]:
    """A step at work with two processes, and the folder of its credentials."""
    (folder / "step.py").write_text(textwrap.dedent(STEP))
    pids, out, queue = folder / "pids", folder / "out", folder / "queue"
    for one in (pids, out, queue):
        one.mkdir()
    for name, script in QUEUE.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    room_noise = {**os.environ, "TMPDIR": str(folder), "QUEUE": str(queue), "PATH": f"{folder}:{os.environ['PATH']}"}
    step = psutil.Popen([sys.executable, folder / "step.py", pids, out, kind], env=room_noise, cwd=folder)
    try:
        _until(lambda: len(os.listdir(pids)) == 2 or step.poll() is not None)
        (private,) = folder.glob("understudy-*") if kind == "local" else out.glob(".partial-tls-*")
        yield step, private
    finally:
        step.terminate()
        step.wait(60)


def processes(step: psutil.Popen, folder: Path) -> list[psutil.Process]:
    """The step, its processes, and those of its jobs."""
    jobs = [int(name.name.removeprefix("job-")) for name in (folder / "queue").glob("job-*")]
    roots = [step, *(psutil.Process(pid) for pid in jobs)]
    return [one for root in roots for one in (root, *root.children(recursive=True))]


def doors(some: list[psutil.Process]) -> list[str]:
    """Where they listen, as who is on this machine reaches it (host:port)."""
    found = [c.laddr for one in some for c in one.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    return sorted({f"{'127.0.0.1' if at.ip in ('0.0.0.0', '::') else at.ip}:{at.port}" for at in found})


def _until(there: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("kind", ["local", "slurm"])
def test_a_stranger_is_refused_and_nothing_is_left(tmp_path, kind):
    with running(tmp_path, kind) as (step, private):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in private.glob("*.pem")}
        assert files == {"cert.pem": 0o600, "key.pem": 0o600}
        all_of_it = processes(step, tmp_path)
        found = doors(all_of_it)
        assert len(found) == 5  # the scheduler; of each process, itself and the nanny that brings up another
        done = subprocess.run([sys.executable, STRANGER, private, *found], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        came = json.loads(done.stdout)
        assert came["owner"].count(f"ran as {os.getuid()}") == 4, came  # a scheduler has no such call
        for way in ("in the clear", "other credentials"):
            assert len(came[way]) == 5 and not any(one.startswith("ran") for one in came[way]), came
            assert not any("has no attribute" in one or "Unknown" in one for one in came[way]), came  # nor heard out
        assert came["talkers"] == []
        assert not came.get("readable", False)
    assert step.returncode == 128 + signal.SIGTERM
    assert not list(tmp_path.rglob("*.pem")) and not [*tmp_path.glob("understudy-*"), *tmp_path.rglob(".partial-*")]
    assert not list(tmp_path.glob("dask*"))  # a name that strangers know
    _until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in all_of_it))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another account")
def test_who_tries_as_nobody_is_nobody(tmp_path):
    code = f"import sys; sys.path.insert(0, {str(STRANGER.parent)!r}); import os, stranger, pathlib\n"
    code += "stranger.main(pathlib.Path(sys.argv[1]), []); print(os.getuid(), os.getgid(), os.getgroups())"
    credentials.temporary(tmp_path)
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "65534 65534 []"


def authority(folder: Path, days: int = 1, password: bytes | None = None) -> ClusterOptions:
    """A certificate that signed itself, its key, and where the two are."""
    folder.mkdir(exist_ok=True)
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(timezone.utc)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    signed = made.not_valid_before(now - timedelta(9)).not_valid_after(now + timedelta(days)).sign(key, hashes.SHA256())
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    kind = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(signed.public_bytes(kind))
    (folder / "key.pem").write_bytes(key.private_bytes(kind, serialization.PrivateFormat.PKCS8, lock))
    (folder / "key.pem").chmod(0o600)
    return ClusterOptions(
        scheduler="tls://localhost:8786", ca=folder / "cert.pem", certificate=folder / "cert.pem",
        key=folder / "key.pem",
    )  # fmt: skip


def change(options: ClusterOptions, **others: object) -> ClusterOptions:
    return ClusterOptions(**{**vars(options), **others})


def test_files_are_checked_before_anything_begins(tmp_path):
    good = authority(tmp_path / "good")
    Workers(2, good)

    def refused(options: ClusterOptions, message: str) -> None:
        with pytest.raises(UserError, match=message):
            Workers(2, options)

    for option in ("ca", "certificate", "key"):
        refused(change(good, **{option: tmp_path / "away.pem"}), r"away\.pem: cannot be read \(No such file")
        (tmp_path / "empty.pem").touch()
        refused(change(good, **{option: tmp_path / "empty.pem"}), r"empty\.pem: must be a (certificate|key) in PEM")
        refused(change(good, **{option: None}), rf"tls://localhost:8786 wants a file each for --cluster\.{option}$")
    refused(change(good, key=authority(tmp_path / "other").key), r"other/key\.pem: is not the key of .*good/cert\.pem")
    refused(authority(tmp_path / "locked", password=b"x"), r"locked/key\.pem: must be a key in PEM without a password")
    refused(authority(tmp_path / "old", days=-1), r"old/cert\.pem: its certificate ended on \d{4}-\d\d-\d\d")
    good.key.chmod(0o644)
    refused(good, r"good/key\.pem: everybody can read this key.*chmod 600")
    good.key.chmod(0o600)
    for address in ("localhost:8786", "tls://localhost", "http://localhost:8786", "tls://localhost:many"):
        refused(change(good, scheduler=address), r"must be tls://host:port .* got ")
    refused(change(good, scheduler="tcp://localhost:8786"), r"--cluster\.ca, .*must go with tls://")


def double(number: int) -> int:
    return 2 * number


def test_a_scheduler_of_the_users_is_reached_with_its_credentials_alone(tmp_path):
    own = authority(tmp_path / "own")
    security = credentials.given(own.scheduler, own.ca, own.certificate, own.key)
    with LocalCluster(1, processes=False, security=security, protocol="tls://", dashboard_address=None) as cluster:
        own = change(own, scheduler=cluster.scheduler_address)
        with Workers(1, own) as workers:
            assert list(workers.map(double, [1, 2])) == [2, 4]
        stranger = change(authority(tmp_path / "stranger"), scheduler=own.scheduler)
        with (
            dask.config.set({"distributed.comm.timeouts.connect": "3s"}),
            Workers(1, stranger) as workers,
            pytest.raises(UserError, match=rf"{own.scheduler}: no scheduler answers to these credentials"),
        ):
            list(workers.map(double, [1]))


def test_a_scheduler_in_the_clear_is_said(caplog):
    Workers(1, ClusterOptions(scheduler="tcp://localhost:8786"))
    assert "whoever reaches it can run code" in caplog.text
