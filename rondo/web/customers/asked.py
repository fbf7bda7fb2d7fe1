"""The customers list for who asks by program: the same filters, rule, search, sort, columns, and the same file."""

from datetime import date
from typing import Any

from django.http import QueryDict

from rondo.errors import InputError
from rondo.foundation.actors import Actor
from rondo.foundation.models import User
from rondo.foundation.shown_lists import ListColumn, ListFile
from rondo.web.customers.export_files import list_file, typed
from rondo.web.customers.lists import CursorError, Position, read_page
from rondo.web.customers.query import ListQuery
from rondo.web.customers.rows import read_rows
from rondo.web.customers.tabs import tab_of


class Asked:
    """See :class:`rondo.foundation.registry.AskedList`.

    Raises:
        InputError: a filter, the rule, the sort or a column is not understood. NotFound: the view is not there.
    """

    def __init__(self, viewer: User, asked: dict[str, list[str]]) -> None:
        params = QueryDict(mutable=True)
        for name, values in asked.items():
            params.setlist(name, values)
        key = params.get("view", "")
        self._query = ListQuery(viewer, params, (), tab_of(viewer, key) if key else None, bool(key))
        if self._query.errors:
            raise InputError(" ".join(self._query.errors))
        fields = [self._query.fields[name] for name in self._query.columns]
        self.columns = [ListColumn(field.key, str(field.label), field.type) for field in fields]

    def page(self, cursor: str, limit: int) -> tuple[list[tuple[str, str, list[Any]]], str]:
        """Rows from a cursor on, and the cursor of the next page."""
        query = self._query
        field = query.fields["name"] if query.by_relevance else query.sort_field
        try:
            start = Position.decode(cursor, query.sort_key, field) if cursor else None
            page = read_page(query.walks, start, limit=limit, eager=True)
        except CursorError as error:
            raise InputError(str(error)) from error
        columns = [query.fields[key] for key in query.columns]
        rows = [
            (row.key, row.customer.name, [_plain(typed(cell)) for cell in row.cells])
            for row in read_rows(query.viewer, page.ids, columns)
        ]
        return rows, page.after.encode(query.sort_key) if page.after else ""

    def count(self) -> tuple[int, int | None]:
        """How many customers, and what they are worth together."""
        return self._query.selection.count()

    def keys(self) -> list[int]:
        """The keys of all customers of the list."""
        return list(self._query.selection.customers().order_by().values_list("pk", flat=True))

    def file(self, actor: Actor, form: str) -> ListFile:
        """The whole list as a file."""
        return list_file(actor, self._query, form)


def _plain(value: Any) -> str | int | float | None:
    """A cell as JSON has it: days in ISO 8601, amounts of money as a decimal text."""
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, (int, float, str)) else str(value)
