"""The page in a browser, whose microphone is a WAV file: its words are those of the run-time."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.ship import tones
from tests.ship.browser import INSECURE, Browser, hears, served
from tests.ship.test_web import node, paged

from understudy.device.audio import file_blocks
from understudy.device.endpointing import EndpointOptions, Event
from understudy.device.recogniser import Recogniser

READY = "document.documentElement?.dataset.ready"
DONE = "document.getElementById('status').textContent.startsWith('Ready. These are')"
SENTENCES = "[...document.querySelectorAll('#final span')].map((one) => one.textContent)"
PRESS = "document.getElementById('listen').click()"
NOTED = """
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message) {
  if (message.kind === "begin") Object.assign(window, { heard: [], count: 0, rate: message.rate });
  if (message.kind === "hear") { heard.push(message.samples); count += message.samples.length; }
  post.call(this, message);
};
"""
"""Keeps what the page sends to its recogniser"""
HEARD = """new Promise((told) => {
  const reader = new FileReader();
  reader.onload = () => told(reader.result.split(",")[1]);
  reader.readAsDataURL(new Blob(heard));
})"""
FAILURE = "!document.getElementById('failure').hidden && document.getElementById('failure').textContent"


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recogniser that knows its words, in 8 bits."""
    return tones.ship(tmp_path_factory.mktemp("tones"), "int8-dynamic")


@pytest.fixture(scope="module")
def page(device: Path) -> Path:
    return paged(device, device.parent / "page")


@pytest.fixture(scope="module")
def spoken(device: Path) -> Path:
    """Two sentences of four words, pauses around them."""
    pause = np.zeros(19200, np.float32)
    parts = [pause, *(part for seed in (1003, 1007) for part in (tones.speech(tones.said(seed), seed)[0], pause))]
    soundfile.write(device.parent / "spoken.wav", np.concatenate(parts), 16000, subtype="PCM_16")
    return device.parent / "spoken.wav"


def events(device: Path, path: Path) -> list[Event]:
    """Of the run-time."""
    return list(Recogniser(device).hear(file_blocks(path, 16000), EndpointOptions()))


def sentences(device: Path, path: Path) -> list[str]:
    return [" ".join(one.heard.words) for one in events(device, path) if one.final]


@pytest.fixture
def opened(page: Path, spoken: Path) -> Iterator[tuple[Browser, list[str]]]:
    """The page, ready, and the paths it asked for."""
    with served(page) as (address, asked), Browser(*hears(spoken)) as browser:
        browser.before(NOTED)
        browser.open(address)
        browser.wait(READY)
        yield browser, asked


def test_words_so_far_are_the_same_where_they_are_sure(device: Path, page: Path, tmp_path: Path) -> None:
    files = []
    for seed in range(2000, 2020):
        files.append(tmp_path / f"{seed}.wav")
        soundfile.write(files[-1], tones.speech(tones.said(seed, 6), seed)[0], 16000, subtype="PCM_16")
    told = node(page, "events", *files)
    for path, one in zip(files, told, strict=True):
        expected = [(event.final, event.start, event.heard.words) for event in events(device, path)]
        assert len(expected) > 3 and len(expected[-1][2]) > 1
        assert [(event["final"], event["start"], event["words"]) for event in one["events"]] == expected


def test_the_microphone_s_words_are_those_of_the_run_time(
    device: Path, page: Path, opened: tuple[Browser, list[str]], spoken: Path, tmp_path: Path
) -> None:
    """Of what it heard: on a busy machine a browser loses some of its microphone's audio."""
    browser, all_words = opened[0], sentences(device, spoken)
    assert len(all_words) == 2 and all(len(one.split()) > 2 for one in all_words)
    browser.value(PRESS, userGesture=True)
    browser.wait("document.getElementById('partial').textContent")
    browser.wait(f"count / rate > {soundfile.info(spoken).duration + 1}")
    browser.value(PRESS, userGesture=True)
    browser.wait(DONE)
    samples = np.frombuffer(base64.b64decode(browser.value(HEARD)), np.float32)
    soundfile.write(tmp_path / "heard.wav", samples, browser.value("rate"), subtype="FLOAT")
    heard = np.float32(node(page, "resampled", tmp_path / "heard.wav", 16000))
    ours = [one for one in Recogniser(device).hear([heard], EndpointOptions()) if one.final]
    assert browser.value(SENTENCES) == [" ".join(one.heard.words) for one in ours]
    assert ours[0].heard.words
    assert "of real time" in browser.value("document.getElementById('pace').textContent")
    assert not browser.said


def test_a_file_s_words_are_those_of_the_run_time(
    device: Path, page: Path, opened: tuple[Browser, list[str]], spoken: Path
) -> None:
    browser, asked = opened
    browser.choose("#file", spoken)
    browser.wait(DONE)
    assert browser.value(SENTENCES) == sentences(device, spoken)
    assert not browser.said
    # Nothing is fetched from elsewhere, and no file lies in the folder for nothing.
    loaded = browser.value("performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)")
    assert set(loaded) == {browser.value("location.origin")}
    assert {path.strip("/") or "index.html" for path in asked} | {"capture.js"} == {
        path.name for path in page.iterdir() if path.name != "package.json"
    }


def test_another_file_is_told_of_and_the_next_is_heard(opened: tuple[Browser, list[str]], spoken: Path) -> None:
    browser = opened[0]
    browser.choose("#file", Path(__file__))
    assert "must be WAV audio, got something else" in browser.wait(FAILURE)
    browser.choose("#file", spoken)
    browser.wait(DONE)
    assert not browser.value(FAILURE) and len(browser.value(SENTENCES)) == 2


@pytest.mark.parametrize("missing", ["model.bin", "model.json", "lstm.js"])
def test_a_file_that_is_missing_is_told_of(page: Path, missing: str, tmp_path: Path) -> None:
    folder = shutil.copytree(page, tmp_path / "page")
    (folder / missing).unlink()
    with served(folder) as (address, _), Browser() as browser:
        browser.open(address)
        told = browser.wait(f"document.getElementById('failure') && {FAILURE}")
        assert "copy the whole folder again" in told and (missing in told or missing == "lstm.js")
        assert browser.value("document.getElementById('listen').disabled")


def test_a_page_without_a_microphone_says_why(page: Path) -> None:
    with served(page) as (address, _), Browser("--use-fake-ui-for-media-stream") as browser:
        for host, why in (("localhost", "must give a microphone"), (INSECURE, "must come from https:// or localhost")):
            browser.open(address.replace("localhost", host))
            browser.wait(f"location.hostname === '{host}' && {READY}")
            browser.value(PRESS, userGesture=True)
            assert why in browser.wait(FAILURE)
            assert not browser.value("document.getElementById('listen').disabled")
