"""Manifests: built, split by speaker, and validated against the faults that real corpora have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from understudy.corpus import (
    Report,
    Utterance,
    build_cut,
    build_cuts,
    is_perturbed,
    join_manifests,
    read_cuts,
    set_of_speakers,
    split_speakers,
    validate,
    validate_sets,
    write_cuts,
)
from understudy.stage import UserError


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


def test_a_copy_at_another_speed_is_told_by_its_id_and_a_name_that_looks_like_it_is_not(tmp_path):
    cut = build_cut(Utterance("anna_spells_1", wav(tmp_path / "a.wav"), "A", "anna"))
    assert is_perturbed(cut.perturb_speed(0.9)) and is_perturbed(cut.perturb_speed(2.0))
    assert not is_perturbed(cut)
