"""The drawings of a page for paper: in the light colours, with the fonts of the report, and a width in points."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

from rondo.web.charts.pictures import coloured, light_colours
from rondo.web.reports.tree import Element

POINTS = 0.6
"""Points on paper per pixel on the screen: a chart drawn for a desk fills the width of an A4 page."""
FONT = "Source Sans Pro"

_BOX = re.compile(r'viewBox="([-\d.]+) ([-\d.]+) ([-\d.]+) ([-\d.]+)"')
_NAMESPACE = "http://www.w3.org/2000/svg"
_BAR_COLOURS = {"good": "good", "warn": "warn", "risk": "risk", "rail": "surface-3"}


@dataclass(frozen=True)
class Drawing:
    """An SVG that stands by itself, what it says to who cannot see it, and how wide it is, in points."""

    svg: str
    alt: str
    width: float


def colour(name: str) -> str:
    """A token's light colour as #rrggbb; that of quiet ink for a token that is none."""
    known = light_colours()
    return known.get(name, known["ink-3"])


def on_paper(element: Element, alt: str = "") -> Drawing | None:
    """A chart, a sparkline or another drawing that says something; None for an icon or one without a size."""
    box = _BOX.search(element.drawing)
    said = alt or element.get("aria-label")
    if box is None or not said or element.get("aria-hidden") == "true":
        return None
    width, height = box.group(3), box.group(4)
    opening, rest = element.drawing.split(">", 1)
    for name in ("width", "height", "class", "role", "aria-label", "focusable", "data-number"):
        opening = re.sub(rf'\s{name}="[^"]*"', "", opening)
    if "sparkline" in element.classes:
        rest = rest.replace("<polyline", '<polyline stroke="var(--chart-1)" stroke-width="1.5"')
    head = f'<svg xmlns="{_NAMESPACE}" width="{width}" height="{height}" font-family="{FONT}"'
    text = coloured(f"{head}{opening.removeprefix('<svg')}>{rest}").replace("currentColor", colour("ink-1"))
    return Drawing(text, said, float(width) * POINTS)


def bar(element: Element) -> list[tuple[float, float, str]]:
    """The parts of a bar of a whole: where each begins and how long it is, in per cent of the width, and its colour."""
    if not element.drawing or not {"parts", "rung-bar"} & element.classes:
        return []
    found = []
    for rect in ElementTree.fromstring(element.drawing).iter():
        if rect.tag.rpartition("}")[2] == "rect":
            classes = rect.get("class", "").split()
            tone = next((_BAR_COLOURS[name] for name in classes if name in _BAR_COLOURS), "")
            tone = tone or ("chart-1" if "rung-bar" in element.classes else "ink-3")
            found.append((float(rect.get("x", "0")), float(rect.get("width", "0")), colour(tone)))
    return found
