"""Sets a report as PDF: data in, bytes out. The typesetter is Typst, in this process, without a file or a network."""

import json
import logging
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from rondo.web.charts.pictures import light_colours
from rondo.web.reports.drawings import FONT

log = logging.getLogger("rondo.reports")

_LAYOUT = Path(__file__).parent / "report.typ"
FONTS = (FONT, "Libertinus Serif", "DejaVu Sans")
"""In this order; a sign that none of them has is taken from any font of the machine."""


@lru_cache(maxsize=1)
def _fonts() -> Any:
    """The fonts, looked for once in a process."""
    import typst

    return typst.Fonts(font_paths=[str(files("font_source_sans_pro") / "files")])


def set_pdf(report: dict[str, Any]) -> bytes:
    """The report as PDF with tags, outline and language: PDF/UA-1, unless a sign of it is in no font."""
    from typst import TypstError

    data = json.dumps({**report, "fonts": FONTS, "colours": light_colours()}, ensure_ascii=False)
    try:
        return _compiled(data, "ua-1")
    except TypstError as error:
        log.info("A report is set without the claim of PDF/UA-1: %s", error)
        return _compiled(data, "1.7")


def _compiled(data: str, standard: 'Literal["ua-1", "1.7"]') -> bytes:
    import typst

    return typst.compile(
        _LAYOUT.read_bytes(), sys_inputs={"report": data}, font_paths=_fonts(), pdf_standards=[standard]
    )
