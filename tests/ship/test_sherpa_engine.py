"""sherpa-onnx itself hears the words of the run-time, and the programs of its folder's README.md do what they say.

The engine is installed in environments of its own (utils/engines.sh), once; where that fails, all here is skipped.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import soundfile
from tests.ship import toy_recogniser

from understudy.device.normalise import OnlineMean
from understudy.device.recogniser import Recogniser, UtteranceDecoding
from understudy.ship.options import Told
from understudy.ship.sherpa import write_sherpa

ROOT = Path(__file__).parents[2]
VERSIONS = ["1.13.8", "2.0.1"]
"""The last of the line that phones' and browsers' packages are of, and Python's newest"""
PRECISIONS = ["float32", "int8-dynamic", "int8-static"]
FLOOR = 4.8520303
"""7 ln 2: log-mels of samples within ±1 are never less"""
UTTERANCES, FEW = 100, 5
MOST = {"float32": 2, "int8-dynamic": 5, "int8-static": 5}
"""Utterances with other words that are borne: weights are random, so paths are close, and 8 bits round the engine's
features, which differ in their last digits, to other steps"""


def engine(*version: str) -> Path:
    """Its environment."""
    alone = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run([ROOT / "utils/engines.sh", *version], capture_output=True, text=True, env=alone, check=False)
    if done.returncode:
        pytest.skip(done.stderr.strip())
    return Path(done.stdout.strip())


@pytest.fixture(scope="module", params=VERSIONS)
def installed(request: pytest.FixtureRequest) -> Path:
    return engine(request.param)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Networks of a projected student, their folders for the engine, and audio."""
    folder = tmp_path_factory.mktemp("shipped")
    toy_recogniser.ship(folder, *PRECISIONS, projection=16, online=OnlineMean(floor=FLOOR))
    for precision in PRECISIONS:
        write_sherpa(folder / precision, folder / "text" / precision, "text")
    write_sherpa(folder / "float32", folder / "ids/float32", "ids")
    (folder / "audio").mkdir()
    for number in range(UTTERANCES):
        # Whole pieces of 0.3 s and a half: the engine hears a piece once there is a frame more.
        noise = toy_recogniser.noise(1.05 + 0.3 * (number % 6), 1000 + number)
        soundfile.write(folder / f"audio/{number:03}.wav", noise, 16000, subtype="PCM_16")
    return folder


def audio(shipped: Path) -> list[Path]:
    return sorted((shipped / "audio").glob("*.wav"))


def told(
    installed: Path, folder: Path, files: list[Path], scratch: Path, piece: int = 4000, tail: float = 0.0
) -> list[dict[str, Any]]:
    """What the engine tells of each file."""
    script = Path(__file__).with_name("on_sherpa.py")
    command = [installed / "bin/python", script, folder, scratch / "told.json", 5000, piece, tail, *files]
    run(command, scratch)
    return list(json.loads((scratch / "told.json").read_text())["heard"].values())


def run(command: list, folder: Path) -> str:
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    alone.pop("PYTHONPATH", None)
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=folder, env=alone, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def ours(device: Path, files: list[Path]) -> list[list[str]]:
    """Words of the run-time once it has heard as many frames as the engine: neither has heard of the audio's end."""
    recogniser, texts = Recogniser(device), []
    for path in files:
        utterance = UtteranceDecoding(recogniser)
        utterance.hear(soundfile.read(path, dtype="float32")[0])
        best = utterance._search.finish()
        assert best is not None
        texts.append(recogniser.graph.text(best.words))
    return texts


def names(folder: Path) -> list[str]:
    return [line.split()[0] for line in (folder / "words.txt").read_text().splitlines()]


def once(words: list[str]) -> list[str]:
    """Without repetitions: the engine tells a word of one frame, twice in a row, once."""
    return [word for word, _ in itertools.groupby(words)]


@pytest.mark.parametrize("precision", PRECISIONS)
def test_words_are_those_of_the_run_time(installed: Path, shipped: Path, precision: str, tmp_path: Path) -> None:
    folder, files = shipped / "text" / precision, audio(shipped)
    expected, words = ours(shipped / precision, files), names(folder)
    found = told(installed, folder, files, tmp_path)
    differing = [
        f"{path.name}: {' '.join(one)} | {' '.join(words[word] for word in other['words'])}"
        for path, one, other in zip(files, expected, found, strict=True)
        if one != [words[word] for word in other["words"]]
    ]
    assert len(files) == UTTERANCES and len(differing) <= MOST[precision], "\n".join(differing)
    assert sum(map(len, expected)) > 5 * UTTERANCES and len(set(map(tuple, expected))) > UTTERANCES // 2
    for one in found:
        assert once(one["text"].split(" ")) == once([words[word] for word in one["words"]])


def test_pieces_and_the_way_of_telling_change_no_word(installed: Path, shipped: Path, tmp_path: Path) -> None:
    files = audio(shipped)[:20]
    whole = told(installed, shipped / "text/float32", files, tmp_path, piece=10**6)
    assert told(installed, shipped / "text/float32", files, tmp_path, piece=777) == whole
    numbers = told(installed, shipped / "ids/float32", files, tmp_path)
    assert [one["words"] for one in numbers] == [one["words"] for one in whole]
    assert {one["text"].strip() for one in numbers} == {""}


def test_times_are_those_of_frames_of_40_ms(installed: Path, shipped: Path, tmp_path: Path) -> None:
    files = audio(shipped)
    found = told(installed, shipped / "text/float32", files, tmp_path)
    lasts = [one["times"][-1] / soundfile.info(path).duration for path, one in zip(files, found, strict=True)]
    assert 0.75 * max(lasts) < 1 < max(lasts)


def blocks(folder: Path) -> dict[str, str]:
    """The programs of a README.md by language."""
    return dict(re.findall(r"^```(\w+)\n(.*?)^```$", (folder / "README.md").read_text(), flags=re.M | re.S))


def as_read_me(installed: Path, shipped: Path, way: Told, scratch: Path) -> list[str]:
    """Text of a few files with the zeros that the README.md asks for: 0.5 s for a student that is 3 frames late."""
    folder = shipped / way / "float32"
    found = told(installed, folder, audio(shipped)[:FEW], scratch, tail=0.5)
    assert "zeros(8000, np" in blocks(folder)["python"]
    words = names(folder)
    return [one["text"] if way == "text" else " ".join(words[word] for word in one["words"]) for one in found]


@pytest.mark.parametrize("way", ["text", "ids"])
def test_the_program_in_python(installed: Path, shipped: Path, way: Told, tmp_path: Path) -> None:
    folder = shipped / way / "float32"
    (tmp_path / "listen.py").write_text(blocks(folder)["python"])
    said = run([installed / "bin/python", tmp_path / "listen.py", *audio(shipped)[:FEW]], folder)
    assert said.splitlines() == as_read_me(installed, shipped, way, tmp_path)


@pytest.mark.parametrize("way", ["text", "ids"])
def test_the_program_in_c(installed: Path, shipped: Path, way: Told, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc to build the program in C")
    folder, (package,) = shipped / way / "float32", installed.glob("lib/python*/site-packages/sherpa_onnx")
    (tmp_path / "listen.c").write_text(blocks(folder)["c"])
    build = ["gcc", "-Wall", "-Werror", "listen.c", "-o", "listen", "-lsherpa-onnx-c-api", f"-I{package}/include"]
    run([*build, f"-L{package}/lib", f"-Wl,-rpath,{package}/lib"], tmp_path)
    said = run([tmp_path / "listen", *audio(shipped)[:FEW]], folder).splitlines()
    if way == "ids":
        said = [" ".join(names(folder)[word] for word in json.loads(line)["words"]) for line in said]
    assert said == as_read_me(installed, shipped, way, tmp_path)


@pytest.mark.parametrize("way", ["text", "ids"])
def test_the_program_in_javascript(shipped: Path, way: Told, tmp_path: Path) -> None:
    node, python = engine("--node", VERSIONS[0]), engine(VERSIONS[0])
    folder = shipped / way / "float32"
    (tmp_path / "listen.js").write_text(blocks(folder)["javascript"])
    (tmp_path / "node_modules").symlink_to(node / "node_modules")
    said = run(["node", tmp_path / "listen.js", *audio(shipped)[:FEW]], folder)
    assert said.splitlines() == as_read_me(python, shipped, way, tmp_path)
