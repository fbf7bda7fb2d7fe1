"""The panel of where a customer stands in buying, category by category."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.analysis.buying_stages.queries import Line, StagesOfOne, stages_of
from rondo.analysis.buying_stages.ruled import BUYING_STAGE, rule_of
from rondo.customers.models import Customer
from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.foundation.reading import Reading
from rondo.web import formats
from rondo.web.charts.portfolio import customers_where
from rondo.web.stages.words import TOLD, why

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

SHOWN = 4
_FIRST = ("evaluation", "information_search", "need_recognised", "purchase", "after_purchase", "unaware")
"""What calls for a contact first."""


@dataclass(frozen=True)
class Row:
    """A category: its name and path, why the customer stands there, and the list of those who stand there too."""

    name: str
    path: str
    why: str
    url: str


@dataclass(frozen=True)
class Group:
    """The categories in one stage: how many, the first few (of the stage that calls for a contact first; none of the
    others), and where all of them are to be had."""

    key: str
    label: "_StrOrPromise"
    objective: "_StrOrPromise"
    rows: list[Row]
    count: int
    url: str

    @property
    def more(self) -> int:
        """Those not among the first few."""
        return self.count - len(self.rows)


def of_customer(_viewer: User, reading: Reading) -> dict[str, Any] | None:
    """Where the customer, whom the viewer may see, stands; None where nothing is known."""
    found = stages_of(reading.survivor)
    if found is None or not found.lines:
        return None
    by_stage = _by_stage(found)
    labels = dict(BUYING_STAGE)
    public_id = ids.encode(Customer.PREFIX, reading.survivor)
    groups: list[Group] = []
    for key in _FIRST:
        if lines := by_stage.get(key, []):
            rows = [] if groups else [_row(line) for line in lines[:SHOWN]]
            url = reverse("buying-stages-of", args=[public_id, key])
            groups.append(Group(key, labels[key], TOLD[key].objective, rows, len(lines), url))
    return {"as_of": found.as_of, "headline": _headline(by_stage), "groups": groups}


def categories_of(customer_id: int, stage: str) -> list[Row]:
    """All categories in which a surviving customer is in this stage."""
    found = stages_of(customer_id)
    return [] if found is None else [_row(line) for line in _by_stage(found).get(stage, [])]


def _by_stage(found: StagesOfOne) -> dict[str, list[Line]]:
    """What has been due for the shortest time comes first: it is likeliest still wanted."""
    by_stage: dict[str, list[Line]] = {}
    for line in sorted(found.lines, key=lambda line: (-line.entry.since.toordinal(), line.path)):
        by_stage.setdefault(line.entry.stage, []).append(line)
    return by_stage


def _headline(by_stage: dict[str, list[Line]]) -> str:
    wanted = sum(len(by_stage.get(key, [])) for key in ("need_recognised", "information_search", "evaluation"))
    if not wanted:
        return _("Nothing is due or looked for.")
    return ngettext("A need or more in %(count)s category.", "A need or more in %(count)s categories.", wanted) % {
        "count": formats.number(wanted)
    }


def _row(line: Line) -> Row:
    url = customers_where(rule=rule_of(line.path, line.entry.stage))
    return Row(line.path.rpartition(" > ")[2], line.path, why(line.entry), url)
