"""What is read of one customer for one page: each question is put to the database once, whoever asks."""

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Reading:
    """One customer whom the viewer may see. ``records``: keys of the survivor and of all records merged into it.

    A page and the panels that rooms put on it share one, so that what two of them ask for is read once.
    """

    def __init__(self, records: list[int]) -> None:
        self.records = records
        self._known: dict[Callable[..., Any], Any] = {}

    @property
    def survivor(self) -> int:
        """The key of the customer."""
        return self.records[0]

    def of_survivor(self, read: Callable[[int], T]) -> T:
        """What ``read`` gives for the survivor."""
        return self._once(read, self.survivor)

    def of_records(self, read: Callable[[list[int]], T]) -> T:
        """What ``read`` gives for all records."""
        return self._once(read, self.records)

    def once(self, read: Callable[[], T]) -> T:
        """What ``read`` gives, whoever the customer is."""
        return self._once(read)

    def _once(self, read: Callable[..., T], *asked: Any) -> T:
        if read not in self._known:
            self._known[read] = read(*asked)
        found: T = self._known[read]
        return found
