"""Speech in rooms and noise: time, loudness and signal-to-noise ratio; the same whatever is drawn beside it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from lhotse import CutSet, MonoCut, Recording
from lhotse.utils import fastcopy

from understudy.features import load_logmel
from understudy.features.extract import LogmelExtractor, extract_set, load_samples
from understudy.features.logmel import default_backend
from understudy.features.options import RoomNoiseOptions
from understudy.features.room_noise import RoomNoise
from understudy.features.rooms import make_room, make_rooms, reverberate
from understudy.parallel.workers import Workers
from understudy.step import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cuts(tmp_path: Path) -> list[MonoCut]:
    """Six utterances of 1 to 2 seconds, each noise of its own loudness."""
    made = []
    for i in range(6):
        samples = np.random.default_rng(i).normal(0, 0.01 * (i + 1), 16000 + 3000 * i)
        soundfile.write(tmp_path / f"u{i}.wav", samples, 16000, subtype="FLOAT")
        recording = Recording.from_file(tmp_path / f"u{i}.wav", recording_id=f"u{i}")
        made.append(MonoCut(f"u{i}", 0, recording.duration, 0, recording=recording))
    return made


def room_noise(noises: list[MonoCut], talkers: int = 1, seed: int = 1, **options) -> RoomNoise:
    return RoomNoise(RoomNoiseOptions(**options), make_rooms(3, 1), noises, talkers, seed)


@pytest.mark.parametrize("seed", range(4))
def test_rooms_do_not_shift_time(seed: int):
    click = np.zeros(16000, np.float32)
    click[8000] = 1.0
    energy = np.cumsum(reverberate(click, make_room(seed)) ** 2)
    assert energy[7980] < 0.02 * energy[-1]  # nothing before the click but the filter's ringing
    assert energy[8016] > 0.01 * energy[-1]  # and the direct sound within a millisecond of it


def test_a_room_is_the_same_whatever_the_threads():
    threads = torch.get_num_threads()
    rooms = []
    for number in (1, 4):
        torch.set_num_threads(number)
        rooms.append(make_room(7))
        assert torch.get_num_threads() == number
    torch.set_num_threads(threads)
    assert np.array_equal(*rooms)


@pytest.mark.parametrize("talkers", [1, 4])
def test_noise_has_the_asked_level_and_speech_keeps_its_own(cuts, talkers):
    altered = room_noise(cuts, talkers, in_room=0, in_noise=1, snr=(10, 10))
    for cut in cuts:
        speech = load_samples(cut)
        heard = altered(cut, speech)
        assert len(heard) == len(speech) and heard.dtype == np.float32
        assert 20 * np.log10(np.std(speech) / np.std(heard - speech)) == pytest.approx(10, abs=0.01)


def test_ratios_lie_in_their_range_and_differ(cuts):
    altered = room_noise(cuts, in_room=0, in_noise=1, snr=(5, 20))
    speech = load_samples(cuts[0])
    heard = [altered(fastcopy(cuts[0], id=f"x{i}"), speech) for i in range(60)]
    ratios = [20 * np.log10(np.std(speech) / np.std(h - speech)) for h in heard]
    assert 5 <= min(ratios) < 8 and 17 < max(ratios) <= 20


def test_shares_are_kept(cuts):
    speech = load_samples(cuts[0])
    for in_room, in_noise in ((0, 0), (0.5, 0), (0, 0.5), (1, 1)):
        altered = room_noise(cuts, in_room=in_room, in_noise=in_noise)
        same = [np.allclose(altered(fastcopy(cuts[0], id=f"x{i}"), speech), speech, atol=1e-6) for i in range(80)]
        assert np.mean(same) == pytest.approx((1 - in_room) * (1 - in_noise), abs=0.17)


def test_loud_speech_does_not_clip_and_silence_stays(cuts):
    altered = room_noise(cuts, in_room=1, in_noise=1, snr=(0, 0))
    loud = np.sign(load_samples(cuts[0]))
    assert np.abs(altered(cuts[0], loud)).max() <= 0.991
    assert not altered(cuts[0], np.zeros(800, np.float32)).any()


def test_an_utterance_is_not_its_own_noise(cuts):
    altered = room_noise(cuts[:2], in_room=0, in_noise=1, snr=(0, 0))
    for i in range(2):
        speech = load_samples(cuts[i])
        noise = altered(cuts[i], speech) - speech
        shifted = [abs(np.corrcoef(speech[:8000], noise[a : a + 8000])[0, 1]) for a in range(0, 8000, 7)]
        assert max(shifted) < 0.2


@pytest.mark.parametrize(
    "options", [{"in_room": 1.2}, {"in_noise": -0.1}, {"snr": (20, 5)}, {"noises": []}, {"talkers": 0}]
)
def test_options_that_make_no_sense_are_refused(cuts, options):
    with pytest.raises(UserError):
        room_noise(**{"noises": cuts, **options})


def test_features_have_the_clean_ones_frames_whatever_the_processes(cuts, tmp_path):
    CutSet.from_cuts(cuts).to_file(tmp_path / "set.jsonl.gz")
    logmels = LogmelExtractor(default_backend())
    extract_set(tmp_path / "set.jsonl.gz", tmp_path / "clean", "set", [1.0], 10, logmels, Workers(1))
    stored = []
    for jobs, size in ((1, 6), (2, 2)):
        out = tmp_path / f"out{jobs}"
        command = [ROOT / "steps/augment.py", "--cuts", tmp_path / "set.jsonl.gz", "--out", out, "--jobs", jobs]
        command += ["--shard-size", size, "--room_noise.rooms", 2]
        done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "2 rooms, noise from 6 cuts, 4 at once" in done.stderr
        stored.append([(c.id, load_logmel(c)) for c in CutSet.from_file(out / "set.jsonl.gz")])
    clean = [(c.id, load_logmel(c)) for c in CutSet.from_file(tmp_path / "clean/set.jsonl.gz")]
    for (name, one), (other, two), (third, was) in zip(*stored, clean, strict=True):
        assert name == other == third and one.shape == was.shape and np.array_equal(one, two)
    assert any(np.abs(one - was).mean() > 0.3 for (_, one), (_, was) in zip(stored[0], clean))
