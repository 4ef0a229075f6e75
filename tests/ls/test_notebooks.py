"""Cells in their order, against a plain list."""

from hypothesis import given
from hypothesis import strategies as st

from dgemma_ls.notebooks import Cell, Notebooks

BOOK = "file:///a.ipynb"


def cells(*names: str, code: str = "") -> list[Cell]:
    return [Cell(uri=name, is_code=name.islower()) for name in names]


def test_earlier_cells_are_those_of_code_above() -> None:
    notebooks = Notebooks()
    notebooks.open(BOOK, cells("a", "B", "c", "d"))

    assert notebooks.earlier("c") == ("a",)
    assert notebooks.earlier("d") == ("a", "c")
    assert notebooks.earlier("B") == ()  # prose is no code that goes on
    assert notebooks.earlier("elsewhere") == ()
    assert notebooks.notebook_of("c") == BOOK
    assert notebooks.notebook_of("elsewhere") is None


def test_what_is_not_open_is_ignored() -> None:
    notebooks = Notebooks()

    notebooks.splice(BOOK, 0, 1, cells("a"))
    notebooks.update(BOOK, cells("a"))

    assert notebooks.notebook_of("a") is None
    assert notebooks.close(BOOK) == ()


@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 3), st.lists(st.sampled_from("abcdefgh"))),
        max_size=8,
    )
)
def test_splices_are_those_of_a_list(splices: list[tuple[int, int, list[str]]]) -> None:
    notebooks, expected, number = Notebooks(), [], 0
    seen: set[str] = set()
    notebooks.open(BOOK, [])
    for start, n_deleted, letters in splices:
        new = []
        for letter in letters:  # a cell's URI is its own
            number += 1
            new.append(Cell(uri=f"{letter}{number}", is_code=letter < "e"))
        expected[start : start + n_deleted] = new
        notebooks.splice(BOOK, start, n_deleted, new)
        seen |= {cell.uri for cell in new}

    known = {uri for uri in seen if notebooks.notebook_of(uri) == BOOK}
    assert known == {cell.uri for cell in expected}
    for place, cell in enumerate(expected):
        above = tuple(one.uri for one in expected[:place] if one.is_code)
        assert notebooks.earlier(cell.uri) == (above if cell.is_code else ())
    assert notebooks.close(BOOK) == tuple(cell.uri for cell in expected)
    assert all(notebooks.notebook_of(cell.uri) is None for cell in expected)
