"""A look through a document in steps: the same as at once, and only what changed anew."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgemma_engine.types import CancelToken, Place
from dgemma_ls.features.typo_cache import ParagraphCache
from dgemma_ls.features.typo_check import Check, check_steps, run_slice
from dgemma_ls.features.typos import TypoOptions, finish, prepare
from dgemma_ls.proofread.fixes import Knowledge
from dgemma_ls.proofread.readings import Readings, piece_steps
from dgemma_ls.proofread.steps import run_through
from dgemma_ls.proofread.types import Fix
from dgemma_ls.syntax import pieces
from dgemma_ls.types import Snapshot

KNOWLEDGE = Knowledge.load()
SENTENCES = (
    "It is a good idea to seperate these parts of the text.",
    "You should recieve the the message when it is ready.",
    "There is nothing wrong with this paragraph at all.",
    "This is an \U0001f980 that is definately here.",
)
TEXT = "\n\n".join(SENTENCES)


class Engine:
    """Likes whatever is not there, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def compare(
        self, text: str, places: Sequence[Place], *, cancel: CancelToken | None = None
    ) -> list[tuple[float, ...]]:
        self.asked += [text[place.span.start : place.span.end] for place in places[:1]]
        return [(0.0, *(5.0 for _ in place.texts[1:])) for place in places[:1]]


def snapshot(text: str, language_id: str = "markdown") -> Snapshot:
    return Snapshot(uri="file:///a.md", version=1, language_id=language_id, text=text)


def check(
    text: str,
    cache: ParagraphCache | None = None,
    *,
    engine: object = None,
    words: frozenset[str] = frozenset(),
) -> Check:
    one = Check(snapshot=snapshot(text))
    options = TypoOptions(words=words)
    run_through(check_steps(one, KNOWLEDGE, options, cache or ParagraphCache(), engine))
    return one


PIECES_OF = {
    "markdown": (
        *SENTENCES,
        "# A title of teh document",
        "- one of the the things\n- and an other of them",
        "```\n# recieve this\n\nseperate = 1\n```",
        "Recieve and Teh are names here, as `recieve` is.",
        "Der Hund und die Katze sind nicht in dem Haus.",
    ),
    "python": (
        "seperate = 1  # it is the name of a thing",
        "def recieve(a):\n    # You should recieve the the message.\n    return a",
        'def f():\n    """It is a good idea to seperate them.\n\nThis is teh margin.\n    """',
        "# This is an \U0001f980 that is definately here.\n# It has a a second line.",
        "x = [\n    1,\n]",
        '"""A text that is definately no docstring."""',
    ),
}
TYPED = ("x", " teh", "\n", "\n\n", "(", '"', "```\n", "# ", " recieve", "")


@contextmanager
def small_pieces() -> Iterator[None]:
    cut = partial(pieces, size=80)
    with (
        patch("dgemma_ls.proofread.readings.pieces", cut),
        patch("dgemma_ls.proofread.regions.pieces", cut),
    ):
        yield


@pytest.mark.parametrize("language_id", PIECES_OF)
@given(st.data())
@settings(max_examples=40, deadline=None)
def test_after_any_edits_it_is_what_a_look_from_scratch_finds(
    language_id: str, data: st.DataObject
) -> None:
    blocks = st.lists(st.sampled_from(PIECES_OF[language_id]), min_size=3, max_size=14)
    text = "\n\n".join(data.draw(blocks)) + "\n"
    options, cache = TypoOptions(), ParagraphCache()
    with small_pieces():
        for _ in range(4):
            one = Check(snapshot=snapshot(text, language_id))
            run_through(check_steps(one, KNOWLEDGE, options, cache, None))
            new = Check(snapshot=one.snapshot)
            run_through(check_steps(new, KNOWLEDGE, options, ParagraphCache(), None))
            at_once = finish(prepare(one.snapshot, KNOWLEDGE, options), options)
            assert [(fix.span, fix.new) for fix in one.fixes] == [
                (fix.span, fix.new) for fix in at_once
            ]
            assert one.fixes == new.fixes
            start, end = sorted(data.draw(st.integers(0, len(text))) for _ in range(2))
            end = min(end, start + data.draw(st.sampled_from([0, 0, 1, 5, 200])))
            text = text[:start] + data.draw(st.sampled_from(TYPED)) + text[end:]


def test_of_a_long_document_only_the_piece_that_changed_is_read_again() -> None:
    text = "\n\n".join(f"There is paragraph {n} of it. {SENTENCES[2]}" for n in range(400))
    cache = ParagraphCache()
    check(text, cache)
    known = len(cache.readings.all())
    assert known > 3
    at = text.index("paragraph 200")
    again = check(f"{text[:at]}the {text[at:]}", cache)
    assert again.n_checked <= 6  # those near it see it
    assert len(cache.readings.all()) - known <= 2


def test_readings_keep_to_their_budget() -> None:
    readings = Readings(max_characters=100)
    run_through(
        piece_steps(
            snapshot(TEXT), strings=False, kinds=(), lexicon=KNOWLEDGE.lexicon, known=readings
        )
    )
    (reading,) = readings.all()
    for number in range(9):
        readings.put((number, "x" * 40), reading)
    assert [readings.get((number, "x" * 40)) is None for number in range(9)] == [True] * 7 + [
        False
    ] * 2


def olds(fixes: Sequence[Fix]) -> list[str]:
    return [fix.old.strip() for fix in fixes]


@given(st.lists(st.sampled_from(SENTENCES), max_size=8), st.sampled_from(["\n\n", "\r\n\r\n"]))
@settings(max_examples=30, deadline=None)
def test_steps_find_what_is_found_at_once(sentences: list[str], gap: str) -> None:
    text = gap.join(sentences)
    options = TypoOptions()
    at_once = finish(prepare(snapshot(text), KNOWLEDGE, options), options)
    found = check(text).fixes
    assert [(fix.span, fix.new) for fix in found] == [(fix.span, fix.new) for fix in at_once]


@given(st.lists(st.sampled_from(SENTENCES), max_size=8), st.data())
@settings(max_examples=30, deadline=None)
def test_a_cache_of_other_versions_changes_nothing(
    sentences: list[str], data: st.DataObject
) -> None:
    cache = ParagraphCache()
    check("\n\n".join(data.draw(st.permutations(sentences))), cache)
    text = "\n\n".join(sentences)
    fresh, cached = check(text).fixes, check(text, cache).fixes
    assert [(fix.span, fix.new) for fix in cached] == [(fix.span, fix.new) for fix in fresh]


def test_after_a_change_only_what_can_see_it_is_looked_at_again() -> None:
    paragraphs = [
        f"It is paragraph number {'of ' * n}the text. " + SENTENCES[2] * 8 for n in range(9)
    ]
    cache = ParagraphCache()
    assert check("\n\n".join(paragraphs), cache).n_checked == 9
    paragraphs[4] += " And one more."
    assert check("\n\n".join(paragraphs), cache).n_checked == 2  # the next one reads its end
    assert check("A title\n\n" + "\n\n".join(paragraphs), cache).n_checked == 2


def test_the_model_is_asked_in_pieces_and_has_its_say() -> None:
    engine = Engine()
    found = check(TEXT, engine=engine)
    assert olds(found.fixes) == ["seperate", "recieve", "the", "definately"]
    assert len(engine.asked) >= 4
    cache = ParagraphCache()
    check(TEXT, cache, engine=engine)
    n_asked = len(engine.asked)
    check(TEXT, cache, engine=engine)
    assert len(engine.asked) == n_asked


def test_a_word_that_becomes_right_is_no_longer_found() -> None:
    cache = ParagraphCache()
    assert "seperate" in olds(check(TEXT, cache).fixes)
    assert "seperate" not in olds(check(TEXT, cache, words=frozenset({"Seperate"})).fixes)
    assert "seperate" in olds(check(TEXT, cache).fixes)


def test_the_frontier_moves_on_and_a_slice_stops_in_time() -> None:
    one = Check(snapshot=snapshot("\n\n".join(SENTENCES * 40)))
    now_s = 0.0

    def clock() -> float:
        nonlocal now_s
        now_s += 0.004
        return now_s

    steps = check_steps(one, KNOWLEDGE, TypoOptions(), ParagraphCache(), None)
    frontiers = []
    while not run_slice(steps, clock=clock):
        frontiers.append(one.frontier)
        assert all(fix.span.end <= one.frontier for fix in one.fixes)
    assert len(frontiers) > 40
    assert frontiers == sorted(frontiers)
    assert (one.done, one.share, one.frontier) == (True, 1.0, len(one.snapshot.text))


def test_the_cache_keeps_to_its_budget_and_the_newest() -> None:
    cache = ParagraphCache(budget_bytes=1000)
    fix = replace(check(TEXT).fixes[0])
    for number in range(10):
        cache.put(bytes([number]), (fix,))
    assert [cache.get(bytes([number])) is not None for number in range(10)] == [False] * 9 + [True]


def test_a_document_that_is_opened_again_is_known_by_its_pieces() -> None:
    text = "\n\n".join(f"There is paragraph {n} of it. {SENTENCES[2]}" for n in range(400))
    check(text)  # an equal snapshot, not the same
    cache = ParagraphCache()
    check(text, cache)
    assert len(cache.readings.all()) > 3
