"""Manifests: built, split by speaker, and validated against the faults that real corpora have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import AudioSource, MonoCut, Recording

from understudy.corpus import (
    Report,
    Utterance,
    build_cut,
    build_cuts,
    is_perturbed,
    join_manifests,
    original_id,
    perturbed,
    read_cuts,
    set_of_speakers,
    split_speakers,
    validate_sets,
    write_cuts,
)
from understudy.corpus.build import write_sets
from understudy.corpus.validate import validate
from understudy.step import UserError


def wav(path: Path, seconds: float = 0.5, rate: int = 16000, channels: int = 1) -> Path:
    samples = np.random.default_rng(0).normal(0, 0.1, (round(seconds * rate), channels))
    soundfile.write(path, samples, rate, subtype="PCM_16")
    return path


@pytest.fixture
def utterance(tmp_path: Path) -> Utterance:
    return Utterance("u1", wav(tmp_path / "u1.wav"), "turn  on", "ann")


def fault_of(utterance: Utterance, **kwargs) -> str:
    with pytest.raises(UserError) as error:
        list(validate(build_cuts([utterance]), **kwargs))
    return str(error.value)


def test_a_cut_has_its_words_speaker_and_reference_times(utterance: Utterance) -> None:
    cut = build_cut(replace(utterance, phones=(("SIL", 0.0, 0.2), ("T", 0.2, 0.3))))
    supervision = cut.supervisions[0]
    assert (supervision.text, supervision.speaker, cut.duration) == ("TURN ON", "ann", 0.5)
    assert [(item.symbol, item.start, item.duration) for item in supervision.alignment["phone"]] == [
        ("SIL", 0.0, 0.2),
        ("T", 0.2, 0.3),
    ]


def test_the_same_cuts_give_the_same_bytes_and_come_back(tmp_path: Path, utterance: Utterance) -> None:
    cut = build_cut(utterance)
    for name in ("a", "b"):
        assert write_cuts(tmp_path / f"{name}.jsonl.gz", [cut]) == 1
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    assert join_manifests(tmp_path / "c.jsonl.gz", [tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl.gz"]) == 2
    assert list(read_cuts(tmp_path / "c.jsonl.gz")) == [cut, cut]


def test_a_manifest_that_breaks_off_is_named(tmp_path: Path, utterance: Utterance) -> None:
    path = tmp_path / "a.jsonl.gz"
    write_cuts(path, [build_cut(utterance)] * 50)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match=r"a\.jsonl\.gz, line \d+"):
        list(read_cuts(path))


def test_sound_cuts_pass_and_are_counted(utterance: Utterance) -> None:
    report = Report()
    assert len(list(validate(build_cuts([utterance]), report=report))) == 1
    assert (report.cuts, report.seconds, report.speakers) == (1, 0.5, {"ann"})


def test_utterances_shorter_than_a_mask_are_counted(tmp_path: Path) -> None:
    report, cuts = Report(), []
    for number, seconds in enumerate((0.2, 0.35, 0.36, 2.0)):
        cuts.append(build_cut(Utterance(f"u{number}", wav(tmp_path / f"{number}.wav", seconds), "on", "ann")))
    list(validate(cuts, report=report))
    assert (report.short, report.short_seconds) == (2, pytest.approx(0.55))


def test_a_speaker_without_a_set_and_a_corpus_without_labels(tmp_path: Path, utterance: Utterance) -> None:
    others = [replace(utterance, id=name, speaker=name) for name in ("bob", "eve")]
    with pytest.raises(UserError, match="2 of the speakers are in no set: bob, eve"):
        write_sets(tmp_path / "out", [utterance, *others], {"ann": "labelled"})
    with pytest.raises(UserError, match="none of 1 utterances is labelled: a recipe begins with transcribed speech"):
        write_sets(tmp_path / "out", [utterance], {"ann": "dev"})
    assert not (tmp_path / "out").exists()
    untold = [utterance, replace(others[0], text=None)]
    write_sets(tmp_path / "out", untold, {"ann": "labelled", "bob": "unlabelled"})
    (cut,) = read_cuts(tmp_path / "out/unlabelled.jsonl.gz")
    assert cut.supervisions[0].text is None and cut.supervisions[0].speaker == "bob"


@pytest.mark.parametrize("name", ["ann\n", "a\tb", "a\u2028b", "a\rb"])
def test_names_that_would_break_a_table_are_refused(utterance: Utterance, name: str) -> None:
    assert "Rename it" in fault_of(replace(utterance, speaker=name))
    assert "Rename it" in fault_of(replace(utterance, id=name))


def test_an_utterance_without_a_frame_is_refused_by_name(tmp_path: Path) -> None:
    assert "u9: lasts 20 ms" in fault_of(Utterance("u9", wav(tmp_path / "u9.wav", 0.02), "on", "ann"))
    shortest = Utterance("u9", wav(tmp_path / "u9.wav", 0.045), "on", "ann")
    assert len(list(validate(build_cuts([shortest])))) == 1


def test_a_cut_without_supervision_is_told_what_it_lacks(utterance: Utterance) -> None:
    with pytest.raises(UserError, match=r"has no supervision\. Add one with its speaker"):
        list(validate([replace(build_cut(utterance), supervisions=[])]))


def test_wav_from_a_pipe_is_told_from_empty_audio(utterance: Utterance) -> None:
    data = bytearray(utterance.audio.read_bytes())
    data[40:44] = bytes(4)
    utterance.audio.write_bytes(data)
    assert "its header tells of no samples, though some follow. Write it anew" in fault_of(utterance)
    utterance.audio.write_bytes(data[:44])
    assert "holds no samples. Fetch the file again" in fault_of(utterance)


def test_samples_on_another_scale(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).normal(0, 3000, 8000)
    soundfile.write(tmp_path / "loud.wav", samples, 16000, subtype="FLOAT")
    assert "where ±1 is the limit. Divide them by 32768" in fault_of(
        Utterance("u1", tmp_path / "loud.wav", "on", "ann")
    )


def test_what_the_next_stage_can_read_is_sound(tmp_path: Path, utterance: Utterance) -> None:
    """A command, one channel of several, a rate that is changed as it is read: by what the cut yields."""
    cut = build_cut(utterance)
    command = AudioSource("command", [0], f"cat {utterance.audio}")
    piped = replace(cut, id="piped", recording=replace(cut.recording, sources=[command]))
    stereo = wav(tmp_path / "stereo.wav", channels=2)
    recording = Recording.from_file(stereo)
    right = replace(cut, id="right", channel=1, recording=recording)
    report = Report()
    assert [one.id for one in validate([piped, right], report=report)] == ["piped", "right"]
    assert report.levels.utterances == 2
    low = build_cut(replace(utterance, id="low", audio=wav(tmp_path / "low.wav", rate=8000)))
    assert "low.wav has 8000 Hz. Resample it to 16000 Hz: steps/prepare_corpus.py does" in fault(low)
    try:
        import torchaudio  # noqa: F401 (by which Lhotse resamples)
    except (ImportError, OSError):
        return
    assert len(list(validate([low.resample(16000)]))) == 1
    gone = replace(piped, recording=replace(cut.recording, sources=[AudioSource("command", [0], "exit 3")]))
    assert "exit 3 cannot be read" in fault(gone)


def fault(cut: MonoCut) -> str:
    with pytest.raises(UserError) as error:
        list(validate([cut]))
    return str(error.value)


def test_of_a_long_file_only_the_cut_is_read(tmp_path: Path, monkeypatch) -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 16000 * 60)
    samples[16000 * 50] = np.nan
    soundfile.write(tmp_path / "long.wav", samples, 16000, subtype="FLOAT")
    whole, read = build_cut(Utterance("u1", tmp_path / "long.wav", "on", "ann")), []

    def part(start: float) -> MonoCut:
        return replace(whole, start=start, duration=2.0, supervisions=[replace(whole.supervisions[0], duration=2.0)])

    blocks = soundfile.SoundFile.blocks

    def counted(self, *args, **kwargs):
        for block in blocks(self, *args, **kwargs):
            read.append(len(block))
            yield block

    monkeypatch.setattr(soundfile.SoundFile, "blocks", counted)
    assert len(list(validate([part(20.0)]))) == 1 and sum(read) == 32000
    with pytest.raises(UserError, match=r"NaN or infinity at 50\.00 s"):
        list(validate([part(49.0)]))


def test_missing_audio(utterance: Utterance) -> None:
    known = replace(utterance, num_samples=8000, sample_rate=16000)
    utterance.audio.unlink()
    assert "u1.wav does not exist" in fault_of(known)
    with pytest.raises(UserError, match=r"u1\.wav: no such audio file"):
        build_cut(utterance)


def test_cut_off_wav(utterance: Utterance) -> None:
    whole = utterance.audio.read_bytes()
    cut = build_cut(utterance)
    utterance.audio.write_bytes(whole[: len(whole) // 2])
    # Whether the manifest was made before the file was cut off or after, it is noticed.
    for made in (cut, build_cut(utterance)):
        with pytest.raises(UserError, match=r"u1\.wav .*cut off"):
            list(validate([made]))


def test_zero_length_files(utterance: Utterance) -> None:
    known = replace(utterance, num_samples=8000, sample_rate=16000)
    soundfile.write(utterance.audio, np.zeros(0), 16000)
    assert "holds no samples" in fault_of(known)
    utterance.audio.write_bytes(b"")
    assert "no bytes" in fault_of(known)
    with pytest.raises(UserError, match=r"u1\.wav: cannot be read as audio"):
        build_cut(utterance)


def test_not_audio(utterance: Utterance) -> None:
    utterance.audio.write_bytes(b"<html>not found</html>" * 100)
    assert "cannot be read" in fault_of(replace(utterance, num_samples=8000, sample_rate=16000))


def test_wrong_rate_and_stereo(tmp_path: Path, utterance: Utterance) -> None:
    wav(utterance.audio, rate=8000)
    assert "8000 Hz. Resample it to 16000 Hz" in fault_of(utterance)
    wav(utterance.audio, channels=2)
    assert "2 channels" in fault_of(replace(utterance, num_samples=8000, sample_rate=16000))


def test_samples_that_are_not_numbers(utterance: Utterance) -> None:
    samples = np.zeros(8000, np.float32)
    samples[1600] = np.nan
    soundfile.write(utterance.audio, samples, 16000, subtype="FLOAT")
    assert "NaN or infinity at 0.10 s" in fault_of(utterance)


def test_a_supervision_that_ends_after_its_recording(utterance: Utterance) -> None:
    cut = build_cut(utterance)
    cut.supervisions = [replace(cut.supervisions[0], duration=0.75)]
    with pytest.raises(UserError, match=r"u1.*ends at 0\.750 s, after its audio \(0\.500 s\)"):
        list(validate([cut], check_audio=False))


def test_an_empty_transcript(utterance: Utterance) -> None:
    assert "empty transcript" in fault_of(replace(utterance, text="  "))


def test_duplicate_ids_fail_even_when_excluding(utterance: Utterance) -> None:
    cut = build_cut(utterance)
    with pytest.raises(UserError, match="utterance u1: the id comes twice"):
        list(validate([cut, cut], bad="exclude"))


def test_excluded_cuts_are_counted_by_kind(utterance: Utterance) -> None:
    report = Report()
    rows = [utterance, replace(utterance, id="u2", text=""), replace(utterance, id="u3", text="")]
    kept = list(validate(build_cuts(rows), bad="exclude", report=report))
    assert [cut.id for cut in kept] == ["u1"]
    assert report.excluded == {"empty transcript": 2}


def test_nothing_left_is_an_error(utterance: Utterance) -> None:
    with pytest.raises(UserError, match="no sound utterance is left of 1: 1 empty transcript"):
        list(validate(build_cuts([replace(utterance, text="")]), bad="exclude"))


def test_a_speaker_on_both_sides(tmp_path: Path, utterance: Utterance) -> None:
    manifests = {name: tmp_path / f"{name}.jsonl.gz" for name in ("labelled", "test")}
    for name, path in manifests.items():
        write_cuts(path, [build_cut(replace(utterance, id=f"u-{name}"))])
    with pytest.raises(UserError, match="speaker ann is in both labelled and test"):
        for _, cuts, _ in validate_sets(manifests):
            list(cuts)


def test_the_split_is_by_speaker_and_by_seed_alone() -> None:
    speakers = [f"s{i}" for i in range(20)]
    split = split_speakers(speakers, 0.25, 4, seed=3)
    assert [len(split[name]) for name in ("labelled", "unlabelled", "dev")] == [4, 12, 4]
    assert sorted(set_of_speakers(split)) == sorted(speakers)
    assert split == split_speakers(reversed(speakers * 2), 0.25, 4, seed=3)
    assert split != split_speakers(speakers, 0.25, 4, seed=4)
    assert split_speakers(speakers, 1.0, 4, seed=3)["unlabelled"] == []


@pytest.mark.parametrize(("share", "dev"), [(0.0, 4), (1.5, 4), (0.5, 20), (0.5, 0)])
def test_splits_that_leave_a_set_empty_are_refused(share: float, dev: int) -> None:
    with pytest.raises(UserError):
        split_speakers([f"s{i}" for i in range(20)], share, dev, seed=1)


def test_a_copy_at_another_speed_knows_what_it_is_made_of_and_names_say_nothing(tmp_path):
    cut = build_cut(Utterance("anna_sp1", wav(tmp_path / "a.wav"), "A", "anna"))
    assert not is_perturbed(cut) and original_id(cut) == "anna_sp1"  # her first utterance, not a copy
    path = tmp_path / "cuts.jsonl.gz"
    write_cuts(path, [perturbed(cut, 0.9), perturbed(cut, 2)])
    for copy in read_cuts(path):
        assert is_perturbed(copy) and original_id(copy) == "anna_sp1"
    write_cuts(path, [cut.perturb_speed(0.9), cut.perturb_speed(2)])  # as manifests were made before
    for copy in read_cuts(path):
        assert is_perturbed(copy) and original_id(copy) == "anna_sp1"
