"""What a list's address asks for: filters, search, sort and columns; and addresses of lists a little different.

The address is ``?f=key:operator:value`` (repeated, see :mod:`rondo.web.customers.filters`), ``&rule=`` a rule in its
text form (docs/rules.md) that has to hold beside the filters, ``&q=`` text to search,
``&sort=key`` or ``&sort=-key`` (descending), ``&cols=key,key``, ``&size=`` rows of a page, ``&as=board`` or ``chart``
with ``&by=`` the field it groups by, ``&after=``/``&before=`` an opaque page position, and ``&id=`` (repeated) for
customers picked one by one. ``?view=`` is all that a saved view keeps; ``?base=`` names the view that a list began with
which the rest of its address describes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import quote_plus, urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from rondo.analysis.models import Score
from rondo.customers.models import Customer
from rondo.customers.searching import MAX_LENGTH, Search
from rondo.errors import InputError, RondoError
from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.foundation.rights import masked
from rondo.lists.states import HIDDEN, LAYOUTS, PAGE_SIZE, SIZES, State
from rondo.web.customers.fields import Field, catalogue, default_columns
from rondo.web.customers.filters import Condition, archived_among, parse, shown_as
from rondo.web.customers.lists import CursorError, KeyPage, Phase, Position, read_page
from rondo.web.customers.rules import Rule, as_rule, parts_of, read_rule
from rondo.web.customers.selection import Selection
from rondo.web.customers.tabs import ALL, Tab
from rondo.web.customers.tolerant import meant_by
from rondo.web.customers.walks import walks

MAX_COLUMNS = 24
_PLAIN = ":,|"
"""Letters that stand in addresses as they are."""
_SORT_MARK = "sorted-so"
MAX_PICKED = 500
"""So many rows picked one by one may be exported by their ids."""


@dataclass(frozen=True)
class Chip:
    """A filter, or a part of the rule, as a chip: what it says, its text form, and the address without it. ``problem``
    is set when it was not understood."""

    text: str
    words: str
    without: str
    problem: str = ""


class ListQuery:
    """A list as its address asks for it. ``errors`` says what could not be understood; then the list stays empty.

    ``tab``: the view that the address names; ``exact``: it asks for what that keeps, and for nothing else.
    """

    def __init__(
        self,
        viewer: User,
        params: QueryDict,
        chosen: Sequence[str] = (),
        tab: Tab | None = None,
        exact: bool = False,
    ) -> None:
        self.viewer = viewer
        self.fields = catalogue(viewer)
        self.base = tab if tab is not None and tab.view is not None else None
        asked = tab.state if tab is not None and exact else _state_of(params)
        self.filters = list(asked.filters)
        self.text = params.get("q", "").strip()[:MAX_LENGTH]
        self.meant = meant_by(viewer, Search(self.text, whole=masked(viewer, "identifiers")))
        self.search = self.meant.search
        self.conditions, problems = parse(self.filters, self.fields, viewer)
        self.errors = [str(problem) for problem in problems]
        self.rule_text = asked.rule
        self.rule = self._read_rule()
        self.columns_in_address = bool(asked.columns)
        self._read_columns(asked.columns or (() if self.base is not None else chosen))
        self.size = asked.size
        self.layout, self.by = asked.layout, asked.by
        self.sort = asked.sort
        self.sort_field, self.descending = self._read_sort()
        keys = [ids.decode(Customer.PREFIX, text) for text in params.getlist("id")[:MAX_PICKED]]
        self.picked = [key for key in keys if key is not None] if keys else None
        self.after, self.before = params.get("after", ""), params.get("before", "")

    def _read_columns(self, asked: Sequence[str]) -> None:
        """``columns`` are those that are shown; ``kept_columns`` those that a view keeps: they hold the ones that are
        ``away``, too (key and label), since their attribute is in the archive and may be put back."""
        offered = {key for key, field in self.fields.items() if field.listed and key != "name"}
        self.away = archived_among(self.viewer, [key for key in dict.fromkeys(asked) if key not in offered])
        kept = [key for key in dict.fromkeys(asked) if key in offered or key in self.away][:MAX_COLUMNS]
        self.columns = [key for key in kept if key in offered] or default_columns(self.fields)
        self.kept_columns = kept or self.columns

    def _read_rule(self) -> Rule | None:
        if not self.rule_text:
            return None
        if self.rule_text == HIDDEN:
            self.errors.append(_("The view asks for something that you do not see."))
            return None
        try:
            return read_rule(self.rule_text, self.viewer)
        except RondoError as error:
            self.errors.append(str(error))
            return None

    @cached_property
    def state(self) -> State:
        """What a view keeps of the list: all but the search and the page."""
        columns, size = tuple(self.kept_columns), self.size
        return State(tuple(self.filters), self.rule_text, self.sort, columns, size, self.layout, self.by)

    @property
    def changed(self) -> bool:
        """Whether the list began with a saved view and shows something else now."""
        return self.base is not None and not self._is_base(self.state)

    def _is_base(self, state: State) -> bool:
        return self.base is not None and state.same(self.base.state)

    @property
    def narrowed(self) -> bool:
        """Whether the list is anything less than everybody."""
        return bool(self.filters or self.rule_text or self.text)

    def as_rule(self) -> str:
        """The filters and the rule as one rule; a search is none.

        Raises:
            InputError: the list has errors, or a filter that no rule can say.
        """
        if self.errors:
            raise InputError(" ".join(self.errors))
        return as_rule(self.conditions, self.rule_text, self.viewer)

    def _read_sort(self) -> tuple[Field, bool]:
        key = self.sort.removeprefix("-")
        if (field := self.fields.get(key)) and field.listed:
            return field, self.sort.startswith("-")
        if self.sort:
            self.errors.append(
                _("There is no field “%(key)s” to sort by; choose a column's heading.") % {"key": key[:60]}
            )
        if "value" in self.fields and not self.search and Score.objects.exists():
            return self.fields["value"], True
        return self.fields["name"], False

    @property
    def by_relevance(self) -> bool:
        """Whether what fits the search best comes first, because no other sort was asked for."""
        return bool(self.search) and not self.sort

    @property
    def sort_key(self) -> str:
        """The sort in force, as the address writes it."""
        if self.by_relevance:
            return "relevance"
        return f"{'-' if self.descending else ''}{self.sort_field.key}"

    @cached_property
    def selection(self) -> Selection:
        """The customers asked for."""
        return Selection(
            self.viewer,
            self.conditions,
            self.search,
            rule=self.rule,
            only=self.picked,
            probe_search=not self.by_relevance,
        )

    @cached_property
    def walks(self) -> list[Phase]:
        """The phases of the sort."""
        return walks(self.selection, self.sort_field, self.descending, self.by_relevance)

    def page(self) -> KeyPage:
        """The ids of the page asked for; an empty page when the address has errors (which it then adds to)."""
        if self.errors:
            return KeyPage([], None, None)
        try:
            position = self._position(self.before or self.after)
            return read_page(self.walks, position, backward=bool(self.before), limit=self.size)
        except CursorError as error:
            self.errors.append(str(error))
            return KeyPage([], None, None)

    def _position(self, text: str) -> Position | None:
        field = self.fields["name"] if self.by_relevance else self.sort_field
        return Position.decode(text, self.sort_key, field) if text else None

    # Addresses

    def address(
        self,
        *,
        filters: Iterable[str] | None = None,
        sort: str | None = None,
        text: str | None = None,
        rule: str | None = None,
        columns: Sequence[str] | None = None,
        size: int | None = None,
        layout: str | None = None,
        by: str | None = None,
        after: Position | None = None,
        before: Position | None = None,
    ) -> str:
        """The list's query string with some of it changed; without a position it is the first page."""
        state = replace(
            self.state,
            filters=tuple(self.filters if filters is None else filters),
            rule=self.rule_text if rule is None else rule,
            sort=self.sort if sort is None else sort,
            columns=tuple(self.kept_columns if self.columns_in_address else ()) if columns is None else tuple(columns),
            size=self.size if size is None else size,
            layout=self.layout if layout is None else layout,
            by=self.by if by is None else by,
        )
        pairs = [("view", self.base.key)] if self.base is not None and self._is_base(state) else self._pairs(state)
        q = self.text if text is None else text
        if q:
            pairs.append(("q", q))
        if after is not None:
            pairs.append(("after", after.encode(self.sort_key)))
        if before is not None:
            pairs.append(("before", before.encode(self.sort_key)))
        return "?" + urlencode(pairs or [("view", ALL)], safe=_PLAIN)

    def sorted_by(self, sort: str) -> str:
        """:meth:`address` with another sort. A page names a hundred of them, so that all but those of the view itself
        come from one."""
        if self.base is not None and sort == self.base.state.sort:
            return self.address(sort=sort)
        before, mark, after = self._marked_sort
        return before + quote_plus(sort, safe=_PLAIN) + after if mark else self.address(sort=sort)

    @cached_property
    def _marked_sort(self) -> tuple[str, str, str]:
        marked = self.address(sort=_SORT_MARK)
        return marked.partition(_SORT_MARK) if marked.count(_SORT_MARK) == 1 else ("", "", "")

    def _pairs(self, state: State) -> list[tuple[str, str]]:
        pairs = [("base", self.base.key)] if self.base is not None else []
        pairs += [("f", text) for text in state.filters]
        told = {"rule": state.rule, "sort": state.sort, "cols": ",".join(state.columns)}
        if state.size != PAGE_SIZE:
            told["size"] = str(state.size)
        if state.layout != LAYOUTS[0]:
            told |= {"as": state.layout, "by": state.by}
        return pairs + [(key, value) for key, value in told.items() if value]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The whole list but its search as pairs, for the hidden fields of a form that changes it."""
        return self._pairs(replace(self.state, columns=self.state.columns if self.columns_in_address else ()))

    @property
    def without_away(self) -> list[tuple[str, str]]:
        """The view that the list began with, without the columns of archived attributes, as pairs for a form."""
        state = self.state if self.base is None else self.base.state
        return self._pairs(replace(state, columns=tuple(key for key in state.columns if key not in self.away)))

    @property
    def shape(self) -> str:
        """Columns and sort alone, for lists of customers picked one by one."""
        pairs = [("sort", self.sort)] if self.sort else []
        return "?" + urlencode([*pairs, ("cols", ",".join(self.columns))], safe=",")

    def other_readings(self) -> list[tuple[str, str]]:
        """What the search may have been meant to say besides, each with the address of its list."""
        return [(text, self.address(text=text)) for text in self.meant.others]

    def chips(self) -> list[Chip]:
        """The filters as chips, in the order of the address."""
        understood: dict[str, Condition] = {}
        for text in self.filters:
            found, _errors = parse([text], self.fields, self.viewer)
            if found:
                understood[text] = found[0]
        chips = []
        for index, text in enumerate(self.filters):
            without = self.address(filters=self.filters[:index] + self.filters[index + 1 :])
            condition = understood.get(text)
            words = condition.words() if condition else shown_as(text)
            chips.append(Chip(text, words, without, "" if condition else _("not understood")))
        if self.rule is not None:
            parts = parts_of(self.rule, self.viewer)
            chips += [Chip(part.text, part.words, self.address(rule=part.without)) for part in parts]
        elif self.rule_text:
            said = shown_as(self.rule_text)
            chips.append(Chip(self.rule_text, said, self.address(rule=""), _("not understood")))
        return chips


def _state_of(params: QueryDict) -> State:
    """What an address says that a view would keep."""
    size, layout = params.get("size", ""), params.get("as", "")
    return State(
        tuple(text for text in params.getlist("f") if text and "\x00" not in text),
        params.get("rule", "").strip(),
        params.get("sort", ""),
        tuple(key for key in params.get("cols", "").split(",") if key and "\x00" not in key),
        int(size) if size in map(str, SIZES) else PAGE_SIZE,
        layout if layout in LAYOUTS else LAYOUTS[0],
        params.get("by", ""),
    )
