"""Items of one type under a unique key, in the order of their registration."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from rondo.errors import StateError
from rondo.speech import gettext_noop

T = TypeVar("T")


class Registry(Generic[T]):
    """Items of one type by unique key."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._items: dict[str, T] = {}

    def add(self, key: str, item: T) -> T:
        """Register ``item``; a key taken already raises StateError."""
        if key in self._items:
            raise StateError(
                gettext_noop("%(registry)s: %(key)r is registered already; choose another key."),
                registry=self.name,
                key=key,
            )
        self._items[key] = item
        return item

    def get(self, key: str) -> T | None:
        return self._items.get(key)

    def __getitem__(self, key: str) -> T:
        return self._items[key]

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def keys(self) -> list[str]:
        return list(self._items)
