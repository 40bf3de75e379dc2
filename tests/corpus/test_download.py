"""Fetching and unpacking of public archives, from file:// addresses and from a server of our own."""

from __future__ import annotations

import hashlib
import io
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from understudy.corpus import download as module
from understudy.corpus.download import Archive, download, fetched
from understudy.step import UserError

NOISE = np.random.default_rng(0).bytes(50_000)  # does not compress, so that the archive has a size


def archive(folder: Path, *names: str, kind: bytes = tarfile.REGTYPE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "toy.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for name in names:
            member = tarfile.TarInfo(name)
            member.type, member.size = kind, len(NOISE) if kind == tarfile.REGTYPE else 0
            packed.addfile(member, io.BytesIO(NOISE))
    return path


def described(path: Path, folder: str = "toy", min_bytes: int = 1000) -> Archive:
    return Archive(path.as_uri(), folder, min_bytes)


def fault_of(source: Archive, parent: Path) -> str:
    with pytest.raises(UserError) as error:
        fetched(source, parent)
    assert not (parent / source.folder).exists()
    assert not list(parent.glob(".partial-*")) and not list(parent.glob("*.part*"))
    return str(error.value)


def test_fetches_and_unpacks_once(tmp_path: Path) -> None:
    path, parent = archive(tmp_path / "web", "toy/part/a.bin", "toy/b.bin"), tmp_path / "data"
    assert fetched(described(path), parent) == parent / "toy"
    assert (parent / "toy" / "part" / "a.bin").read_bytes() == NOISE
    assert sorted(p.name for p in parent.iterdir()) == ["toy", "toy.tar.gz"]
    path.unlink()
    assert (fetched(described(path), parent) / "b.bin").exists()


def test_two_archives_share_a_folder(tmp_path: Path) -> None:
    for part in ("train", "dev"):
        path = archive(tmp_path / part, f"Speech/{part}/a.bin", "Speech/README")
        path = path.rename(path.with_name(f"{part}.tar.gz"))
        fetched(described(path, f"Speech/{part}"), tmp_path / "data")
    assert sorted(p.name for p in (tmp_path / "data" / "Speech").iterdir()) == ["dev", "train"]


def test_an_archive_that_lies_there_is_not_fetched(tmp_path: Path) -> None:
    path = archive(tmp_path, "toy/a.bin")
    elsewhere = Archive("http://localhost:1/toy.tar.gz", "toy", 1000)
    assert (fetched(elsewhere, path.parent) / "a.bin").read_bytes() == NOISE


def test_a_page_is_not_an_archive(tmp_path: Path) -> None:
    page = tmp_path / "toy.tar.gz"
    page.write_text("<html>404: not here</html>")
    said = fault_of(described(page), tmp_path / "data")
    assert "must have 1000 bytes at least, got 26" in said and "--corpus-dir" in said
    assert not (tmp_path / "data" / "toy.tar.gz").exists()
    assert "cannot be unpacked" in fault_of(described(page, min_bytes=1), tmp_path / "data")


def test_what_cannot_be_fetched_names_the_way_out(tmp_path: Path) -> None:
    said = fault_of(described(tmp_path / "toy.tar.gz"), tmp_path / "data")
    assert "cannot be fetched" in said and f"put it at {tmp_path / 'data' / 'toy.tar.gz'}" in said


@pytest.mark.parametrize("kept", [30_000, 50_100])
def test_a_truncated_archive_leaves_nothing(tmp_path: Path, kept: int) -> None:
    path = archive(tmp_path / "web", "toy/a.bin", "toy/b.bin")
    path.write_bytes(path.read_bytes()[:kept])
    assert "Remove it and run again" in fault_of(described(path), tmp_path / "data")


def test_a_damaged_archive_leaves_nothing(tmp_path: Path) -> None:
    path = archive(tmp_path / "web", "toy/a.bin", "toy/b.bin")
    path.write_bytes(path.read_bytes()[:40_000] + bytes(1000) + path.read_bytes()[41_000:])
    assert "Remove it and run again" in fault_of(described(path), tmp_path / "data")


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    path = archive(tmp_path / "web", "toy/a.bin", "../../outside")
    assert "../../outside would be written outside" in fault_of(described(path), tmp_path / "data")
    assert not (tmp_path / "outside").exists()


def test_an_archive_of_something_else_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path / "web", "other/a.bin")
    assert "no toy/ in it" in fault_of(described(path), tmp_path / "data")


def test_links_are_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch) -> None:
    monkeypatch.setattr("understudy.corpus.download.log.propagate", True)
    path = archive(tmp_path / "web", "toy/a.bin")
    with tarfile.open(tmp_path / "web" / "links.tar.gz", "w:gz") as packed, tarfile.open(path) as source:
        member = source.getmembers()[0]
        packed.addfile(member, source.extractfile(member))
        link = tarfile.TarInfo("toy/passwords")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    folder = fetched(described(tmp_path / "web" / "links.tar.gz"), tmp_path / "data")
    assert [p.name for p in folder.iterdir()] == ["a.bin"]
    assert "toy/passwords is neither a file nor a folder" in caplog.text


class Server(ThreadingHTTPServer):
    """A server on loopback with one file and its digest; what is asked of it is kept."""

    def __init__(self, data: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.data, self.version = data, "one"
        self.ranges = self.heads = True
        self.honest = True
        """whether it keeps to ranges that it says it has"""
        self.cut: int | None = None
        """bytes of a reply before the connection is closed"""
        self.pause = 0.0
        """seconds between 10 kB"""
        self.asked: list[str] = []
        self.sent: list[int] = []
        """bytes, of each reply"""

    def handle_error(self, *_: object) -> None:
        """A client that is killed is no fault of ours."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/toy.tar.gz"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        if not self.server.heads:
            return self.send_error(405)
        return self._begin(200, self.server.data)

    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range", "")
        if self.path == "/md5sum.txt":
            text = f"{hashlib.md5(server.data).hexdigest()}  toy.tar.gz\n".encode()
            self._begin(200, text)
            self.wfile.write(text)
            return
        number = len(server.asked)
        server.asked.append(asked)
        server.sent.append(0)
        start = int(re.findall(r"bytes=(\d+)-", asked)[0]) if asked and server.ranges and server.honest else 0
        data = server.data[start:]
        self._begin(206 if start else 200, data)
        for at in range(0, len(data), 10_000):
            block = data[at : min(at + 10_000, len(data) if server.cut is None else server.cut)]
            if not block:
                break
            self.wfile.write(block)
            server.sent[number] += len(block)
            time.sleep(server.pause)

    def _begin(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{self.server.version}"')
        if self.server.ranges:
            self.send_header("Accept-Ranges", "bytes")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(module, "_PAUSE", 0.01)
    monkeypatch.setattr(module.log, "propagate", True)
    made = Server(archive(tmp_path / "web", *(f"toy/{i}.bin" for i in range(6))).read_bytes())
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def test_a_killed_download_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    server.pause = 0.02
    code = (
        "import sys; from pathlib import Path; from understudy.corpus.download import Archive, download\n"
        "download(Archive(sys.argv[1], 'toy', 1000), Path(sys.argv[2]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, server.url, str(tmp_path)], stderr=subprocess.DEVNULL)
    partial, deadline = tmp_path / "toy.tar.gz.part", time.monotonic() + 60
    while not (partial.exists() and partial.stat().st_size > 50_000) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = partial.stat().st_size
    assert 50_000 < kept < len(server.data) and not (tmp_path / "toy.tar.gz").exists()
    server.pause = 0.0
    told = Archive(server.url, "toy", 1000, f"md5:{hashlib.md5(server.data).hexdigest()}")
    assert download(told, tmp_path).read_bytes() == server.data
    assert server.asked == ["bytes=0-", f"bytes={kept}-"]
    assert len(server.data) - kept in server.sent  # what went to the killed one may be counted after it
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == ["toy.tar.gz"]


def test_a_connection_that_ends_too_soon_is_made_again(server: Server, tmp_path: Path, caplog) -> None:
    server.cut = 70_000
    assert (fetched(Archive(server.url, "toy", 1000), tmp_path) / "5.bin").read_bytes() == NOISE
    assert server.asked == [f"bytes={at}-" for at in range(0, len(server.data), 70_000)]
    assert sum(server.sent) == len(server.data) and "broke off at 0 MB (the connection ended too soon)" in caplog.text


def test_a_server_that_is_gone_is_given_up_and_what_came_is_kept(server: Server, tmp_path: Path) -> None:
    server.cut = 70_000
    source, kept = Archive(server.url, "toy", 1000), tmp_path / "toy.tar.gz.part"
    kept.write_bytes(server.data[:70_000])
    (tmp_path / "toy.tar.gz.part.version").write_text('"one"')
    server.cut = 0
    with pytest.raises(UserError, match=r"5 tries in a row brought nothing: .* the same command goes on from there"):
        download(source, tmp_path)
    assert kept.read_bytes() == server.data[:70_000] and len(server.asked) == 5
    server.cut = None
    assert download(source, tmp_path).read_bytes() == server.data and server.asked[5:] == ["bytes=70000-"]


@pytest.mark.parametrize("what", ["no ranges", "another version", "no HEAD", "a lie"])
def test_what_cannot_be_gone_on_with_is_fetched_anew(server: Server, tmp_path: Path, what: str) -> None:
    (tmp_path / "toy.tar.gz.part").write_bytes(b"old" * 10_000)
    (tmp_path / "toy.tar.gz.part.version").write_text('"one"')
    server.ranges, server.heads, server.honest = what != "no ranges", what != "no HEAD", what != "a lie"
    server.version = "two" if what == "another version" else "one"
    assert download(Archive(server.url, "toy", 1000), tmp_path).read_bytes() == server.data


def test_what_its_publisher_does_not_tell_of_is_refused(server: Server, tmp_path: Path, caplog) -> None:
    wrong = "md5:" + "0" * 32
    with pytest.raises(UserError, match=f"its md5 must be {'0' * 32}, as its publisher tells, got .* It is removed"):
        download(Archive(server.url, "toy", 1000, wrong), tmp_path)
    assert not list(tmp_path.glob("toy.tar.gz*"))
    listed = server.url.replace("toy.tar.gz", "md5sum.txt")
    with caplog.at_level("INFO", "understudy"):
        download(Archive(server.url, "toy", 1000, digests=listed), tmp_path)
    assert "toy.tar.gz: its md5 is what its publisher tells" in caplog.text
    with pytest.raises(UserError, match="Remove it and run again"):  # it is the user's own, perhaps
        download(Archive(server.url, "toy", 1000, wrong), tmp_path)
    other = Archive(server.url.replace("toy.tar.gz", "other.tar.gz"), "toy", 1000, digests=listed)
    assert download(other, tmp_path).name == "other.tar.gz"
    assert "md5sum.txt: has no other.tar.gz, which is not held against it" in caplog.text
    (tmp_path / "other.tar.gz").unlink()
    download(Archive(other.url, "toy", 1000, digests="http://127.0.0.1:1/md5sum.txt"), tmp_path)
    assert "so that other.tar.gz is not held against it" in caplog.text


def test_a_page_that_is_not_there_is_told_at_once(server: Server, tmp_path: Path) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError, match="cannot be fetched"):
        download(Archive(server.url, "toy", 1000), tmp_path)
    assert not list(tmp_path.glob("*.part"))
