"""The panel of what a customer buys next: categories due, products likely again, products to suggest; with reasons."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.analysis.next.queries import NextForOne, Suggested, row_of, told_by
from rondo.analysis.next.shapes import Habit, Upsell, quoted
from rondo.foundation.models import User
from rondo.foundation.reading import Reading
from rondo.web import formats
from rondo.web.charts.portfolio import customers_where


@dataclass(frozen=True)
class Line:
    """One line of the panel: what, when or how likely, why, and the list of those of whom the same holds."""

    what: str
    when: str
    why: str
    url: str = ""


def of_customer(_viewer: User, reading: Reading) -> dict[str, Any] | None:
    """What the customer, whom the viewer may see, buys next; None where nothing is known."""
    found = told_by(reading.of_survivor(row_of))
    if found is None:
        return None
    first = found.habits[0] if found.habits else None
    return {
        "as_of": found.as_of,
        "headline": _headline(first, found.as_of) if first else "",
        "habits": [_habit(habit, found.as_of, head=habit is first) for habit in found.habits],
        "again": [_again(one, found) for one in found.again],
        "new": [_new(one) for one in found.new],
        "upsells": [_upsell(one, head=number == 0) for number, one in enumerate(found.upsells)],
    }


def _in_days(day: str, as_of: date) -> str:
    days = (date.fromisoformat(day) - as_of).days
    return ngettext("due in %(days)s day", "due in %(days)s days", days) % {"days": formats.number(days)}


def _headline(habit: Habit, as_of: date) -> str:
    assert habit["due"] is not None
    return _("%(category)s %(due)s") % {"category": habit["category"], "due": _in_days(habit["due"], as_of)}


def _habit(habit: Habit, as_of: date, *, head: bool) -> Line:
    assert habit["due"] is not None
    if habit["high"] is None:
        span = _("from %(low)s, or not at all") % {"low": formats.day(habit["low"])}
    else:
        span = _("%(low)s to %(high)s") % {"low": formats.day(habit["low"]), "high": formats.day(habit["high"])}
    why = ngettext(
        "bought on %(days)s day, mostly %(every)s, last on %(last)s",
        "bought on %(days)s days, mostly %(every)s, last on %(last)s",
        habit["days"],
    ) % {
        "days": formats.number(habit["days"]),
        "every": formats.every(max(round(habit["typical"]), 1)),
        "last": formats.day(habit["last"]),
    }
    # The list is of those for whom the same category is due first.
    url = customers_where(rule=f'next_category = "{habit["category"]}"') if head else ""
    return Line(habit["category"], _in_days(habit["due"], as_of), f"{span}; {why}", url)


def _again(one: Suggested, found: NextForOne) -> Line:
    count = one.row["count"]
    why = ngettext("bought %(count)s time, last on %(last)s", "bought %(count)s times, last on %(last)s", count) % {
        "count": formats.number(count),
        "last": formats.day(one.row["last"]),
    }
    if one.row["gap"] > 0:
        why += ", " + _("%(every)s on average") % {"every": formats.every(max(round(one.row["gap"]), 1))}
    return Line(one.name, formats.share(one.row["chance"], 0), why)


def _upsell(one: Upsell, *, head: bool) -> Line:
    """Which tier is bought, how likely a higher one is next, and what stands behind it."""
    usual = _("buys the low price tier") if one["usual"] == "low" else _("buys the middle price tier")
    chance = formats.share(one["chance"], 0)
    next_up = (
        _("%(chance)s chance that the next purchase is of the high tier")
        if one["top"]
        else _("%(chance)s chance that the next purchase is of a higher tier")
    ) % {"chance": chance}
    span = _("%(low)s to %(high)s") % {"low": formats.share(one["low"], 0), "high": formats.share(one["high"], 0)}
    tried = (
        ngettext(
            "took a higher tier on %(above)s of %(days)s purchase day",
            "took a higher tier on %(above)s of %(days)s purchase days",
            one["days"],
        )
        if one["above"]
        else ngettext(
            "never took a higher tier on %(days)s purchase day",
            "never took a higher tier on %(days)s purchase days",
            one["days"],
        )
    ) % {"above": formats.number(one["above"]), "days": formats.number(one["days"])}
    why = f"{usual}; {next_up} ({span}); {tried}"
    if one["rising"]:
        why += ", " + _("lately more often")
    # The list is of those whom trading up in the same category would bring most.
    url = customers_where(rule=f"upsell_category = {quoted(one['category'][:120])}") if head else ""
    return Line(one["category"], "+" + formats.money(one["gain"]), why, url)


def _new(one: Suggested) -> Line:
    why = (
        _("sells well now, and this customer buys %(category)s") % {"category": one.row["kind"]}
        if one.row["kind"]
        else _("sells well now to customers like this one")
    )
    return Line(one.name, formats.share(one.row["chance"], 1), why)
