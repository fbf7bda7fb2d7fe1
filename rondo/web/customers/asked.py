"""The customers list for who asks by program: the same filters, rule, search, sort, columns, and the same file."""

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from rondo.customers.models import Customer
from rondo.errors import InputError
from rondo.foundation.actors import Actor
from rondo.foundation.models import User
from rondo.foundation.shown_lists import ListColumn, ListField, ListFile, ListGroup
from rondo.rules import schema
from rondo.web.customers.export_files import list_file, typed
from rondo.web.customers.filters import operators
from rondo.web.customers.groups import figures, groupable, grouped_by, groups_of, keys_of_users
from rondo.web.customers.lists import CursorError, Position, read_page
from rondo.web.customers.query import MAX_COLUMNS, ListQuery
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
        if not key:
            self._check_columns(params.get("cols", ""))
        fields = [self._query.fields[name] for name in self._query.columns]
        self.columns = [ListColumn(field.key, str(field.label), field.type) for field in fields]

    def _check_columns(self, text: str) -> None:
        """Refuse what the list would leave out: a program would take its columns for others. Those of archived
        attributes are kept, as views keep them."""
        asked = [name for name in dict.fromkeys(text.split(",")) if name and name != "name"]
        left_out = [name for name in asked if name not in self._query.kept_columns]
        fields = self._query.fields
        strangers = [name for name in left_out if name not in fields or not fields[name].listed]
        if strangers:
            raise InputError(
                _("cols: there is no column “%(key)s”; /api/v1/lists/customers/fields lists them.")
                % {"key": strangers[0][:60]}
            )
        if left_out:
            raise InputError(
                _("cols: %(count)d columns are too many; name at most %(limit)d.")
                % {"count": len(asked), "limit": MAX_COLUMNS}
            )

    def fields(self) -> list[ListField]:
        """The fields that the viewer may name."""
        known = schema(self._query.viewer)
        found = self._query.fields.values()
        by = {one.key for one in groupable(found)}
        return [
            ListField(
                one.key,
                str(one.label),
                one.type,
                str(one.meaning),
                known.short(one.key) if known.find(one.key) else "",
                operators(one),
                tuple((value, str(label)) for value, label in one.choices),
                one.listed,
                one.key in by,
            )
            for one in found
        ]

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

    def groups(self, by: str) -> tuple[ListColumn, list[ListGroup]]:
        """The groups of boards and charts, each with its figures."""
        query = self._query
        offered = [one.key for one in groupable(query.fields.values())]
        if by and by not in offered:
            raise InputError(
                _("by: a list is not grouped by “%(key)s”; use one of %(offered)s.")
                % {"key": by[:60], "offered": ", ".join(offered)}
            )
        query.by = by or query.by
        field = grouped_by(query)
        emails = {key: email for email, key in keys_of_users().items()} if field.type == "user" else {}
        found = [
            ListGroup(
                emails.get(one.group.value, one.group.value),
                str(one.group.label),
                one.group.text,
                one.number,
                one.worth,
            )
            for one in figures(query, groups_of(query, field))
        ]
        return ListColumn(field.key, str(field.label), field.type), found

    def keys(self) -> list[int]:
        """The keys of all customers of the list."""
        return list(self.records().values_list("pk", flat=True))

    def records(self) -> QuerySet[Customer]:
        """All customers of the list, which whoever walks them sorts."""
        return self._query.selection.customers().order_by()

    def file(self, actor: Actor, form: str) -> ListFile:
        """The whole list as a file."""
        return list_file(actor, self._query, form)


def _plain(value: Any) -> str | int | float | None:
    """A cell as JSON has it: days in ISO 8601, amounts of money as a decimal text."""
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, (int, float, str)) else str(value)
