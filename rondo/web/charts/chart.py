"""What a chart is: a message, two drawings (wide and narrow), and the table that proves it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from rondo.web import formats
from rondo.web.charts import kept as files
from rondo.web.charts.axes import dressed
from rondo.web.charts.svg import draw
from rondo.web.csv_files import csv_file

_KEPT_SECONDS = 24 * 3600
Size = tuple[int, int]


@dataclass(frozen=True)
class Cell:
    """A value of the table: as people read it, as programs read it, and where it leads."""

    text: str
    raw: object
    url: str = ""


@dataclass(frozen=True)
class Column:
    """A column of the table; figures stand to the right."""

    label: str
    figures: bool = True


def headings(*labels: str) -> list[Column]:
    """Columns of figures with these headings."""
    return [Column(label) for label in labels]


@dataclass(frozen=True)
class Chart:
    """One chart with one message.

    ``build(size)`` makes the Altair chart of a plot ``size`` (pixels); it is called only when the drawing is not kept
    already. ``stamp`` says which data it shows (analysis run and scope): same key, stamp and language, same drawing.
    ``csv`` is the address of its table as CSV where that is not the one of the analysis' charts. A ``fleeting`` one, of
    a single customer, is kept in the process alone.
    """

    key: str
    title: str
    message: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    build: Callable[[Size], Any]
    stamp: str
    desk: Size = (680, 260)
    phone: Size = (290, 220)
    csv: str = ""
    fleeting: bool = False

    @property
    def csv_url(self) -> str:
        """Where the table is to be had as CSV: ``csv``, or for a chart of the analysis the address by its key."""
        return self.csv or reverse("chart-csv", args=[self.key])

    @property
    def png_url(self) -> str:
        """Where the drawing is to be had as PNG."""
        return f"{self.csv_url}{'&' if '?' in self.csv_url else '?'}as=png"

    @property
    def one_size(self) -> bool:
        """Whether one drawing serves desk and phone alike."""
        return self.desk == self.phone

    @property
    def wide(self) -> SafeString:
        """The drawing for a desk."""
        return self._drawn("desk", self.desk)

    @property
    def narrow(self) -> SafeString:
        """The drawing for a phone."""
        return self._drawn("phone", self.phone)

    @property
    def lines(self) -> list[list[tuple[Column, Cell]]]:
        """Rows of the table with the column of each cell."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]

    def draw_ahead(self) -> None:
        """Draw its sizes in the language in force, for the processes that will show them."""
        self._drawn("desk", self.desk)
        if not self.one_size:
            self._drawn("phone", self.phone)

    def _drawn(self, place: str, size: Size) -> SafeString:
        # Within a run, too, a viewer's figures change when customers change hands, and where they lead with a version:
        # the table is part of the key, with the links that the drawing bears.
        table = hashlib.sha256(repr([[(cell.text, cell.raw, cell.url) for cell in row] for row in self.rows]).encode())
        key = f"chart:{self.key}:{self.stamp}:{table.hexdigest()[:20]}:{formats.language()}:{place}"
        found: SafeString | None = cache.get(key)
        if found is None:
            found = None if self.fleeting else files.find(key)
            if found is None:
                found = draw(dressed(self.build(size), size), self.title)
                if not self.fleeting:
                    files.keep(key, found)
            cache.set(key, found, _KEPT_SECONDS)
        return found


def written(of: str, data: object, chart: Callable[[], Chart | None]) -> SafeString | None:
    """A chart as pages have it, with the table of many rows that most never open: kept in the process for the same
    ``data``, of which it is made and nothing else, so that neither is put together again. ``of`` is its key and stamp;
    None where there is no chart."""
    made = hashlib.sha256(repr(data).encode()).hexdigest()
    key = f"written:{of}:{made}:{formats.language()}"
    found: SafeString | None = cache.get(key)
    if found is None and (drawn := chart()) is not None:
        found = render_to_string("shell/chart.html", {"chart": drawn})
        cache.set(key, found, _KEPT_SECONDS)
    return found


def chart_file(request: HttpRequest, chart: Chart, name: str) -> HttpResponse:
    """``chart`` as the file ``name``: its table as CSV, or its drawing where the address asks for it ``?as=png``.

    In the CSV figures are whole and the words those of the table (:func:`rondo.web.csv_files.csv_file`).
    """
    if request.GET.get("as") == "png":
        from rondo.web.charts.pictures import png

        response = HttpResponse(png(chart), content_type="image/png")
        response["Content-Disposition"] = f'attachment; filename="{name}.png"'
        return response
    return csv_file(
        name, [column.label for column in chart.columns], [[cell.raw for cell in row] for row in chart.rows]
    )
