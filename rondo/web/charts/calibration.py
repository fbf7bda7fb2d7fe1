"""What was promised beside what came: a point with its interval for each part, and the line on which all should lie."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from rondo.web.charts.axes import ACTUAL, MUTED, axis, plot, ticks, upright

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt


def promised_and_come(data: Iterable[dict[str, Any]], write: Callable[[float], str]) -> Any:
    """The drawing. Each row has ``expected``, ``share``, ``low``, ``high`` (0 to 1) and what it ``says``; ``write``
    gives the text of a mark of both axes."""
    rows = list(data)
    top = max(max(row["high"], row["expected"]) for row in rows)
    marks = ticks(top, 4)
    scale = alt.Scale(domain=[0, marks[-1]], nice=False)
    x = alt.X("expected:Q", scale=scale, axis=axis(marks, [write(mark) for mark in marks], domain=True))
    y = upright("share", top, write)
    ends: list[dict[str, Any]] = [{"expected": 0, "share": 0}, {"expected": marks[-1], "share": marks[-1]}]
    named = plot([ends[1] | {"text": _("as promised")}])
    return alt.layer(
        plot(ends).mark_line(aria=False, color=MUTED, strokeDash=[4, 4], strokeWidth=1).encode(x=x, y=y),
        plot(rows)
        .mark_rule(aria=False, color=ACTUAL, strokeWidth=2)
        .encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q")),
        plot(rows)
        .mark_circle(color=ACTUAL, size=70, opacity=1)
        .encode(x=x, y=y, description=alt.Description("says:N")),
        named.mark_text(aria=False, align="right", dx=-64, dy=8, color=MUTED).encode(x=x, y=y, text=alt.Text("text:N")),
    )
