"""A look through a program in steps: only what changed is read anew."""

from collections.abc import Sequence

import pytest
from hypothesis import given

from dgemma_engine.types import CancelToken, Place, Span, TokenReading
from dgemma_ls.features.surprise import Window, ask
from dgemma_ls.features.surprise_check import (
    MOST,
    StretchCache,
    SurpriseCheck,
    check_steps,
    shown,
    windows,
)
from dgemma_ls.proofread.steps import run_through
from dgemma_ls.types import Snapshot
from tests.strategies import python_texts, texts

FUNCTION = """\
def area_{n}(width, height):
    total = width * height
    message = "width and height" # of it
    print(message, total, sep=message)
    if total > {n} and width < height:
        return wrong + width
    return total

"""
PROGRAM = "".join(FUNCTION.format(n=n) + "\n" * 2 for n in range(12))


class Reader:
    """Is surprised by one word, and keeps what it was asked."""

    max_span_tokens = 224

    def __init__(self, word: str = "wrong") -> None:
        self.word = word
        self.read_texts: list[str] = []

    @property
    def tokenizer(self) -> "Reader":
        return self

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def read(
        self, text: str, *, window: int | None = None, cancel: CancelToken | None = None
    ) -> list[TokenReading]:
        self.read_texts.append(text)
        bad = {n for n in range(len(text)) if text.startswith(self.word, n)}
        return [
            TokenReading(
                span=Span(start=n, end=n + 1), margin=0.0, surprisal=50.0 if n in bad else 0.0
            )
            for n in range(len(text))
        ]

    def compare(
        self, text: str, places: Sequence[Place], *, cancel: CancelToken | None = None
    ) -> list[tuple[float, ...]]:
        return [tuple(float(n) for n in range(len(place.texts))) for place in places]


def snapshot(text: str, language_id: str = "python") -> Snapshot:
    return Snapshot(uri="file:///a.py", version=1, language_id=language_id, text=text)


def look(text: str, engine: object, cache: StretchCache | None = None) -> SurpriseCheck:
    check = SurpriseCheck(snapshot=snapshot(text))
    run_through(check_steps(check, cache or StretchCache(), engine))
    assert check.done
    return check


def words(text: str, part: Span) -> list[str]:
    question = ask(snapshot(text), Window(whole=Span(start=0, end=len(text)), part=part))
    return [word.text for word in question.words]


@given(texts(max_size=400) | python_texts().map(lambda text: text * 20))
def test_every_line_is_looked_at_once(text: str) -> None:
    parts = [window.part for window in windows(text)]
    assert "".join(text[part.start : part.end] for part in parts) == text
    assert all(window.whole.start <= window.part.start for window in windows(text))
    assert all(window.whole.end == window.part.end for window in windows(text))


def test_names_and_operators_are_looked_at_but_not_strings_comments_and_labels() -> None:
    text = 'x = f(a, sep=b) + 1  # a\ny = "a < b" if a < b and not True else z.w\n'
    found = words(text, Span(start=0, end=len(text)))
    assert found == ["x", "f", "a", "b", "+", "y", "a", "<", "b", "and", "True", "z"]


def test_only_the_part_is_looked_at_and_the_rest_is_read_as_well() -> None:
    text = "a = b\nc = a\n"
    assert words(text, Span(start=6, end=len(text))) == ["c", "a"]


def test_the_surprising_word_comes_first() -> None:
    (first, *_) = shown(look(PROGRAM, Reader()).doubts)
    assert PROGRAM[first.span.start : first.span.end] == first.text == "wrong"


def test_there_are_never_more_hints_than_a_reader_can_take() -> None:
    assert len(shown(look(PROGRAM * 4, Reader("")).doubts)) == MOST


def test_what_did_not_change_is_not_read_again() -> None:
    cache, engine = StretchCache(), Reader()
    before = look(PROGRAM, engine, cache)
    assert before.n_read > 4
    assert engine.read_texts
    assert look(PROGRAM, engine, cache).n_read == 0
    changed = PROGRAM.replace("total = width", "total = 2 + width", 1)
    after = look(changed, engine, cache)
    assert 0 < after.n_read <= 3


@pytest.mark.parametrize("nth", range(3))
def test_a_cache_of_other_versions_changes_nothing(nth: int) -> None:
    cache = StretchCache()
    look(PROGRAM, Reader(), cache)
    at = [n for n in range(len(PROGRAM)) if PROGRAM.startswith("return", n)][5 * nth]
    changed = PROGRAM[:at] + "yield" + PROGRAM[at + 6 :]
    assert look(changed, Reader(), cache).doubts == look(changed, Reader()).doubts


def test_the_same_lines_in_a_string_are_no_program() -> None:
    cache, quoted = StretchCache(), f"text = '''\n{PROGRAM}'''\n"
    assert look(PROGRAM, Reader(), cache).doubts
    assert look(quoted, Reader(), cache).doubts == look(quoted, Reader()).doubts == []


def test_without_a_reader_nothing_is_found() -> None:
    assert look(PROGRAM, object()).doubts == []
