"""The jobs and rows of the tables are those that the shell's list had, which stand in commands/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.experiments.described import BLOCKS, described

from understudy.experiments import in_order_of_need, jobs_of, rows_of
from understudy.parallel.job_graph import Job, read_jobs, write_jobs

ROOT = Path(__file__).parents[2]
LISTS = Path(__file__).parent / "commands"
TABLES = {
    "assistant-default": [],
    "assistant-9h": ["--blocks", "B", "--unlabelled-hours", "9", "--seven-alone-epochs", "{student: 37}"],
    "assistant-teachers": [
        "--blocks", BLOCKS, "--teachers", "1 2", "--rivals-at", "7n", "--sizes", "student large", "--parts", "2 1",
        "--first-epochs", "{student: 2, large: 1}", "--alone-epochs", "{student: 3, large: 2}", "--sub-epochs", "1",
        ],
    "mini_librispeech-default": ["--corpus-dir", "/corpora/LibriSpeech"],
    "mini_librispeech-whole": ["--blocks", BLOCKS],
    "mini_librispeech-sequence": ["--blocks", "A sequence", "--rivals-at", "n", "--seeds", "1"],
    "speechocean762-default": [],
    "speechocean762-whole": ["--blocks", BLOCKS],
}  # fmt: skip


def flat(values: dict[str, Any], before: str = "") -> dict[str, str]:
    """Options of a configuration, as the command line has them."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= flat(value, f"{before}{name}.")
        else:
            found[before + name] = f"{value:g}" if isinstance(value, float) else str(value)
    return found


def meant(command: tuple[str, ...], recipe: Path) -> tuple[str, dict[str, str]]:
    """A step, and what each of its options is: configurations are read where they stand, and the last word counts."""
    script, *words = command
    options: dict[str, str] = {}
    for name, value in zip(words[::2], words[1::2], strict=True):
        assert name.startswith("--")
        name = name[2:].replace("-", "_")
        options |= flat(yaml.safe_load((recipe / value).read_text())) if name == "config" else {name: value}
    return script, options


@pytest.mark.parametrize("table", TABLES)
def test_the_commands_are_the_same(table: str):
    name = table.rsplit("-", 1)[0]
    recipe, old = ROOT / "egs" / name / "s1", LISTS / f"{table}.jobs.tsv"
    before = {job.name: job for job in read_jobs(old.read_text().splitlines(), str(old))}
    jobs = jobs_of(described(name, *TABLES[table]))
    assert len(jobs) == len(before)
    for job in jobs:
        assert sorted(job.needs) == sorted(before[job.name].needs), job.name
        assert meant(job.command, recipe) == meant(before[job.name].command, recipe), job.name


@pytest.mark.parametrize("table", TABLES)
def test_the_rows_are_the_same(table: str):
    rows = [list(row[1:]) for row in rows_of(described(table.rsplit("-", 1)[0], *TABLES[table]))]
    assert rows == [line.split("\t") for line in (LISTS / f"{table}.rows.tsv").read_text().splitlines()]


def needed(jobs: dict[str, Job], name: str) -> set[str]:
    """A job and all that come before it."""
    return {name}.union(*(needed(jobs, need) for need in jobs[name].needs))


@pytest.mark.parametrize("blocks", ["A B C rivals sequence smaller device", "C A", "B", "rivals", "B encoder A"])
def test_a_block_is_done_before_the_next_begins(blocks: str):
    """No job of a block's first seed comes behind one that only later blocks, or further seeds, need."""
    x = described("assistant", "--blocks", blocks, "--encoder.model", "ears")
    listed = jobs_of(x)
    jobs = in_order_of_need(listed, x)
    assert sorted(job.name for job in jobs) == sorted(job.name for job in listed)
    by_name, places = {job.name: job for job in jobs}, {job.name: place for place, job in enumerate(jobs)}
    order = [*x.blocks, *(["A"] if x.at_n and "A" not in x.blocks else [])]
    done: set[str] = set()
    for block in order:
        systems = {s for row in rows_of(x) if row.block == block for s in (row.system, row.baseline, row.oracle) if s}
        decodings = [f"{system.rsplit('-', 1)[1]}/{system.rsplit('-', 1)[0]}/decode" for system in systems]
        done = done.union(*(needed(by_name, name) for name in decodings))
        assert {places[name] for name in done} == set(range(len(done))), block


def test_options_are_written_as_a_shell_reads_them(tmp_path: Path):
    x = described("mini_librispeech", "--corpus-dir", "/my corpora/Libri'Speech", "--data", str(tmp_path / "d"))
    write_jobs(tmp_path / "jobs.tsv", jobs_of(x))
    assert read_jobs((tmp_path / "jobs.tsv").read_text().splitlines(), "list") == jobs_of(x)
    assert "/my corpora/Libri'Speech" in jobs_of(x)[0].command and "--lexicon" not in jobs_of(x)[0].command
