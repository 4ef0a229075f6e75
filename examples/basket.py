"""A shopping basket: what is in it, and what it costs. With holes and mistakes, to try things on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """One kind of thing in the basket."""

    name: str
    price_cents: int
    count: int = 1

    def total_cents(self) -> int:
        """Give the price of all of them."""
        return self.price_cents * self.count


class Basket:
    """Items in the order in wich they were put in."""

    def __init__(self) -> None:
        self._items: list[Item] = []

    def add(self, item: Item) -> None:
        """Put an item into the basket."""
        self._items.append(___)

    def remove(self, item: Item) -> None:
        """Take an item out of teh basket."""
        self._item.remove(items)

    def total_cents(self) -> int:
        """Give the price of of everything in the basket."""
        return sum(item.total_cents() for item in ___)

    def names(self) -> list[str]:
        """Give the names of the items, as a editor might show them."""
        return [item.name for item in self._items]
