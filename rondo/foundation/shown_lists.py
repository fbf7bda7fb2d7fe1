"""Lists that pages show, for who asks for them by program: read by the text forms of their addresses."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from rondo.foundation.actors import Actor


@dataclass(frozen=True)
class ListColumn:
    """A column of a list: its key, what it is called, and the type of its values."""

    key: str
    label: str
    type: str


@dataclass(frozen=True)
class ListField:
    """A field that a list can be asked by: what filters, sort and columns call it (``key``) and what rules do
    (``rule``, empty where they do not know it), the operators of its filters, and its choices with what they are
    called. ``column``: it can be shown and sorted by. ``groups``: the list can be grouped by it."""

    key: str
    label: str
    type: str
    meaning: str
    rule: str
    operators: tuple[str, ...]
    choices: tuple[tuple[str, str], ...]
    column: bool
    groups: bool


@dataclass(frozen=True)
class ListGroup:
    """The rows of a list that have one value of a field, or none: the condition that leads to them, how many they are,
    and what they are worth together in minor units, if that is known. ``value`` is empty for who has none, and where
    many values stand together."""

    value: str
    label: str
    condition: str
    count: int
    worth: int | None


@dataclass(frozen=True)
class ListFile:
    """A list as a file: its name, what it is, and its parts one after the other."""

    name: str
    content_type: str
    parts: "Iterable[str] | Iterable[bytes]"


class AskedList(Protocol):
    """A list as somebody asks for it, in the text forms of its address."""

    columns: list[ListColumn]

    def fields(self) -> list[ListField]:
        """The fields that whoever asks may name, in the order in which menus show them."""

    def page(self, cursor: str, limit: int) -> tuple[list[tuple[str, str, list[Any]]], str]:
        """Rows from a cursor on, each with public id, name and the cells of the columns; and the next page's cursor,
        empty on the last. Raises InputError where the cursor is none of this list."""

    def count(self) -> tuple[int, int | None]:
        """How many rows there are, exactly, and what they are worth together in minor units, if that is known."""

    def groups(self, by: str) -> tuple[ListColumn, list[ListGroup]]:
        """The field that the list is grouped by (where ``by`` is empty the one that it would be on the page), and its
        groups, which are the whole list. Raises InputError where it cannot be grouped so."""

    def keys(self) -> list[int]:
        """The keys of all rows, in no order."""

    def records(self) -> "QuerySet[Any]":
        """The records of all rows, in no order, for who walks them a page at a time."""

    def file(self, actor: "Actor", form: str) -> ListFile:
        """The whole list as csv, xlsx or parquet, noted in the audit log; raises PermissionRefused and InputError."""


@dataclass(frozen=True)
class ShownList:
    """A list that pages show. ``open(viewer, asked)`` is the dotted path of what reads it as ``asked`` says (the names
    of its address with their values), which raises InputError naming what is not understood."""

    key: str
    open: str
