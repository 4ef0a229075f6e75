"""From a document to its fixes, without a model."""

from itertools import pairwise

import pytest

from dgemma_ls.proofread.curated import CuratedList
from dgemma_ls.proofread.fixes import Knowledge, decide, examine
from dgemma_ls.proofread.proposals import Kind
from dgemma_ls.proofread.rules import begins_with_vowel_sound
from dgemma_ls.proofread.types import Tier
from tests.ls.proofread.support import changes, fixes, proposals, snapshot

PROSE = "This is a sentence of the document that says what the server does when it is asked. "


@pytest.mark.parametrize(
    ("wrong", "old", "new"),
    [
        ("We recieve it from the client and read it.", "recieve", "receive"),
        ("Teh server reads the file that it was given.", "Teh", "The"),
        ("This was a mistatke in the file that we read.", "mistatke", "mistake"),
        ("It returns the the value that you asked for.", " the", ""),
        ("This is a example of the values that you get.", "a", "an"),
        ("The servre's value is read from the file.", "servre's", "server's"),
    ],
)
def test_typos_are_mended(wrong: str, old: str, new: str) -> None:
    assert (old, new) in changes(PROSE + wrong)


@pytest.mark.parametrize(
    "right",
    [
        "The colour is normalised, and the color is normalized.",
        "Use `teh` and ``recieve`` as they are, see https://example.com/recieve for more.",
        "They had had the idea that that was right.",
        "An hour ago a user sent an honest answer to a European host with a unique name.",
        "Call recieve_value() and teh.value to get it.",
        "Frobnicate frobnicates the frobnicator; a frobnicator frobnicates it.",
    ],
)
def test_what_is_right_is_left_alone(right: str) -> None:
    assert changes(PROSE + right) == []


def test_the_users_words_and_identifiers_are_right() -> None:
    text = PROSE + "The instatiated value is read."
    assert [fix.old for fix in fixes(text)] == ["instatiated"]
    assert fixes(text, words=["Instatiated"]) == []
    code = 'def statment():\n    """Give the statment of the value that was asked for."""\n'
    assert fixes(code, "python") == []


def test_only_prose_of_a_program_is_read() -> None:
    code = 'teh = "it is teh value"  # this is teh value, and a mistatke in it\n'
    assert [fix.old for fix in fixes(code, "python")] == ["mistatke"]


def test_other_languages_are_left_alone() -> None:
    german = "Dieser Absatz ist auf Deutsch, und der Server liest die Datei nicht noch einmal ein."
    assert proposals(german) == ()


def test_fixes_do_not_overlap_and_are_in_order() -> None:
    text = PROSE + "It recieves the the statment, and a error is is raised form the the servre."
    found = fixes(text)
    assert len(found) >= 4
    for one, other in pairwise(found):
        assert one.span.end <= other.span.start
        assert text[one.span.start : one.span.end] == one.old


def test_the_safe_tier_is_part_of_the_other() -> None:
    text = PROSE + "Teh statment is is mispeled with a error in it."
    safe = fixes(text, tier=Tier.SAFE)
    every = fixes(text)
    assert safe
    assert [fix for fix in every if fix.tier is Tier.SAFE] == safe


def test_without_the_list_words_near_by_still_help() -> None:
    knowledge = Knowledge.load()
    bare = Knowledge(lexicon=knowledge.lexicon, ngrams=knowledge.ngrams, curated=CuratedList(None))
    found = decide(examine(snapshot(PROSE + "The statment is read."), bare))
    assert [(fix.old, fix.new, fix.kind) for fix in found] == [
        ("statment", "statement", Kind.NONWORD)
    ]


def test_words_doubled_over_a_line_end_lose_the_second() -> None:
    text = "# This is what the server does when the\n# the client asks it for a value.\nx = 1\n"
    (fix,) = [fix for fix in fixes(text, "python") if fix.kind is Kind.DOUBLED]
    assert text[: fix.span.start] + text[fix.span.end :] == (
        "# This is what the server does when the\n# client asks it for a value.\nx = 1\n"
    )


@pytest.mark.parametrize("word", ["apple", "hour", "honest", "unimportant", "uninstall", "heir"])
def test_an_goes_before(word: str) -> None:
    assert begins_with_vowel_sound(word)


@pytest.mark.parametrize("word", ["user", "unit", "European", "one", "house", "unique", "utility"])
def test_a_goes_before(word: str) -> None:
    assert not begins_with_vowel_sound(word.lower())


def test_a_program_that_does_not_answer_leaves_the_list_empty() -> None:
    assert CuratedList("/no/such/program").corrections(["teh"]) == {}


def test_the_list_is_asked_once_for_each_word(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def ask(program: str, words: list[str]) -> dict[str, tuple[str, ...]]:
        asked.append(words)
        return {"teh": ("the",)}

    monkeypatch.setattr("dgemma_ls.proofread.curated._ask", ask)
    curated = CuratedList("typos")
    assert curated.corrections(["teh", "the"]) == {"teh": ("the",)}
    assert curated.corrections(["teh"]) == {"teh": ("the",)}
    assert asked == [["teh", "the"]]
