"""Fetching and unpacking of public archives, from file:// addresses."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from understudy.corpus.download import Archive, fetched
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
    assert not list(parent.glob(".partial-*"))
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
    assert "26 of 26 bytes is not the archive" in said and "--corpus-dir" in said
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
