"""The chart of a campaign's page: reactions by day, and when half of them had come."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.campaigns.models import Campaign
from rondo.campaigns.queries import ReactionDay
from rondo.web import formats
from rondo.web.charts.axes import ACTUAL, axis, plot, upright
from rondo.web.charts.calibration import promised_and_come
from rondo.web.charts.chart import Cell, Chart, Column, Size, headings
from rondo.web.charts.svg import spoken
from rondo.web.sentences import linked, sentence

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt

_TICKS = {True: 7, False: 4}
_NARROW = 400


def reactions(campaign: Campaign, days: Sequence[ReactionDay], stamp: str) -> Chart | None:
    """Reactions on each day of the campaign's window (and beyond, where there are any); None without any."""
    if not days:
        return None
    first = min(campaign.starts_on, days[0].day)
    last = max(campaign.ends_on, days[-1].day)
    columns = [Column(_("Day"), figures=False), Column(_("Reactions"))]
    page = reverse("campaign", args=[campaign.public_id])
    urls = {d.day: f"{page}?day={d.day}#who" for d in days}
    rows = [
        [Cell(formats.day(d.day), d.day.isoformat()), Cell(formats.number(d.reactions), d.reactions, urls[d.day])]
        for d in days
    ]
    return Chart(
        key=f"campaign-{campaign.pk}",
        title=_("Reactions by day"),
        message=_message(campaign, days, f"{page}?show=answered#who"),
        columns=columns,
        rows=rows,
        build=lambda size: _drawing(days, urls, first, last, size),
        stamp=stamp,
        desk=(1096, 200),
        phone=(290, 160),
        csv=reverse("campaign-reactions", args=[campaign.public_id]),
    )


def calibration(bins: Sequence[dict[str, Any]], csv: str, stamp: str) -> Chart:
    """The share that answered, with its interval, against the probability promised; one point per tenth of contacts."""

    def share(value: float) -> Cell:
        return Cell(formats.share(value), round(value, 4))

    rows = [
        [
            Cell(formats.number(one["customers"]), one["customers"]),
            share(one["expected"]),
            share(one["share"]),
            share(one["low"]),
            share(one["high"]),
        ]
        for one in bins
    ]

    def build(size: Size) -> Any:
        data: list[dict[str, Any]] = [
            dict(one)
            | {
                "says": spoken(
                    _("Promised %(expected)s, answered %(share)s (%(low)s to %(high)s)")
                    % {name: formats.share(one[name]) for name in ("expected", "share", "low", "high")}
                )
            }
            for one in bins
        ]
        return promised_and_come(data, lambda value: formats.share(value, 0))

    return Chart(
        key="calibration",
        title=_("Promised and answered"),
        message="",
        columns=headings(_("Contacts"), _("Promised"), _("Answered"), _("Low"), _("High")),
        rows=rows,
        build=build,
        stamp=stamp,
        desk=(560, 260),
        csv=csv,
    )


def _message(campaign: Campaign, days: Sequence[ReactionDay], url: str) -> str:
    total = sum(d.reactions for d in days)
    seen = 0
    for d in days:
        seen += d.reactions
        if 2 * seen >= total:
            after = (d.day - campaign.starts_on).days
            if after <= 0:
                return sentence(_("Half of the %(total)s reactions came on the first day."), total=linked(total, url))
            text = ngettext(
                "Half of the %(total)s reactions had come by %(day)s, %(count)s day after the start.",
                "Half of the %(total)s reactions had come by %(day)s, %(count)s days after the start.",
                after,
            )
            return sentence(
                text, total=linked(total, url), day=formats.day(d.day, year=False), count=formats.number(after)
            )
    return ""


def _drawing(days: Sequence[ReactionDay], urls: Mapping[date, str], first: date, last: date, size: Size) -> Any:
    start, end = first.toordinal(), last.toordinal()
    values = [
        {
            "from": d.day.toordinal() - 0.42,
            "to": d.day.toordinal() + 0.42,
            "n": d.reactions,
            "zero": 0,
            "says": spoken(
                ngettext("%(day)s: %(count)s reaction", "%(day)s: %(count)s reactions", d.reactions)
                % {"day": formats.day(d.day), "count": formats.number(d.reactions)},
                urls[d.day],
            ),
        }
        for d in days
    ]
    marks = _marks(start, end, _TICKS[size[0] > _NARROW])
    x = alt.X(
        "from:Q",
        scale=alt.Scale(domain=[start - 0.5, end + 0.5], nice=False),
        axis=axis(marks, [formats.day(date.fromordinal(int(mark)), year=False) for mark in marks]),
    )
    top = max(d.reactions for d in days)
    return (
        plot(values)
        .mark_rect(color=ACTUAL)
        .encode(
            x=x,
            x2=alt.X2("to:Q"),
            y=upright(
                "n", top, lambda value: formats.number(value, 0 if value == int(value) else 1), wanted=min(top, 4)
            ),
            y2=alt.Y2("zero:Q"),
            description=alt.Description("says:N"),
        )
    )


def _marks(start: int, end: int, wanted: int) -> list[float]:
    step = max(1, -(-(end - start) // wanted))
    return [float(day) for day in range(start, end + 1, step)]
