"""Tables as CSV files: what people open in spreadsheets, and programs read."""

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from rondo.foundation.spreadsheets import harmless


def csv_file(name: str, head: Sequence[object], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A table as the file ``name``.csv, its heading first.

    Figures have a point, days are written 2017-12-31, amounts are in major units, and no text is a formula. The file
    begins with a byte order mark, without which spreadsheets misread what is not plain English.
    """
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(response)
    writer.writerow([harmless(str(text)) for text in head])
    writer.writerows([[harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows])
    return response
