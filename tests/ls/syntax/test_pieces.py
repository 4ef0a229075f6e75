"""Pieces of a long text: whole, found again after an edit, and parsed as in their text."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgemma_ls.proofread.regions import in_order, regions_of_piece
from dgemma_ls.proofread.types import Region
from dgemma_ls.syntax import pieces

SIZE = 60
MARKDOWN = (
    "# A title of a part",
    "There is a paragraph of some `code` here.\nIt has two lines of text.",
    "- a list of the things\n- and more of them\n\n  with a paragraph in it",
    "1. one of them\n   ```\n   # not a title\n\n   it is code here\n   ```",
    "```sh\n# it is a comment of a shell\n\nmake the thing\n```",
    "~~~\n```\n\nit is code here\n~~~",
    "- ```\n  it is code\n\n  # of a list\n  ```",
    "<!-- a comment of html\n\nthat has a paragraph in it -->",
    "<script>\nlet a = 1;\n\nlet the = 2;\n</script>",
    "<div>\nin a block of html\n</div>",
    "> it is a quotation\n> of two lines",
    "    it is code\n\n    of two parts",
    "| a table | of the things |\n|---|---|\n| with a row | of cells |",
    "A title of two lines\n====================",
    "[a link]: https://example.com",
)
PYTHON = (
    "def f(a):\n    # this is a comment of the function\n    return a",
    'def g():\n    """Say what it does.\n\nThis is a line at the margin.\n    """',
    'class A:\n    """There is a class here."""\n\n    x = 1\n    """It is documented."""',
    "# this is a comment of the module\n# that has two lines",
    "try:\n    import a\nexcept ImportError:\n    pass",
    'x = """\n\nthere is a text here = 1\n"""',
    "y = [\n    1,\n\n]",
    "@dec\nasync def h():\n    pass",
    '"""A text that is no docstring of the module."""',
    "z = 1\n'''It is documented too.'''",
)
TEXTS = {"markdown": MARKDOWN, "python": PYTHON}


def documents(language_id: str) -> st.SearchStrategy[str]:
    blocks = st.lists(st.sampled_from(TEXTS[language_id]), min_size=4, max_size=16)
    ends = st.sampled_from(["\n", "\r\n"])
    return st.builds(lambda some, end: "\n\n".join([*some, ""]).replace("\n", end), blocks, ends)


def regions_of(language_id: str, text: str, size: int) -> list[Region]:
    return [
        region.moved(piece.start)
        for piece in pieces(language_id, text, size=size)
        for region in in_order(
            regions_of_piece(language_id, text[piece.start : piece.end], strings=False)
        )
    ]


@pytest.mark.parametrize("language_id", TEXTS)
@given(st.data())
@settings(deadline=None)
def test_pieces_are_the_text(language_id: str, data: st.DataObject) -> None:
    text = data.draw(documents(language_id))
    text = text[data.draw(st.integers(0, 9)) :]
    cut = list(pieces(language_id, text, size=SIZE))

    assert (cut[0].start, cut[-1].end) == (0, len(text))
    assert all(a.end == b.start for a, b in pairwise(cut))


@pytest.mark.parametrize("language_id", TEXTS)
@given(st.data())
@settings(deadline=None, max_examples=200)
def test_what_is_found_in_pieces_is_what_is_found_in_the_text(
    language_id: str, data: st.DataObject
) -> None:
    text = data.draw(documents(language_id))

    assert regions_of(language_id, text, SIZE) == regions_of(language_id, text, len(text))


def test_front_matter_is_not_cut() -> None:
    text = "---\ntitle: the first of them\n\ndescription: the second of them\n---\n" + (
        "\nThere is a paragraph of text here.\n" * 20
    )

    assert regions_of("markdown", text, 10) == regions_of("markdown", text, len(text))
    assert len(list(pieces("markdown", text, size=10))) > 5


@pytest.mark.parametrize("language_id", TEXTS)
def test_after_an_edit_most_pieces_are_where_they_were(language_id: str) -> None:
    blocks = [block for number in range(60) for block in TEXTS[language_id][number % 3 :: 3]]
    text = "\n\n".join(f"{block}\n\nname_{n} = {n}" for n, block in enumerate(blocks)) + "\n"
    before = {text[p.start : p.end] for p in pieces(language_id, text, size=400)}
    assert len(before) > 12
    n_lost = []
    for at in range(100, len(text), len(text) // 20):
        edited = f"{text[:at]} the {text[at:]}"
        after = {edited[p.start : p.end] for p in pieces(language_id, edited, size=400)}
        n_lost.append(len(before - after))
    assert sum(n_lost) / len(n_lost) < 2.5


def test_a_mistake_does_not_reach_the_pieces_behind_it() -> None:
    text = "\n\n".join(f"def f{n}():\n    # this is comment {n}\n    return {n}" for n in range(99))
    broken = text.replace("return 20\n", 'return """20\n').replace("return 40\n", "return (40\n")
    cut = list(pieces("python", broken, size=200))
    whole = {text[p.start : p.end] for p in pieces("python", text, size=200)}

    assert len(cut) > 10
    assert sum(broken[p.start : p.end] not in whole for p in cut) <= 6


def test_a_text_of_another_language_and_a_short_one_are_one_piece() -> None:
    assert len(list(pieces("json", "{}\n\n" * 9_000))) == 1
    assert len(list(pieces("python", "x = 1\n\n" * 900))) == 1
    assert len(list(pieces("python", "x = 1\n\n" * 9_000))) > 5
