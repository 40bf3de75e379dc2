"""A recogniser with either search: batches, streams and lattices, and without k2 at all."""

import subprocess
import sys

import numpy as np
import pytest
from tests.ship import toy_recogniser

from understudy.decode import options
from understudy.decode.listener import Listener
from understudy.decode.options import default_engine
from understudy.decode.recogniser import Recogniser
from understudy.decode.search import backend
from understudy.device.endpointing import EndpointOptions
from understudy.step import UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recogniser")
    toy_recogniser.make(folder)
    return folder


@pytest.fixture(scope="module")
def sounds():
    return [toy_recogniser.noise(seconds, seed) for seed, seconds in enumerate((2.0, 0.7, 3.1))]


def texts(heard):
    return [[word.text for word in one.words] for one in heard]


@pytest.mark.k2
def test_both_hear_the_same_words_at_the_same_times_with_like_confidences(folder, sounds):
    theirs, ours = (Recogniser(folder, engine).hear(sounds) for engine in ("k2", "numpy"))
    assert texts(ours) == texts(theirs) and sum(map(len, texts(ours))) > 3
    for one, other in zip(ours, theirs, strict=True):
        assert [(w.start, w.end) for w in one.words] == [(w.start, w.end) for w in other.words]
        assert one.confidence == pytest.approx(other.confidence, abs=1e-4)
        for word, twin in zip(one.words, other.words, strict=True):
            assert word.confidence == pytest.approx(twin.confidence, abs=0.3)  # 100 draws each


def test_a_stream_ends_with_the_words_of_the_batch(folder, sounds):
    recogniser = Recogniser(folder, "numpy")
    listener = Listener(recogniser, EndpointOptions(piece=0.3, longest=20.0))
    for samples in sounds:
        blocks = np.array_split(samples, 13)
        events = list(listener.events(blocks))
        assert texts([e.heard for e in events if e.final]) == texts(recogniser.hear([samples]))
        assert any(not e.final and e.heard.words for e in events)


@pytest.mark.k2
def test_k2_is_the_default_where_it_is_installed(monkeypatch):
    assert default_engine() == "k2"
    monkeypatch.setattr(options, "find_spec", lambda _name: None)
    assert default_engine() == "numpy" and backend().__name__.endswith("numpy_search")


def test_without_k2_audio_is_heard_and_asking_for_k2_names_the_way_out(folder, sounds, tmp_path, monkeypatch):
    np.save(tmp_path / "sound.npy", sounds[0])
    program = """if True:
        import sys
        sys.modules["k2"] = None
        import kaldifst, numpy as np
        from pathlib import Path
        from understudy.decode.recogniser import Recogniser
        from understudy.decode.search import backend
        (heard,) = Recogniser(Path(sys.argv[1]), "numpy").hear([np.load(sys.argv[2])])
        print(" ".join(word.text for word in heard.words))
    """
    command = [sys.executable, "-c", program, str(folder), str(tmp_path / "sound.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == texts(Recogniser(folder, "numpy").hear([sounds[0]], times=False))[0]
    monkeypatch.setitem(sys.modules, "k2", None)
    monkeypatch.delitem(sys.modules, "understudy.decode.k2_search", raising=False)
    monkeypatch.delattr("understudy.decode.k2_search", raising=False)
    with pytest.raises(UserError, match="--search numpy"):
        backend("k2")
