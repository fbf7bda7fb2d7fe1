"""Scales, axes and the look every chart shares; labels are written in Python and follow the viewer's locale."""

import json
from collections.abc import Callable, Mapping, Sequence
from math import floor, log10
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt
else:
    from rondo.web.charts import grammar as alt


INK, ON_FILL = "var(--chart-ink)", "var(--ink-on-fill)"
MUTED, GRID = "var(--chart-axis)", "var(--chart-grid)"
ACTUAL, COMPARED, QUIET, BAND = "var(--chart-1)", "var(--chart-2)", "var(--chart-3)", "var(--chart-band)"
HEAT = tuple(f"var(--heat-{step})" for step in range(6))


def plot(rows: Sequence[Mapping[str, Any]]) -> Any:
    """A chart of these rows, without marks yet."""
    # Altair copies lists with every layer that a chart gets, and leaves tuples as they are.
    return alt.Chart(alt.InlineData(values=tuple(dict(row) for row in rows)))


def ticks(top: float, wanted: int = 4) -> list[float]:
    """Round values from 0 to at least ``top``, about ``wanted`` steps of 1, 2, 2.5 or 5 times a power of ten."""
    if top <= 0:
        return [0.0, 1.0]
    raw = top / wanted
    power = 10.0 ** floor(log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    found = [0.0]
    while found[-1] < top * 0.999:
        found.append(round(found[-1] + step, 10))
    return found


def axis(values: Sequence[float], labels: Sequence[str], **options: Any) -> "alt.Axis":
    """An axis with exactly these labels at these values."""
    written = f"{json.dumps(list(labels))}[indexof({json.dumps(list(values))}, datum.value)]"
    return alt.Axis(values=list(values), labelExpr=written, title=None, **options)


def upright(field: str, top: float, write: Callable[[float], str], wanted: int = 4, **options: Any) -> "alt.Y":
    """A vertical scale from zero to a round value at or above ``top``; ``write`` makes its labels."""
    values = ticks(top, wanted)
    return alt.Y(
        f"{field}:Q",
        scale=alt.Scale(domain=[0, values[-1]], nice=False),
        axis=axis(values, [write(value) for value in values], grid=True, ticks=False, domain=False, labelPadding=8),
        **options,
    )


def dressed(chart: Any, size: tuple[int, int]) -> Any:
    """The chart at a size, in the one look: hairlines, tokens, no frame."""
    return (
        chart.properties(width=size[0], height=size[1], background="transparent", padding=2)
        .configure_view(stroke=None)
        .configure_axis(
            aria=False,
            gridColor=GRID,
            domainColor=GRID,
            tickColor=GRID,
            labelColor=MUTED,
            labelFontSize=12,
            labelLimit=160,
            grid=False,
        )
        .configure_axisX(labelPadding=6, ticks=False, labelAngle=0, labelOverlap=False)
        .configure_text(fontSize=12, color=INK)
    )
