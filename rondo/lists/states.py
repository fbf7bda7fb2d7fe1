"""What a view keeps of a list: whom it shows, in which columns and order, how many at once, and drawn as what."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from rondo.errors import InputError

SIZES = (25, 50, 100, 200)
"""Rows of a page that can be chosen."""
PAGE_SIZE = 50
LAYOUTS = ("table", "board", "chart")
"""What a list is drawn as."""
_MOST = 50
_LONGEST = 4000


HIDDEN = "hidden:"
"""Stands for a filter or a rule of which whoever opens the view does not see what it asks for."""


@dataclass(frozen=True)
class State:
    """A list as a view keeps it, in the text forms of its address. ``by``: the field that board and chart group by.

    Nothing in it says who looks: the same state shows everybody what that person may see.
    """

    filters: tuple[str, ...] = ()
    rule: str = ""
    sort: str = ""
    columns: tuple[str, ...] = ()
    size: int = PAGE_SIZE
    layout: str = "table"
    by: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it; what is as usual is left out."""
        told = {
            "f": list(self.filters), "rule": self.rule, "sort": self.sort, "cols": list(self.columns),
            "size": self.size, "as": self.layout, "by": self.by,
        }  # fmt: skip
        usual = {"size": PAGE_SIZE, "as": "table"}
        return {key: value for key, value in told.items() if value and value != usual.get(key)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> "State":
        """What :meth:`to_dict` made."""
        return cls(
            tuple(told.get("f", ())), told.get("rule", ""), told.get("sort", ""), tuple(told.get("cols", ())),
            told.get("size", PAGE_SIZE), told.get("as", "table"), told.get("by", ""),
        )  # fmt: skip

    def without(self, fields: Collection[str], named: Callable[[str, Collection[str]], bool]) -> "State":
        """The same for somebody who does not see these ``fields``: neither which they are nor which values are asked
        for. ``named(rule, fields)``: whether a rule asks for one of them."""
        if not fields:
            return self
        return replace(
            self,
            filters=tuple(HIDDEN if text.partition(":")[0] in fields else text for text in self.filters),
            rule=HIDDEN if named(self.rule, fields) else self.rule,
            sort="" if self.sort.removeprefix("-") in fields else self.sort,
            columns=tuple(key for key in self.columns if key not in fields),
            by="" if self.by in fields else self.by,
        )

    def same(self, other: "State") -> bool:
        """Whether both show the same; filters that all have to hold have no order."""
        mine, theirs = self.to_dict(), other.to_dict()
        return mine | {"f": sorted(self.filters)} == theirs | {"f": sorted(other.filters)}

    def check(self) -> None:
        """Raise InputError where it is larger than any list that a person makes."""
        texts: Sequence[str] = (*self.filters, *self.columns, self.rule, self.sort, self.by)
        if (
            len(self.filters) > _MOST
            or len(self.columns) > _MOST
            or any(len(text) > _LONGEST or "\x00" in text for text in texts)
        ):
            raise InputError(_("This list asks for more than a view keeps; take some filters or columns away."))
        if self.size not in SIZES or self.layout not in LAYOUTS:
            raise InputError(
                _("A view shows %(sizes)s rows a page, as one of %(layouts)s.")
                % {"sizes": ", ".join(map(str, SIZES)), "layouts": ", ".join(LAYOUTS)}
            )
