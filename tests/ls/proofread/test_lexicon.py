"""What the word table knows, and what lies an edit or two away."""

from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from dgemma_ls.proofread.lexicon import load_lexicon

LEXICON = load_lexicon()


def test_british_american_and_technical_words_are_known_in_any_case() -> None:
    for word in ("colour", "color", "Tokenised", "numpy", "Server's", "async", "HTTP"):
        assert LEXICON.knows(word), word
    for word in ("teh", "recieve", "statment"):
        assert not LEXICON.knows(word), word


def test_frequent_words_come_first() -> None:
    assert LEXICON.zipf("the") > LEXICON.zipf("tea") > LEXICON.zipf("teh") == 0
    assert [word for word, _ in LEXICON.neighbours("teh")][:1] == ["the"]


def test_two_edits_are_tried_only_where_one_does_not_do() -> None:
    assert LEXICON.neighbours("statment") == [("statement", 1)]
    assert ("generator", 2) in LEXICON.neighbours("generatator")
    assert LEXICON.neighbours("qzxwvk") == []


@given(st.sampled_from(["server", "value", "option", "their", "receive"]), st.data())
def test_neighbours_are_as_far_away_as_is_said(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    typed = word[:at] + data.draw(st.sampled_from("aeqz")) + word[at + 1 :]
    for other, distance in LEXICON.neighbours(typed):
        assert OSA.distance(typed, other) == distance


@given(st.sampled_from(["its", "it's", "naive", "naïve", "form", "then", "untied", "a", "Their"]))
def test_frequent_neighbours_are_those_of_all_that_are_frequent(word: str) -> None:
    found = LEXICON.frequent_one_away(word, min_zipf=4.0)
    assert found == tuple(
        other for other, _ in LEXICON.one_away(word) if LEXICON.zipf(other) >= 4.0
    )


@given(st.sampled_from(["generator", "naïvely", "documentation", "can't've"]), st.data())
@settings(max_examples=20, deadline=None)
def test_no_word_two_edits_away_is_lost_to_the_look_at_letters(
    word: str, data: st.DataObject
) -> None:
    typed = word
    for _ in range(2):
        at = data.draw(st.integers(0, len(typed) - 1))
        typed = typed[:at] + data.draw(st.sampled_from(["", "q", "é", "zz"])) + typed[at + 1 :]
    found = LEXICON._two_away(typed)
    every = [
        (known, 2)
        for known, (zipf, _) in LEXICON._rows.items()
        if zipf > 0 and OSA.distance(typed, known, score_cutoff=2) <= 2
    ]
    if len(typed) >= 6:
        assert list(found) == sorted(every, key=lambda row: LEXICON._rank(row[0]))[:8]
