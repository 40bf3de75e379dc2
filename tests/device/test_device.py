"""A folder of stage 12 recognises what the recipe's decoder does, alone, in any pieces, and says what is wrong."""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal
import subprocess
import sys
import wave
from importlib.metadata import distribution
from itertools import pairwise
from pathlib import Path

import kaldifst
import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.ship import toy_recogniser
from tests.ship.toy_recogniser import noise

from understudy.decode.recogniser import Recogniser as OurRecogniser
from understudy.device import audio
from understudy.device.audio import file_blocks
from understudy.device.best_path import Beams, Best
from understudy.device.endpointing import EndpointOptions
from understudy.device.errors import DeviceError
from understudy.device.live import Interrupt
from understudy.device.openfst import read_fst
from understudy.device.recogniser import Recogniser, UtteranceDecoding
from understudy.device.search import Graph, Search
from understudy.ship.export import export
from understudy.ship.folder import COMMAND, RUNTIME, seal_folder, write_graph

ALWAYS = EndpointOptions(pause=0.0, idle=0.0)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> OurRecogniser:
    return toy_recogniser.make(tmp_path_factory.mktemp("recogniser"))


def shipped(ours: OurRecogniser, folder: Path) -> Path:
    """A device's folder, in float32."""
    folder.mkdir(parents=True, exist_ok=True)
    export(ours.model, ours.normaliser, ours.tree.fingerprint, folder / "network.onnx")
    write_graph(ours.graph, folder)
    seal_folder(ours, folder)
    return folder


@pytest.fixture(scope="module")
def folder(ours: OurRecogniser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shipped(ours, tmp_path_factory.mktemp("device"))


@pytest.fixture(scope="module")
def device(folder: Path) -> Recogniser:
    return Recogniser(folder)


def write_wav(path: Path, samples: np.ndarray, rate: int = 16000, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        data = np.repeat(samples, channels) if channels > 1 else samples
        scaled = np.clip(np.rint(data * 32768), -32768, 32767)
        file.writeframes(scaled.astype("<i2").tobytes() if width == 2 else (scaled / 256 + 128).astype("u1").tobytes())
    return path


def listen(folder: Path, *arguments: str | Path, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, folder / COMMAND, *map(str, arguments)]
    return subprocess.run(command, input=data, capture_output=True, timeout=60)


# --- the right words ---------------------------------------------------------------------------------------------


def test_the_words_are_those_of_the_recipe(ours: OurRecogniser, device: Recogniser) -> None:
    audio = [noise(seconds, seed) for seed, seconds in enumerate((0.05, 0.3, 1.0, 2.5, 4.0, 1.7))]
    expected = [[word.text for word in heard.words] for heard in ours.hear(audio, times=False)]
    assert sum(map(len, expected)) > 10
    assert [device.whole(samples).words for samples in audio] == expected


@pytest.mark.parametrize("block", [37, 160, 1600, 16000, 10**6])
def test_the_end_is_the_same_however_audio_arrives(device: Recogniser, block: int) -> None:
    samples = noise(3.3, 5)
    *news, last = device.hear((samples[i : i + block] for i in range(0, len(samples), block)), ALWAYS)
    assert last.final and last.heard == device.whole(samples)
    assert last.heard.seconds == len(samples) / 16000
    assert news and not any(event.final for event in news)
    assert all(a.heard.words != b.heard.words for a, b in pairwise(news))


def test_utterances_end_in_time(device: Recogniser) -> None:
    samples = noise(10.0, 8)
    events = [e for e in device.hear([samples], EndpointOptions(pause=0.0, idle=0.0, longest=3.0)) if e.final]
    assert [event.start for event in events] == pytest.approx([0.0, 3.0, 6.0, 9.0])
    for event in events:
        begin = round(event.start * 16000)
        assert event.heard == device.whole(samples[begin : begin + round(event.heard.seconds * 16000)])
    with pytest.raises(DeviceError, match="a piece lasts"):
        device.hear([samples], EndpointOptions(piece=40.0))


def test_too_little_to_hear_is_nothing_said(device: Recogniser) -> None:
    for length in (0, 1, 479):
        heard = device.whole(np.zeros(length, np.float32))
        assert heard.words == [] and not heard.empty


def test_a_search_without_an_end_is_widened(device: Recogniser) -> None:
    narrow = copy.copy(device)
    narrow.beams = device.beams._replace(beam=0.5, min_active=1, max_active=2)
    widened = 0
    for seed in range(12):
        utterance = UtteranceDecoding(narrow)
        utterance.hear(noise(1.0, seed))
        heard = utterance.finish()
        assert utterance.widened or not heard.empty
        widened += utterance.widened
    assert widened


def test_a_search_that_finds_no_end_says_so(tmp_path: Path) -> None:
    kaldifst.compile("0 1 1 1\n1 2 2 0\n2\n").write(str(tmp_path / "graph.fst"))  # two frames, no more and no less
    graph = Graph(tmp_path / "graph.fst", ["<eps>", "YES"], 2, [], 2)
    found = []
    for frames in (0, 1, 2, 3):
        search = Search(graph, Beams(10.0, 30, 5000))
        search(np.zeros((frames, 2), np.float32))
        found.append((search.finish(), search.widened))
    assert found == [(Best([], []), False), (None, True), (Best([0, 1], [1]), False), (None, True)]


# --- alone -------------------------------------------------------------------------------------------------------


def installed(requirements: Path, into: Path) -> set[str]:
    """Links to what pip would install, from the packages that are here. Returns their names."""
    wanted, found = list(map(Requirement, requirements.read_text().splitlines())), set()
    while wanted:
        one = wanted.pop()
        package = distribution(one.name)
        assert package.version in one.specifier
        if canonicalize_name(one.name) in found:
            continue
        found.add(canonicalize_name(one.name))
        needs = map(Requirement, package.requires or [])
        wanted += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
        for file in package.files:
            if file.parts[0] != ".." and file.suffix != ".pyc":
                (into / file).parent.mkdir(parents=True, exist_ok=True)
                (into / file).symlink_to(file.locate())
    return found


def test_the_folder_needs_its_requirements_and_nothing_else(folder: Path, device: Recogniser, tmp_path: Path) -> None:
    packages = installed(folder / "requirements.txt", tmp_path / "packages")
    assert {"numpy", "onnxruntime", "kaldifst"} <= packages and not packages & {"torch", "k2", "lhotse", "scipy"}

    def alone(*command: str | Path) -> str:
        # -S: the environment's packages are not on the path, only those above.
        done = subprocess.run(
            [sys.executable, "-S", *map(str, command)], capture_output=True, text=True, timeout=60, cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path / "packages")},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    find = "import importlib.util as u, sys; print([u.find_spec(name) for name in sys.argv[1:]])"
    assert alone("-c", find, "torch", "k2", "understudy", "scipy").strip() == "[None, None, None, None]"
    path = write_wav(tmp_path / "one.wav", noise(1.0, 1))
    words = device.whole(np.concatenate(list(file_blocks(path, 16000)))).words
    assert alone(folder / COMMAND, path, "--pause", "0", "--idle", "0").split()[3:] == words and words
    (tmp_path / "samples").mkdir()
    np.save(tmp_path / "samples" / "one.npy", noise(1.0, 1))
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        f"from pathlib import Path; from {RUNTIME}.measure import main\n"
        "main(*map(Path, sys.argv[1:]))\n"
    )
    heard, process = map(json.loads, alone("-c", code, folder, tmp_path / "samples").splitlines())
    assert heard["seconds"] == 1.0 and process["strange"] == []


def test_files_folders_and_streams(folder: Path, device: Recogniser, tmp_path: Path) -> None:
    audio = {"a.wav": noise(1.2, 11), "below/b.wav": noise(2.0, 12)}
    (tmp_path / "below").mkdir()
    expected = []
    for name, samples in audio.items():
        path = write_wav(tmp_path / name, samples)
        rounded = (np.rint(samples * 32768) / 32768).astype(np.float32)
        words = " ".join(device.whole(rounded).words)
        expected.append((f"{path} 0.00 {len(samples) / 16000:.2f} {words}".rstrip(), words))
    still = ("--pause", "0", "--idle", "0")
    done = listen(folder, tmp_path, *still)
    assert done.returncode == 0 and [line.rstrip() for line in done.stdout.decode().splitlines()] == [
        e for e, _ in expected
    ]
    data = (tmp_path / "a.wav").read_bytes()
    for given in (data, data[44:]):  # with a header and without
        done = listen(folder, "-", "--format", "json", *still, data=given)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        assert events[-1]["final"] and events[-1]["text"] == expected[0][1] and not events[-1]["empty"]


# --- interrupts --------------------------------------------------------------------------------------------------


def started(folder: Path, *arguments: str, path: Path | None = None) -> subprocess.Popen[bytes]:
    """Listening, with a pipe as standard input; signals are what they are in a terminal."""
    return subprocess.Popen(
        [sys.executable, folder / COMMAND, *arguments, "--format", "json", "--pause", "0", "--idle", "0"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(path)} if path else None,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


@pytest.mark.parametrize(("number", "header"), [(signal.SIGINT, False), (signal.SIGTERM, True)])
def test_an_interrupt_ends_standard_input_and_loses_nothing(
    folder: Path, device: Recogniser, tmp_path: Path, number: signal.Signals, header: bool
) -> None:
    path = write_wav(tmp_path / "a.wav", np.concatenate([noise(2.0, 12), np.zeros(9999, np.float32)]))
    data = path.read_bytes()[44:64044]
    samples = np.frombuffer(data, "<i2").astype(np.float32) / 32768
    process = started(folder, "-")
    process.stdin.write(path.read_bytes()[:44] * header + data)  # which a pipe holds
    process.stdin.flush()
    assert not json.loads(process.stdout.readline())["final"]
    process.send_signal(number)
    assert process.wait(30) == 0  # though nothing has closed the pipe
    out, err = process.communicate()
    last = json.loads(out.splitlines()[-1])
    assert (last["final"], last["end"], last["text"]) == (True, 2.0, " ".join(device.whole(samples).words))
    assert last["text"] and not err


_MICROPHONE = """
import os, signal, threading, time
import numpy as np

class PortAudioError(Exception):
    pass

class InputStream:
    def __init__(self, samplerate, channels, dtype, blocksize, device, callback):
        assert (samplerate, channels, dtype, device) == (16000, 1, "float32", "that one")
        self.size, self.callback = blocksize, callback

    def __enter__(self):
        threading.Thread(target=self.play, daemon=True).start()

    def play(self):
        samples = np.load(os.path.join(os.path.dirname(__file__), "samples.npy"))
        for at in range(0, len(samples), self.size):
            block = samples[at : at + self.size, None].copy()
            self.callback(block, len(block), None, "input overflow" if at in (3200, 8000, 9600) else "")
            block[:] = 9  # it is PortAudio's own
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    def __exit__(self, *_):
        pass
"""


def test_an_interrupt_ends_the_microphone_and_loses_nothing(folder: Path, device: Recogniser, tmp_path: Path) -> None:
    samples = noise(2.0, 12)
    np.save(tmp_path / "samples.npy", samples)
    (tmp_path / "sounddevice.py").write_text(_MICROPHONE)
    process = started(folder, "--microphone", "that one", path=tmp_path)
    out, err = process.communicate(timeout=60)
    last = json.loads(out.splitlines()[-1])
    assert (last["final"], last["end"], last["text"]) == (True, 2.0, " ".join(device.whole(samples).words))
    assert process.returncode == 0 and last["text"]
    told = err.decode().splitlines()
    assert 1 <= len(told) <= 2 and all("microphone: audio was lost" in line for line in told)
    assert sum(int(line.split("lost ")[1].split()[0]) for line in told) == 3


def test_what_waits_of_a_microphone_has_a_bound_and_what_is_lost_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "_WAITING", 3 * audio.SECONDS)
    told, interrupt = [], Interrupt()
    arrived = audio._Arrived(told.append)
    for number in range(5):
        arrived(np.full((4, 1), number, np.float32), 4, None, "")
    interrupt.came = True
    assert [block[0] for block in arrived.blocks(interrupt)] == [0, 1, 2]
    assert len(told) == 1 and "audio was lost 2 times" in told[0]


def test_without_its_package_no_microphone_is_heard(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    process = started(folder, "--microphone", path=tmp_path)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1 and b"PortAudio library not found): install the package sounddevice, or pipe" in err


def test_a_second_interrupt_ends_at_once() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Tests that a script started in the background would ignore it.
    interrupted = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with Interrupt() as interrupt:
            signal.raise_signal(signal.SIGTERM)  # which is ignored here, and stays so
            assert not interrupt.came
            signal.raise_signal(signal.SIGINT)
            assert interrupt.came
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupted)


# --- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"rate": 8000}, "8000 Hz, 1 channels, 16 bits a sample; the network hears 16000 Hz, 16 bits. Convert it: sox"),
        ({"rate": 44100}, "44100 Hz"),
        ({"width": 1}, "16000 Hz, 1 channels, 8 bits"),
        ({"channels": 2}, "2 channels. Say which one to hear: --channel 0 to 1"),
    ],
)
def test_audio_of_another_kind_is_refused(folder: Path, tmp_path: Path, how: dict, said: str) -> None:
    path = write_wav(tmp_path / "strange.wav", noise(0.5, 1), **how)
    done = listen(folder, path)
    assert done.returncode == 1 and said in done.stderr.decode() and str(path) in done.stderr.decode()
    assert "1 of 1 files were not heard" in done.stderr.decode()


def test_a_channel_may_be_chosen(folder: Path, tmp_path: Path) -> None:
    one, two = write_wav(tmp_path / "1.wav", noise(1.0, 4)), write_wav(tmp_path / "2.wav", noise(1.0, 4), channels=2)
    texts = [listen(folder, *given).stdout.split(b" ", 1)[1] for given in ((one,), (two, "--channel", "1"))]
    assert texts[0] == texts[1]
    assert b"has channels 0 to 1, not 2" in listen(folder, two, "--channel", "2").stderr


def test_silence_and_clipping(folder: Path, tmp_path: Path) -> None:
    done = listen(folder, write_wav(tmp_path / "silence.wav", np.zeros(32000)))
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 1
    done = listen(folder, write_wav(tmp_path / "loud.wav", (9 * noise(1.0, 2)).clip(-1, 1)))
    assert done.returncode == 0 and b"of the samples are at the limit: clipped" in done.stderr


def test_a_file_that_is_cut_off_is_heard_to_there_and_said(folder: Path, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "cut.wav", noise(2.0, 6))
    path.write_bytes(path.read_bytes()[:40000])
    done = listen(folder, path)
    assert done.returncode == 1 and b"cut off, 19978 of 32000 samples" in done.stderr and done.stdout
    path.write_bytes(b"not audio at all")
    assert b"not WAV audio" in listen(folder, path).stderr
    assert b"no such file" in listen(folder, tmp_path / "none.wav").stderr
    assert b"name WAV files" in listen(folder).stderr


def test_standard_input_is_heard_as_files_are(folder: Path, tmp_path: Path) -> None:
    loud = write_wav(tmp_path / "loud.wav", (9 * noise(2.0, 6)).clip(-1, 1), channels=2)
    of_file = listen(folder, loud, "--channel", "1")
    done = listen(folder, "-", "--channel", "1", data=loud.read_bytes())
    assert done.returncode == 0 and done.stdout.split(b" ", 1)[1] == of_file.stdout.split(b" ", 1)[1]
    assert b"warning: standard input: " in done.stderr and b"clipped" in done.stderr
    cut = listen(folder, "-", "--channel", "0", data=loud.read_bytes()[:40044])
    assert cut.returncode == 1 and b"standard input: cut off, 10000 of 32000 samples" in cut.stderr
    assert cut.stdout.startswith(b"- 0.00 0.62")
    done = listen(folder, "-", data=b"fLaC" + bytes(9000))
    assert done.returncode == 1 and b"standard input: FLAC, not WAV" in done.stderr and not done.stdout


def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


@pytest.mark.parametrize("name", ["network.onnx", "graph.fst"])
def test_a_damaged_file_is_named(folder: Path, tmp_path: Path, name: str) -> None:
    other = copied(folder, tmp_path)
    whole = (other / name).read_bytes()
    for damaged, said in (
        (whole[:-7], "cut off"), (whole[:99] + b"?" + whole[100:], "not the file that"), (None, "no such file"),
    ):  # fmt: skip
        (other / name).unlink() if damaged is None else (other / name).write_bytes(damaged)
        with pytest.raises(DeviceError, match=said) as error:
            Recogniser(other)
        assert str(other / name) in str(error.value)


def test_parts_of_two_recipes_are_refused(ours: OurRecogniser, folder: Path, tmp_path: Path) -> None:
    other = copied(folder, tmp_path)
    export(ours.model, ours.normaliser, "another tree", other / "network.onnx")
    seal_folder(ours, other)
    with pytest.raises(DeviceError, match="of the tree another tree, the graph is of"):
        Recogniser(other)


def test_a_graph_of_more_than_there_is_is_refused(tmp_path: Path) -> None:
    path, words = tmp_path / "graph.fst", ["<eps>", "YES", "NO"]
    kaldifst.compile("0 1 1 4\n1 2 5 2\n2\n").write(str(path))
    Graph(path, words, 3, [[1, 2], [1]], 5)
    for given, said in (
        ((words, 3, [[1, 2], [1]], 4), "has arcs of senone 5, and there are 4. Export network and graph from one"),
        ((words, 3, [[1, 2]], 5), "has arcs of word 4, and there are 3"),
        ((words, 3, [[1, 2], [3]], 5), "sequences of more than the 3 words"),
        ((words, 4, [[1]], 5), "sequences of more than the 3 words"),
    ):
        with pytest.raises(DeviceError, match=said) as error:
            Graph(path, *given)
        assert str(path) in str(error.value)
    whole = path.read_bytes()
    for damaged in (
        b"",
        whole[:30],
        whole[:-4],
        whole[:-5],
        whole[:-6] + b"\1" + whole[-5:],
        b"?" + whole[1:],
        2 * whole,
    ):
        path.write_bytes(damaged)
        with pytest.raises(DeviceError, match="Export the graph again"):
            Graph(path, words, 3, [[1, 2], [1]], 5)


def test_arcs_are_those_of_openfst(folder: Path) -> None:
    graph = kaldifst.StdVectorFst.read(str(folder / "graph.fst"))
    told = [
        (arc.ilabel, arc.olabel, arc.nextstate)
        for state in kaldifst.StateIterator(graph)
        for arc in kaldifst.ArcIterator(graph, state)
    ]
    assert read_fst(folder / "graph.fst").arcs[:, [0, 1, 3]].tolist() == [list(one) for one in told] and len(told) > 50


def test_features_that_it_cannot_make_are_refused(ours: OurRecogniser, folder: Path, tmp_path: Path) -> None:
    import onnx

    from understudy.ship.export import write

    other = copied(folder, tmp_path)
    whole = onnx.load(other / "network.onnx")
    known = {p.key: p.value for p in whole.metadata_props}
    for changed, said in (
        ({"features": known["features"].replace("log-mel", "mfcc")}, "hears mfcc"),
        ({"mean": "[1.0, 2.0]"}, "2 channels"), ({"features": "{}"}, "does not tell what features"),
        ({"mean": "1.0"}, "1 channels"), ({"features": "[]"}, "does not tell what features"),
        ({"delay": "late"}, "no network of stage 12"), ({"delay": "-3"}, "-3 frames late"),
        ({"features": known["features"].replace('"stack": 3', '"stack": 2')}, "hears 192 numbers a frame, .* of 128"),
        ({"layers": "3"}, r"tells of hidden \[3, 1, 24\], it has \[2, 1, 24\]"),
        ({"cells": "25"}, r"tells of cell \[2, 1, 25\], it has \[2, 1, 24\]"),
        ({"senones": "9"}, r"tells of logits \[9\]"), ({"log_priors": "[0.5, 0.5]"}, r"log_priors .* has \[2\]"),
        ({"log_priors": "{}"}, "no network of stage 12"), ({"log_priors": "0.5"}, r"log_priors .* has \[\]"),
    ):  # fmt: skip
        write(whole, {**known, **changed}, other / "network.onnx")
        seal_folder(ours, other)
        with pytest.raises(DeviceError, match=said) as error:
            Recogniser(other)
        assert str(other / "network.onnx") in str(error.value)
        assert any(way in str(error.value) for way in ("Export it a", "Export the network a"))


def test_a_later_format_is_refused(folder: Path, tmp_path: Path) -> None:
    other = copied(folder, tmp_path)
    about = json.loads((other / "device.json").read_text())
    (other / "device.json").write_text(json.dumps({**about, "format": 99}))
    with pytest.raises(DeviceError, match="format 99; this run-time reads format 1"):
        Recogniser(other)
    (other / "device.json").write_text("{")
    with pytest.raises(DeviceError, match="cannot be read"):
        Recogniser(other)
    for none in (tmp_path, folder / "network.onnx", tmp_path / "nothing"):
        with pytest.raises(DeviceError, match="Give the folder that stage 12 made"):
            Recogniser(none)


def test_a_description_that_lacks_something_is_refused(folder: Path, tmp_path: Path) -> None:
    path = copied(folder, tmp_path) / "device.json"
    about = json.loads(path.read_text())
    later = {"least_confidence", "most_misfit", "lattice_beam", "calibration"}
    for key in about.keys() - {"format", "system"} - later:
        for changed in ({k: v for k, v in about.items() if k != key}, {**about, key: None}):
            path.write_text(json.dumps(changed))
            with pytest.raises(DeviceError, match=f"nothing to be used for {key} in it. Copy") as error:
                Recogniser(path.parent)
            assert str(path) in str(error.value)
    for files in ({}, {**about["files"], "graph.fst": 7}, {"graph.fst": about["files"]["graph.fst"]}):
        path.write_text(json.dumps({**about, "files": files}))
        with pytest.raises(DeviceError, match="nothing to be used for files"):
            Recogniser(path.parent)
    for text, said in (("[1]", "describes nothing"), ("7", "describes nothing"), ("\xff", "cannot be read")):
        path.write_text(text, encoding="latin-1")
        with pytest.raises(DeviceError, match=said):
            Recogniser(path.parent)


def test_an_hour_needs_no_more_memory_than_a_minute(folder: Path, tmp_path: Path) -> None:
    def peak(seconds: float) -> int:
        block = noise(6.0, 1)
        code = (
            f"import sys; sys.path.insert(0, {str(folder)!r})\n"
            f"from {RUNTIME}.recogniser import Recogniser\nfrom {RUNTIME}.endpointing import EndpointOptions\n"
            "import numpy as np, pathlib, itertools\n"
            f"block = np.load({str(tmp_path / 'block.npy')!r})\n"
            f"blocks = itertools.repeat(block, {round(seconds / 6)})\n"
            f"heard = Recogniser(pathlib.Path({str(folder)!r})).hear(blocks, EndpointOptions())\n"
            "print(sum(e.final for e in heard))\n"
            "print([l for l in open('/proc/self/status') if l.startswith('VmHWM')][0].split()[1])\n"
        )
        np.save(tmp_path / "block.npy", block)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
        finals, memory = map(int, done.stdout.split())
        assert finals >= seconds // 30
        return memory

    assert peak(1800) < 1.05 * peak(60) + 1000  # kB
