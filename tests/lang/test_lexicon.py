"""Reading lexicons, and the errors that users meet."""

import pytest

from understudy.lang.lexicon import Lexicon, oov_counts, oov_message, read_entries
from understudy.step import UserError


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
     ("A #1", "cannot be a phone"), ("A 0.5 ah", "0.5 looks like a probability"), ("A 1 ah", "probability"),
     ("A .5", "probability")],
)  # fmt: skip
def test_errors_name_the_line(tmp_path, text, said):
    (tmp_path / "given.txt").write_text(text)
    with pytest.raises(UserError, match=said):
        Lexicon.read(tmp_path / "given.txt")


def test_phones_may_be_digits_as_in_sampa(tmp_path):
    (tmp_path / "given.txt").write_text("DEUX d 2\nNEUF n 9 f\nEUX 2\nŒUF 9 f\n", encoding="utf-8")
    assert Lexicon.read(tmp_path / "given.txt").phones == ("<eps>", "SIL", "2", "9", "d", "f", "n")


def test_words_that_are_written_otherwise_are_told():
    lexicon = Lexicon.from_entries([("five", ("f",)), ("THE", ("dh",)), ("Ünter", ("u",))])
    counts = oov_counts(lexicon, ["FIVE THE\u200b U\u0308nter six"])
    said = oov_message("x", counts, lexicon.vocabulary)
    assert r"THE\u200b (1)" in said and "six (1)" in said
    assert "The lexicon has some otherwise (FIVE: five, THE\\u200b: THE, U\u0308nter: Ünter): write them alike" in said
    assert "otherwise" not in oov_message("x", {"six": 1}, lexicon.vocabulary)


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


def test_cmudicts_dialect_and_a_byte_order_mark_are_read(tmp_path):
    file = tmp_path / "lexicon.txt"
    text = ";;; a comment\nAT ae t\nAT(2) ah t # foreign\n(2) t uw\nSHARP# sh aa\n"
    file.write_text(text, encoding="utf-8-sig")
    assert read_entries(file) == [
        ("AT", ("ae", "t")),
        ("AT", ("ah", "t")),
        ("(2)", ("t", "uw")),
        ("SHARP#", ("sh", "aa")),
    ]
