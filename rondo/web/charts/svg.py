"""From an Altair chart to SVG that may stand in a page: no inline style, colours by token, marks that speak.

A mark speaks through its ``description`` channel (see :func:`spoken`). Vega writes it as ``aria-label``; such marks
become stops of the keyboard here, and links where they name an address.
"""

import re
from typing import Any
from xml.etree import ElementTree

from django.utils.safestring import SafeString, mark_safe

_LINK = "␟"
_SVG = "{http://www.w3.org/2000/svg}"
_DROPPED = {"aria-roledescription", "font-family", "pointer-events"}
_DECORATION = re.compile(r"background|foreground")


held = False
"""Whether drawings are held against the schema of Vega-Lite before they are drawn, as the tests do."""


def specification(chart: Any) -> dict[str, Any]:
    """The chart as Vega-Lite reads it."""
    found: dict[str, Any] = chart.to_dict(validate=held)
    return found


def spoken(label: str, url: str = "") -> str:
    """What a mark says, and where a click on it leads: the value of its ``description`` channel."""
    return f"{label}{_LINK}{url}" if url else label


def draw(chart: Any, title: str) -> SafeString:
    """The chart as an ``<svg>`` element that scales with its column; ``title`` is its accessible name."""
    import vl_convert

    text = vl_convert.vegalite_to_svg(specification(chart))
    root = ElementTree.fromstring(text)
    parents = {child: parent for parent in root.iter() for child in parent}
    for element in list(root.iter()):
        _clean(element, parents)
    stops = [element for element in root.iter() if element.get("data-stop") is not None]
    for position, element in enumerate(stops):
        element.set("tabindex", "0" if position == 0 else "-1")
    width, height = root.attrib.pop("width"), root.attrib.pop("height")
    root.attrib.pop("version", None)
    root.set("class", "drawing")
    root.set("viewBox", f"0 0 {width} {height}")
    root.set("role", "group")
    root.set("aria-label", title)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
    return mark_safe(ElementTree.tostring(root, encoding="unicode"))


def _clean(element: ElementTree.Element, parents: dict[ElementTree.Element, ElementTree.Element]) -> None:
    """Drop what the page does not need, turn style into attributes, and make spoken marks stops of the keyboard."""
    parent = parents.get(element)
    if parent is not None and _DECORATION.fullmatch(element.get("class", "")):
        parent.remove(element)
        return
    for declaration in element.attrib.pop("style", "").split(";"):
        name, _colon, value = declaration.partition(":")
        if value:
            element.set(name.strip(), value.strip())
    for name in _DROPPED:
        element.attrib.pop(name, None)
    label = element.get("aria-label")
    role = element.attrib.pop("role", "")
    if label is None or role != "graphics-symbol" or parent is None:
        element.attrib.pop("aria-label", None)
        element.attrib.pop("class", None)
        return
    words, _separator, url = label.partition(_LINK)
    element.attrib |= {"aria-label": words, "role": "img", "class": "marked"}
    if not url:
        element.set("data-stop", "")
        return
    link = ElementTree.Element(_SVG + "a", {"href": url, "data-stop": ""})
    siblings = list(parent)
    parent.insert(siblings.index(element), link)
    parent.remove(element)
    link.append(element)
    parents[element], parents[link] = link, parent
