"""The whole table, small: every kind of job runs, every row has its result, and run again nothing is redone."""

import json
import subprocess
from pathlib import Path

import pytest

from understudy.parallel.job_graph import read_jobs

RECIPE = Path(__file__).parents[2] / "egs/assistant/s1"
SMALL = (
    "--hours 0.03 --seven-hours 0.08 --unlabelled-hours 0.06 --dev-hours 0.01 --test-hours 0.02 --senones 100 "
    "--seven-senones 110 --teacher-epochs 2 --seven-teacher-epochs 1 --distil-epochs 1 --seven-distil-epochs 1 "
    "--sub-epochs 1 --sequence-epochs 1 --beam 6 "
    "--seeds 1"
).split()
SMALL += ["--parts", "2 1", "--sizes", "student large", "--seven.first_epochs", "{student: 1, large: 1}"]
SMALL += ["--first-epochs", "{student: 2, large: 1}", "--alone-epochs", "{student: 3, large: 2}"]
SMALL += ["--seven.alone_epochs", "{student: 2}"]
SMALL += ["--teachers", "1 2"]


def table(folder: Path, *more: str) -> subprocess.CompletedProcess:
    where = ["--data", folder / "data", "--dir", folder / "exp", "--table", folder / "TABLE.md"]
    command = [RECIPE / "run_table.sh", *SMALL, *where, *more]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    done = table(folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def without_out(command: tuple[str, ...]) -> tuple[str, ...]:
    where = command.index("--out")
    return command[:where] + command[where + 2 :]


def results(folder: Path) -> dict[str, dict]:
    return {x["system"]: x for x in map(json.loads, (folder / "table/results.jsonl").read_text().splitlines())}


def test_every_row_has_its_result(made):
    text, lines = (made / "TABLE.md").read_text(), results(made)
    rows = [line.split("\t")[1] for line in (made / "exp/rows.tsv").read_text().splitlines()]
    assert set(rows) <= set(lines) and "Without result yet" not in text
    assert all(f"| {system} |" in text for system in rows)
    pairs = [json.loads(line) for line in (made / "table/differences.jsonl").read_text().splitlines()]
    assert {(p["baseline"], p["system"]) for p in pairs} >= {
        ("student-n", "student-0.06h-n"),
        ("teachers-n", "large-n"),
    }
    assert (made / "table/curves.png").exists() and (made / "table/wer.png").exists()


def test_each_system_learnt_from_what_its_name_says(made):
    lines = results(made)
    taught = {name: (line["teacher"], line["supervision"]) for name, line in lines.items()}
    assert taught["student-n"] == taught["teacher-7n"] == (None, None)
    assert taught["student-0.06h-n"] == taught["large-0.03h-n"] == ("teachers", "soft, k = 20")
    assert taught["student-lattice-n"] == ("teachers", "lattice, k = 20")
    assert taught["student-best-path-n"] == ("teachers", "best-path, k = 1")
    assert taught["student-hard-n"] == ("teachers", "soft, k = 1")
    assert taught["student-oracle-n"] == (None, "true labels")
    assert taught["student-stepwise-7n"] == ("large-0.06h", "soft, k = 20")
    hours = {name: (line["labelled_hours"], line["unlabelled_hours"]) for name, line in lines.items()}
    assert hours["student-n"][1] == 0 and 0.03 <= hours["student-n"][0] < 0.035
    assert 0.08 <= hours["student-7n"][0] < 0.085
    assert 0.029 < hours["student-0.03h-n"][1] < 0.035 and 0.059 < hours["student-0.06h-n"][1] < 0.065
    assert lines["student-lattice-n"]["target_cpu_s_per_hour"] > lines["student-0.06h-n"]["target_cpu_s_per_hour"] > 0
    # Whatever the unlabelled speech, a student gets as many updates, but for the rounding of batches.
    assert abs(lines["student-0.03h-n"]["updates"] - lines["student-0.06h-n"]["updates"]) <= 2


def test_students_made_smaller_are_as_small_and_ship(made):
    lines = results(made)
    size = lines["student-0.06h-n"]["parameters"]
    for name in ("large-0.06h-factorised-n", "large-0.06h-projected-n"):
        assert abs(lines[name]["parameters"] / size - 1) < 0.05
    # What is made of the trained one has learnt what that has.
    factorised, projected = (lines[f"large-0.06h-{kind}-n"]["updates"] for kind in ("factorised", "projected"))
    assert factorised > projected
    page = (made / "table/DEVICE.md").read_text()
    names = ("student-0.06h", "large-0.06h", "large-0.06h-factorised", "large-0.06h-projected", "student-0.06h-rounded")
    assert all(f"| {name}-n-{precision} |" in page for name in names for precision in ("float32", "int8-static"))


@pytest.mark.parametrize("blocks", ["A", "A B", "A C device", "C stepwise", "rivals", "sequence", "C smaller", "B"])
def test_blocks_are_whole_by_themselves(tmp_path, blocks):
    done = table(tmp_path, "--list", "true", "--blocks", blocks)
    assert done.returncode == 0, done.stderr
    jobs = read_jobs((tmp_path / "exp/jobs.tsv").read_text().splitlines(), blocks)  # of which none lacks its needs
    decoded = {c.command[c.command.index("--system") + 1] for c in jobs if c.name.endswith("/decode")}
    rows = [line.split("\t") for line in (tmp_path / "exp/rows.tsv").read_text().splitlines()]
    assert decoded >= {name for _, *names in rows for name in names if name}
    assert ("student-7n" in decoded) == ("B" in blocks)
    assert {"student-n", "student-oracle-n"} <= decoded or (blocks == "B" and not any("-n" in name for name in decoded))


@pytest.mark.parametrize(("blocks", "told"), [("A D", "no block is called D"), ("A device", "students of C")])
def test_blocks_that_make_no_sense_are_told(tmp_path, blocks, told):
    done = table(tmp_path, "--list", "true", "--blocks", blocks)
    assert done.returncode != 0 and told in done.stderr


@pytest.mark.parametrize(
    ("corpus", "blocks", "teacher"),
    [
        ("speechocean762", "A B C stepwise rivals sequence smaller device", "teacher"),
        ("mini_librispeech", "A B C stepwise rivals sequence smaller device", "teachers"),
    ],
)
def test_tables_of_other_corpora_are_whole(tmp_path, corpus, blocks, teacher):
    recipe = Path(__file__).parents[2] / "egs" / corpus / "s1/run_table.sh"
    command = [recipe, "--list", "true", "--data", tmp_path / "data", "--dir", tmp_path / "exp"]
    done = subprocess.run([*command, "--blocks", blocks], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    jobs = read_jobs((tmp_path / "exp/jobs.tsv").read_text().splitlines(), corpus)
    assert {"n/student.3", "n/student-oracle/decode", "n/large-first-projected"} <= {job.name for job in jobs}
    assert len({job.name for job in jobs}) == len(jobs)
    by = {c.name: c.command[c.command.index("--model") + 1] for c in jobs if c.name.startswith("n/targets")}
    large = by.pop("n/targets-large").removeprefix(f"{tmp_path}/exp/")
    assert f"{large}/decode" in {job.name for job in jobs} and large.startswith("n/large-")
    assert set(by.values()) == {f"{tmp_path}/exp/n/{teacher}"}
    configs = {part for job in jobs for part in job.command if part.endswith(".yaml")}
    assert all((recipe.parent / config).exists() for config in configs)
    trained = [without_out(job.command) for job in jobs if job.command[0].startswith("steps/train")]
    assert len(set(trained)) == len(trained)  # none twice
    commands = {job.name: job.command for job in jobs}
    where = "7n" if "7n/student-hard" in commands else "n"
    options = {name: set(commands[f"{where}/student{name}"]) for name in ("", "-oracle", "-hard")}
    for_soft_targets = {"conf/distil.yaml", "conf/distil-table.yaml"}
    assert len(options["-hard"] & for_soft_targets) == 1
    assert not options["-oracle"] & for_soft_targets  # it learns from labels, with the student's own settings
    assert {"conf/student.yaml"} == {o for o in options["-oracle"] | options[""] if o.endswith(".yaml")}
    seen = [
        {o: c[c.index(o) + 1] for o in ("--epochs", "--sub-epochs", "--labelled-passes", "--init", "--unlabelled")}
        for c in (commands[f"{where}/student-oracle"], commands[f"{where}/student-hard"])
    ]
    assert seen[0] == seen[1]
    none = subprocess.run([*command, "--blocks", "A B", "--seven-hours", "null"], capture_output=True, text=True)
    assert none.returncode != 0 and "too little speech for block B" in none.stderr


def test_rivals_of_the_teacher_of_seven_times_the_labels(tmp_path):
    at_seven = ["--list", "true", "--rivals-at", "7n", "--blocks"]
    done = table(tmp_path, *at_seven, "B rivals")
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in (tmp_path / "exp/rows.tsv").read_text().splitlines()]
    for block in ("B: ", "Supervision: "):
        oracles = {oracle for title, *_, oracle in rows if title.startswith(block)}
        assert oracles - {""} == {"student-oracle-7n"}
    jobs = read_jobs((tmp_path / "exp/jobs.tsv").read_text().splitlines(), "rivals")
    assert {"7n/targets-lattice", "7n/student-oracle/decode"} <= {c.name for c in jobs}
    assert not any(c.name.startswith("n/targets-") for c in jobs)
    alone = table(tmp_path, *at_seven, "A rivals")
    assert alone.returncode != 0 and "add it" in alone.stderr


def test_run_again_nothing_is_redone(made):
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*.safetensors")}
    done = table(made)
    assert done.returncode == 0, done.stderr[-3000:]
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*.safetensors")} == before


def test_the_list_of_jobs_does_nothing(tmp_path):
    done = table(tmp_path, "--list", "true")
    assert done.returncode == 0 and not (tmp_path / "data").exists()
    names = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert len(set(names)) == len(names) > 50 and "n/student-oracle/decode" in names
