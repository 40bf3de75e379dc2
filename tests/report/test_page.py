"""A recipe's page: its figures are those of the files, it needs no network, and its tables sort in a browser."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from understudy.report import gather
from understudy.report.page import duration, size
from understudy.score.outcome import Outcome, write_outcome
from understudy.step import write_json

ROOT = Path(__file__).parents[2]
SAID = [["A", "<b>x</b>"], ["C", "D", "E"], ["A"]]
HEARD = {"base": [["A", "B"], ["C", "E", "E", "E"], ["F"]], "taught": [["A", "<b>x</b>"], ["C", "D"], ["F"]]}


@pytest.fixture
def exp(tmp_path) -> Path:
    """Two decoded systems, one of which has a model, and a finished step."""
    lines = []
    for number, (system, heard) in enumerate(HEARD.items()):
        outcomes = [Outcome(f"u{i}", "s&1", *pair) for i, pair in enumerate(zip(SAID, heard))]
        score = write_outcome(tmp_path / system / "decode/test", outcomes, {})
        about = {"recipe": "toy", "system": system, "test_set": "test", "config": "c", "cpu_s": 1.0, "updates": None}
        hours = {"labelled_hours": 0.5, "unlabelled_hours": 2.0 * number, "parameters": 10**6 * (2 - number)}
        lines.append({**about, **hours, **score, "scored": f"{system}/decode/test"})
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    history = [{"updates": 10 * i, "dev": 3.0 - i} for i in range(3)]
    write_json(tmp_path / "taught/model.json", {"parameters": 10**6, "meta": {"history": history}})
    (tmp_path / "taught/model.safetensors").write_bytes(bytes(1234))
    ran = {"step": "train.py", "finished": "2026-01-01 10:02:10", "seconds": 130.0, "peak_memory_mb": 77}
    write_json(tmp_path / "taught/.done.json", {**ran, "commit": "abc"})
    write_json(tmp_path / "base/.done.json", {"step": "train.py", "commit": "abc"})  # of before steps noted the rest
    return tmp_path


def page(exp: Path, *more: str) -> str:
    command = [sys.executable, ROOT / "steps/report_page.py", "--exp", exp, "--data", exp / "data", *more]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (exp / "report.html").read_text()


class Rows(HTMLParser):
    """Cells of all table rows; addresses; whether every element is closed."""

    VOID = frozenset("meta link br img audio".split())

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & {*self.open}:
            self.rows[-1][-1] += data


def test_the_page_says_what_the_files_say_and_needs_no_other(exp):
    text = page(exp, "--baseline", "base")
    found = Rows(text)
    assert not found.open
    assert all(a.startswith(("#", "data:")) for a in found.addresses) and not re.search(r"@import|url\((?!#)", text)
    rows = {row[0].strip(): row for row in found.rows}
    assert rows["base"][1:5] == ["66.67", rows["base"][2], "4/6", "3 / 0 / 1"]
    assert rows["taught"][1] == "33.33" and rows["taught"][3:5] == ["2/6", "1 / 1 / 0"]
    assert rows["taught"][7:10] == ["50.0", "1.00 M", "1.2 kB"] and rows["base"][9] == "–"
    assert rows[str(exp / "taught")][1:5] == ["train.py", "2026-01-01 10:02:10", "2 min", "77 MB"]
    assert text.count("<svg") == 2 and "WER against the size" in text and "2.0" in rows["taught"][11]


def test_the_page_of_the_corpus_is_linked_where_there_is_one(exp):
    (exp / "data/valid").mkdir(parents=True)
    (exp / "data/valid/corpus.html").write_text("")
    assert "data/valid/corpus.html" in Rows(page(exp)).addresses


def test_a_set_without_words_stands_beside_the_others(exp):
    score = write_outcome(exp / "taught/decode/noises", [Outcome("u1", "s", [], ["A"])], {})
    line = {"recipe": "toy", "system": "taught", "test_set": "noises", "config": "c", "cpu_s": 1.0, "updates": None,
            "labelled_hours": 0.5, "unlabelled_hours": 2.0, "parameters": 10**6, "teacher": "base"}  # fmt: skip
    with (exp / "results.jsonl").open("a") as file:
        file.write(json.dumps(line | score | {"scored": "taught/decode/noises"}) + "\n")
    text = page(exp, "--baseline", "base")
    assert ["taught", "–", "–", "1/0"] in [[cell.strip() for cell in row[:4]] for row in Rows(text).rows]
    assert "<b>x</b>" not in text and "&lt;b&gt;x&lt;/b&gt; → B" in text and "s&amp;1" in text
    assert "Nothing yet for “An utterance”" in text


def test_what_is_on_a_device_keeps_its_bytes_and_is_not_looked_at_closely(exp):
    """A network in 8 bits that makes fewer errors than its model has no model of its own to draw an utterance with."""
    line = json.loads((exp / "results.jsonl").read_text().splitlines()[-1])
    shutil.copytree(exp / "taught/decode/test", exp / "device/networks/int8/test")
    shipped = {"system": "taught-int8", "precision": "int8", "bytes": 345_000, "wer": 1.0, "teacher": "base"}
    shipped |= {"scored": "device/networks/int8/test"}
    with (exp / "results.jsonl").open("a") as file:
        file.write(json.dumps(line | shipped) + "\n")
    text = page(exp, "--baseline", "base")
    rows = {row[0].strip(): row for row in Rows(text).rows}
    assert rows["taught-int8"][9] == "345.0 kB" and rows["taught"][9] == "1.2 kB"
    mistakes = text.partition('id="mistakes"')[2]
    assert "taught" in mistakes and "taught-int8" not in mistakes


def test_what_was_set_aside_is_not_told_beside_what_took_its_place(exp):
    shutil.copytree(exp / "taught", exp / "set-aside/taught-20260101-095500-epochs")
    (model,), (step,) = gather.trained(exp), gather.pipeline([exp])
    assert model.name == "taught" and step.folder == str(exp / "taught")
    (alone,) = gather.trained(exp / "set-aside")  # somebody who looks there sees it
    assert alone.name == "taught-20260101-095500-epochs"


def test_a_folder_with_nothing_yet_has_a_page(tmp_path):
    text = page(tmp_path)
    assert text.count("Nothing yet for") == 6 and "<table" not in text


def test_mistakes_are_counted_and_sorted(exp):
    errors = gather.errors(exp / "base/decode/test")
    assert [one.score.id for one in errors] == ["u1", "u2", "u0"]
    assert gather.confusions(errors) == {
        "substituted": [("<b>x</b> → B", 1), ("A → F", 1), ("D → E", 1)], "deleted": [], "inserted": [("E", 1)],
    }  # fmt: skip


def test_numbers_for_people():
    assert [size(n) for n in (0, 999, 1234, 5_600_000, 7e12)] == ["0 B", "999 B", "1.2 kB", "5.6 MB", "7000.0 GB"]
    assert [duration(s) for s in (0.04, 99.0, 130, 7200, 40000)] == ["0.0 s", "99.0 s", "2 min", "2.0 h", "11.1 h"]


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium on this machine")
def test_a_click_on_a_heading_sorts(exp):
    text = page(exp, "--baseline", "base")
    asks = """<script>
    const table = document.querySelector("table.sorts"), heads = table.tHead.rows[0].cells, told = [];
    for (const i of [1, 1, 0, 8, 9]) { heads[i].firstElementChild.click();
      told.push([...table.tBodies[0].rows].map(r => r.cells[0].textContent).join());
      told.push(heads[i].getAttribute("aria-sort")); }
    document.title = told.join(" "); </script></body>"""
    path = exp / "clicked.html"
    path.write_text(text.replace("</body>", asks))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    title = re.search(r"<title>(.*)</title>", done.stdout)[1]
    assert title == (
        "taught,base ascending base,taught descending base,taught ascending taught,base ascending "
        "taught,base ascending"  # what is not known comes last
    )
