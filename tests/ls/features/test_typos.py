"""The two halves around the engine's say, and what may be applied."""

from collections.abc import Sequence

import pytest

from dgemma_engine.types import Place
from dgemma_ls.features.typos import (
    TypoOptions,
    apply_all,
    ask,
    edit_of,
    finish,
    language_for_proofreading,
    only,
    passing,
    prepare,
    take_answers,
)
from dgemma_ls.proofread.fixes import Knowledge
from dgemma_ls.proofread.types import RegionKind, Tier
from dgemma_ls.types import Edit, Refusal
from tests.ls.proofread.support import snapshot

TEXT = "This is what the server does. The statment is read form the file that was given to it.\n"
OPTIONS = TypoOptions()


def compare(document: str, places: Sequence[Place], *, gain: float) -> list[tuple[float, ...]]:
    """Like " from" better or worse than what stands there, and nothing else."""
    for place in places:
        assert document[place.span.start : place.span.end] == place.texts[0]
    return [
        (0.0, *(gain if text == " from" else -15.0 for text in place.texts[1:])) for place in places
    ]


def test_the_model_is_asked_about_what_stands_there_and_what_might() -> None:
    asked = ask(prepare(snapshot(TEXT), Knowledge.load(), OPTIONS))
    texts = {place.texts[0]: place.texts[1:] for place in asked.places}
    assert " statement" in texts[" statment"]
    assert " from" in texts[" form"]
    assert [place.span.start for place in asked.places] == sorted(
        place.span.start for place in asked.places
    )


@pytest.mark.parametrize(("gain", "found"), [(15.0, True), (-15.0, False)])
def test_the_models_say_counts(gain: float, found: bool) -> None:
    examination = prepare(snapshot(TEXT), Knowledge.load(), OPTIONS)
    asked = ask(examination)
    take_answers(examination, asked, compare(TEXT, asked.places, gain=gain))
    fixes = finish(examination, OPTIONS, with_model=True)
    assert (("form", "from") in [(fix.old, fix.new) for fix in fixes]) is found


def test_answers_that_were_cut_short_leave_the_rest_undecided() -> None:
    examination = prepare(snapshot(TEXT), Knowledge.load(), OPTIONS)
    asked = ask(examination)
    take_answers(examination, asked, [])
    assert finish(examination, OPTIONS, with_model=True) == []


def test_what_is_applied_changes_the_spans_alone() -> None:
    document = snapshot("# Teh server\n\nThis is is a error that teh server raises.\n", "markdown")
    fixes = finish(prepare(document, Knowledge.load(), OPTIONS), OPTIONS)
    kept = passing(document, fixes)
    assert apply_all(document, kept) == (
        "# The server\n\nThis is an error that the server raises.\n"
    )
    for fix in kept:
        edit = edit_of(document, fix)
        assert isinstance(edit, Edit)
        assert (edit.span, edit.new_text) == (fix.span, fix.new)


def test_a_piece_of_a_docstring_is_read_and_checked_as_one() -> None:
    piece = (
        "    The server reads teh file, and what it has read is given to the client.\n"
        '    """\n    return 1\n\n\ndef g():\n    """Give a error."""\n'
    )
    document = snapshot(piece, "python")
    fixes = finish(prepare(document, Knowledge.load(), OPTIONS), OPTIONS)
    assert [fix.old for fix in passing(document, fixes)] == ["teh", "a"]
    assert not any(isinstance(edit_of(document, fix), Refusal) for fix in fixes)


def test_the_tier_and_the_kinds_of_regions_are_the_users_choice() -> None:
    safe = TypoOptions(tier=Tier.SAFE)
    fixes = finish(prepare(snapshot(TEXT), Knowledge.load(), safe), safe)
    assert all(fix.tier is Tier.SAFE for fix in fixes)
    comments = TypoOptions(kinds=only(["comments"]))
    assert prepare(snapshot(TEXT), Knowledge.load(), comments).proposals == ()
    assert only([]) == frozenset(RegionKind)


@pytest.mark.parametrize(
    ("path", "language_id"),
    [("a.md", "markdown"), ("README", "plaintext"), ("a.txt", "plaintext"), ("a.xyz", None)],
)
def test_files_of_unknown_suffix_are_not_taken_for_prose(
    path: str, language_id: str | None
) -> None:
    assert language_for_proofreading(path) == language_id
