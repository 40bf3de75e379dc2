"""Reading lexicons, and the errors that users meet."""

import pytest

from understudy.lang.lexicon import Lexicon, oov_counts, oov_message
from understudy.stage import UserError


def test_round_trip_keeps_the_numbers(tmp_path):
    (tmp_path / "given.txt").write_text("THE dh ah\nTHE dh iy\n\nA ah\nTHE dh ah\n")
    lexicon = Lexicon.read(tmp_path / "given.txt")
    assert lexicon.phones == ("<eps>", "SIL", "ah", "dh", "iy")
    assert lexicon.words == ("<eps>", "A", "THE", "#0")
    assert lexicon.pronunciations["THE"] == ((3, 2), (3, 4))
    lexicon.write(tmp_path / "lang")
    assert Lexicon.read(tmp_path / "lang") == lexicon


@pytest.mark.parametrize(
    ("text", "said"),
    [("A ah\nB\n", "given.txt:2: B has no phones"), ("", "no entries"), ("#0 a", ":1: #0 is reserved"),
     ("A #1", "cannot be a phone"), ("A 0.5 ah", "probability")],
)  # fmt: skip
def test_errors_name_the_line(tmp_path, text, said):
    (tmp_path / "given.txt").write_text(text)
    with pytest.raises(UserError, match=said):
        Lexicon.read(tmp_path / "given.txt")


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match="no such lexicon"):
        Lexicon.read(tmp_path / "none.txt")


def test_words_without_pronunciation_are_named_with_a_way_out():
    lexicon = Lexicon.from_entries([("A", ("ah",))])
    counts = oov_counts(lexicon, ["A B C", "C"])
    assert counts == {"C": 2, "B": 1}
    assert "C (2), B (1)" in oov_message("x", counts) and "--oov skip" in oov_message("x", counts)
    with pytest.raises(UserError, match="not in the lexicon: B"):
        lexicon.ids(["A", "B"])
