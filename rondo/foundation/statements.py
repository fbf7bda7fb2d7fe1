"""Statements that are kept by their shape: what a person puts together is put into SQL once per process, and then asked
with other values.

:mod:`rondo.foundation.prepared` serves queries that are always the same but for their values. Lists are not: which
conditions they have is part of what is asked. Here the caller names that part, the *shape*.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from django.core.exceptions import FieldError
from django.db.models import QuerySet

from rondo.errors import RondoError
from rondo.foundation.prepared import _SMALL, _Kept, _marks

Build = Callable[[list[Any]], "QuerySet[Any]"]
MOST = 400
"""Statements of one place in the code; beyond, all are forgotten."""


def marks_for(values: Sequence[Any], small: bool = False) -> list[Any]:
    """What stands for these values in a query that is to be kept: one of the kind of each that no row holds, or of the
    ``small`` ones, which every column can hold. The marks of a longer list begin with those of its beginning.

    Raises:
        FieldError: a value is no integer, text or day.
    """
    return _marks(values, _SMALL) if small else _marks(values)


class CannotBeKept(RondoError):
    """A query that has to be put into SQL each time."""


class Statements:
    """The statements of one place in the code."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, _Kept | None] = {}

    def ask(self, shape: Hashable, values: Sequence[Any], build: Build) -> list[Any]:
        """The rows of ``build(values)``: integers, texts and days that the query compares with.

        ``shape`` names all else that ``build`` looks at, the viewer's reach included. A query whose values do not all
        become parameters of its SQL is built anew each time.
        """
        try:
            return self.ask_kept(shape, values, build)
        except CannotBeKept:
            return list(build(list(values)))

    def ask_kept(
        self,
        shape: Hashable,
        values: Sequence[Any],
        build: Build,
        small: Build | None = None,
        some: bool = False,
    ) -> list[Any]:
        """:meth:`ask`, where ``build`` gets marks alone. ``small`` builds the same for the small marks, where ``build``
        cannot. ``some``: not all values need be among the parameters.

        Raises:
            CannotBeKept: the values are no parameters of its SQL as they are.
        """
        key = (shape, tuple(map(type, values)))
        if key not in self._kept:
            if len(self._kept) >= MOST:
                self._kept.clear()
            try:
                marks = marks_for(values)
                other = (small or build)(marks_for(values, small=True))
                self._kept[key] = _Kept(build(marks), other, marks, [True] * len(marks), needs_all=not some)
            except FieldError:
                self._kept[key] = None
        kept = self._kept.get(key)
        if kept is None:
            raise CannotBeKept
        return kept.ask(list(values))
