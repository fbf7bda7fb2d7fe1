"""Charts as PNG, for slides and mails: the same drawing in the light colours, with its title, on white."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from rondo.web.charts.axes import dressed
from rondo.web.charts.chart import Chart
from rondo.web.charts.svg import specification

SCALE = 2.0
"""Pixels per unit of the drawing: sharp on a slide."""
_TOKENS = Path(__file__).parent.parent / "static" / "rondo" / "tokens.css"
_USED = re.compile(r"var\(--([\w-]+)\)")


@lru_cache(maxsize=1)
def light_colours() -> dict[str, str]:
    """The tokens that are colours, as they are in the light."""
    text = _TOKENS.read_text(encoding="utf-8")
    found = {name: light or plain for name, light, plain in
             re.findall(r"--([\w-]+): (?:light-dark\((#\w+),[^;]*\)|(#\w+));", text)}  # fmt: skip
    for name, other in re.findall(r"--([\w-]+): var\(--([\w-]+)\);", text):
        if other in found:
            found[name] = found[other]
    return found


def png(chart: Chart) -> bytes:
    """The drawing for a desk as PNG."""
    import vl_convert

    drawn = dressed(chart.build(chart.desk), chart.desk).properties(
        background="#ffffff", padding=16, title={"text": chart.title, "anchor": "start", "fontSize": 15, "offset": 12}
    )
    return bytes(vl_convert.vegalite_to_png(coloured(specification(drawn)), scale=SCALE))


def coloured(value: Any) -> Any:
    """The same drawing (as text, or as Vega's specification) with each variable of the stylesheet as the colour it
    stands for."""
    if isinstance(value, str):
        return _USED.sub(lambda found: light_colours()[found.group(1)], value)
    if isinstance(value, dict):
        return {key: coloured(item) for key, item in value.items()}
    if isinstance(value, list):
        return [coloured(item) for item in value]
    return value
