"""Altair, imported by the first drawing: pages whose drawings are kept already start and answer without it.

What a drawing is made of follows from the program, so that Altair need not hold each of its parts against the schema of
Vega-Lite, which takes as long as all else that it does. The tests hold every drawing as a whole
(:func:`rondo.web.charts.svg.specification`).
"""

from typing import Any


def __getattr__(name: str) -> Any:
    import altair
    from altair.utils import schemapi

    schemapi.disable_debug_mode()
    return getattr(altair, name)
