"""The open notebooks: which cells, in which order. Their texts are documents like others."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell.

    Attributes:
        uri: of its text document.
        is_code: false for one of prose.
    """

    uri: str
    is_code: bool


class Notebooks:
    """The open notebooks by URI. Belongs to the event loop."""

    def __init__(self) -> None:
        self._cells: dict[str, list[Cell]] = {}
        self._notebook_of: dict[str, str] = {}  # by the cell's URI

    def open(self, uri: str, cells: Sequence[Cell]) -> None:
        """Take up a notebook; one that is open already is replaced."""
        self.close(uri)
        self._cells[uri] = [*cells]
        self._notebook_of |= {cell.uri: uri for cell in cells}

    def close(self, uri: str) -> tuple[str, ...]:
        """Forget a notebook and give the URIs of its cells."""
        cells = tuple(cell.uri for cell in self._cells.pop(uri, []))
        for cell in cells:
            self._notebook_of.pop(cell, None)
        return cells

    def splice(self, uri: str, start: int, n_deleted: int, cells: Sequence[Cell]) -> None:
        """Replace cells; of a notebook that is not open this is ignored.

        Args:
            uri: the notebook.
            start: index of the first one that goes.
            n_deleted: how many go.
            cells: what comes in their place.
        """
        if uri not in self._cells:
            return
        old = self._cells[uri]
        for cell in old[start : start + n_deleted]:
            self._notebook_of.pop(cell.uri, None)
        old[start : start + n_deleted] = cells
        self._notebook_of |= {cell.uri: uri for cell in cells}

    def update(self, uri: str, cells: Sequence[Cell]) -> None:
        """Take up what changed about cells, as code that becomes prose."""
        new = {cell.uri: cell for cell in cells}
        known = self._cells.get(uri, [])
        known[:] = [new.get(cell.uri, cell) for cell in known]

    def notebook_of(self, cell_uri: str) -> str | None:
        """Give the notebook of a cell; ``None`` for any other document."""
        return self._notebook_of.get(cell_uri)

    def earlier(self, cell_uri: str) -> tuple[str, ...]:
        """Give the URIs of the code cells before a cell of code, in their order."""
        cells = self._cells.get(self._notebook_of.get(cell_uri, ""), [])
        place = next((n for n, cell in enumerate(cells) if cell.uri == cell_uri), 0)
        if not cells or not cells[place].is_code:
            return ()
        return tuple(cell.uri for cell in cells[:place] if cell.is_code)
