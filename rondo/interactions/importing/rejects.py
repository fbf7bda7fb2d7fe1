"""The reject file: every row that did not go in, with line, column, value and reason, and the row as it was."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from rondo.foundation.spreadsheets import harmless
from rondo.interactions.importing.reading import Reader

HEADER = ("line", "column", "value", "reason")


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: what could be one gets an apostrophe in front, numbers stay."""
    text = text.replace("\x00", "\\0")
    number = text.lstrip("+-").replace(",", "").replace(".", "", 1)
    if number.isdecimal() and text[0] in "+-":
        return text
    return harmless(text)


def write_rejects(reader: Reader, mapping: dict[str, str], staging: Any, stem: str) -> Path | None:
    """Write the table ``rejected`` to ``RONDO_HOME/rejects/<stem>.csv``; None if nothing was refused.

    The columns of the file stand behind the four of the reason, so that the mended reject file can be imported as it
    is.
    """
    table = staging.sql(
        "SELECT line, any_value(field) AS field, any_value(value) AS value, any_value(reason) AS reason "
        "FROM rejected GROUP BY line ORDER BY line"
    ).to_arrow_table()
    if len(table) == 0:
        return None
    folder = Path(settings.RONDO_HOME) / "rejects"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.csv"
    made = path.with_suffix(".part")
    lines = np.asarray(table["line"])
    reasons = {row["line"]: row for row in table.to_pylist()}
    ragged = dict(reader.ragged)

    def start(line: int) -> list[str]:
        row = reasons[line]
        column = mapping.get(row["field"], row["field"]) if row["field"] else ""
        return [str(line), *(safe_cell(cell or "") for cell in (column, row["value"], row["reason"]))]

    with made.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names = [f"row_{name}" if name in HEADER else name for name in reader.columns]
        writer.writerow([*HEADER, *map(safe_cell, names)])
        for line, text in sorted(ragged.items()):
            writer.writerow([*start(line), safe_cell(text)])
        for line, cells in reader.rows_at(lines):
            writer.writerow([*start(line), *map(safe_cell, cells)])
    made.replace(path)
    return path
