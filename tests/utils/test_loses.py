"""Whether 8 bits lose too much is an answer, and what cannot be read is none."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LOSES = Path(__file__).parents[2] / "utils/loses.py"


def loses(folder: Path, **rates: float) -> subprocess.CompletedProcess:
    path = folder / "dev.json"
    path.write_text(json.dumps({name: {"wer": rate} for name, rate in rates.items()}))
    return subprocess.run([sys.executable, LOSES, path, "1"], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("full", "dynamic", "static", "answer"),
    [(20.0, 20.1, 20.19, "no"), (20.0, 20.1, 20.3, "yes"), (20.0, 19.0, 18.0, "no"), (0.0, 0.0, 0.1, "yes"),
     (0.0, 0.0, 0.0, "no")],
)  # fmt: skip
def test_more_than_one_per_cent_by_any_is_yes(tmp_path, full, dynamic, static, answer):
    done = loses(tmp_path, float32=full, dynamic=dynamic, static=static)
    assert done.returncode == 0 and done.stdout == f"{answer}\n"


def test_no_answer_is_an_error(tmp_path):
    assert (done := loses(tmp_path, float32=20.0)).returncode == 1 and "Run stage 12 again" in done.stderr
    assert loses(tmp_path, dynamic=20.0, static=1.0).stdout == ""
    (tmp_path / "dev.json").write_text("{")
    done = subprocess.run([sys.executable, LOSES, tmp_path / "dev.json", "1"], capture_output=True, check=False)
    assert done.returncode != 0 and done.stdout == b""
    (tmp_path / "dev.json").write_text('{"float32": {"wer": null}, "static": {"wer": null}}')
    done = subprocess.run(
        [sys.executable, LOSES, tmp_path / "dev.json", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "no words in its references" in done.stderr and done.stdout == ""
