"""What a test asks of a chart in a page: its table, its CSV, its PNG, and the customers behind its numbers."""

import csv
import re
import zlib
from dataclasses import dataclass
from html import unescape
from io import StringIO

import numpy as np
from django.test import Client

FIGURE = re.compile(r'<figure class="chart[^"]*" id="chart-([^"]+)">(.*?)</figure>', re.DOTALL)
DRAWING = re.compile(r'<svg[^>]*class="drawing"')
_ROW = re.compile(r"<tr>(.*?)</tr>", re.DOTALL)
_CELL = re.compile(r"<t[hd]([^>]*)>(.*?)</t[hd]>", re.DOTALL)
_LINK = re.compile(r'<a href="([^"]+)">')
_FIGURE = re.compile(r"[-−]?[\d,]+(\.\d+)?")
_OPENS = re.compile(r'<a[^>]* href="((?:/customers/\?(?:f|rule)=|/campaigns/)[^"]+)"[^>]*>(.*?)</a>', re.DOTALL)
_TOLD = re.compile(r'<span class="num(?: strong)?">([\d,]+)</span>')
_TOLD_OF = re.compile(r"\bof ([\d,]+) now$")
_TOLD_ALONE = re.compile(r"(?:See (?:this|these) )?([\d,]+)(?: customers?)?")
_MARK = re.compile(r'<a[^>]* href="(/(?:customers/|campaigns/\w+/)\?[^"]+)"([^>]*>\s*<[^>]*>)')
_LINKED = re.compile(r"<(a|code|table|option|svg|script|style|select)\b.*?</\1>", re.DOTALL)
_BLOCK = re.compile(r"</?(?:p|h[1-6]|li|dt|dd|section|div|nav|form|summary|header|ul)\b[^>]*>")
_PEOPLE = re.compile(
    r"\b\d[\d,]*(?: of \d[\d,]*)? (?:other )?(?:customer|household|buyer|member|relationship|lead)s?\b"
)
_ROWS = re.compile(r'<tr>\s*<th scope="row"><a class="plain" href="/customers/')
_REACTIONS = re.compile(r'<td class="num(?: faint)?">(\d+)</td>')
_TITLE_PIXELS = 100
"""Rows of a PNG that the title fills: what is drawn stands below."""
_BLANK = 10
"""Different lines of a picture of one colour, at most: one for each way of writing it, first and later."""


@dataclass(frozen=True)
class Cell:
    """A cell of the table: what it says, whether it is a figure, and where it leads."""

    text: str
    is_figure: bool
    url: str


@dataclass(frozen=True)
class Shown:
    """A chart as its page shows it."""

    key: str
    csv_url: str
    png_url: str
    drawing: str
    rows: list[list[Cell]]

    @property
    def head(self) -> list[str]:
        """The headings of the table."""
        return [cell.text for cell in self.rows[0]]


def words(html: str) -> str:
    """What a piece of a page says."""
    return " ".join(unescape(re.sub("<[^>]+>", "", html)).split())


def charts_of(body: str) -> list[Shown]:
    """The charts of a page or a fragment; a drawing that stands in none of them is none that anybody can check."""
    found = [_shown(key, inner) for key, inner in FIGURE.findall(body)]
    assert not DRAWING.search(FIGURE.sub("", body)), "a drawing without table, CSV and PNG"
    return found


def _shown(key: str, inner: str) -> Shown:
    addresses = [unescape(address) for address in re.findall(r'href="([^"]+)" download', inner)]
    assert len(addresses) == 2, f"{key}: CSV and PNG are needed"
    rows = [
        [Cell(words(cell), 'class="num"' in kind, _url(cell)) for kind, cell in _CELL.findall(row)]
        for row in _ROW.findall(inner)
    ]
    csv_url, png_url = addresses
    return Shown(key, csv_url, png_url, inner.partition('<div class="chart-table')[0], rows)


def _url(cell: str) -> str:
    found = _LINK.search(cell)
    return unescape(found[1]) if found else ""


def opened(html: str) -> list[tuple[str, int]]:
    """The lists of customers that links of a piece of a page open, each with the number of customers that it tells."""
    found = []
    for address, said in _OPENS.findall(html):
        number = _TOLD_OF.search(words(said)) or _TOLD.search(said) or _TOLD_ALONE.fullmatch(words(said))
        if number:
            found.append((unescape(address), int(number[1].replace(",", ""))))
    return found


def unopened(html: str) -> set[str]:
    """The sentences of a page that number customers and open none of them, with # for each number."""
    found = set()
    for block in _BLOCK.split(_LINKED.sub("", html[html.find("<main") :])):
        said = words(block)
        if _PEOPLE.search(said):
            found.add(re.sub(r"\d[\d,.]*", "#", said))
    return found


def of_campaigns(client: Client, address: str) -> set[int]:
    """What a number that opens a list of contacts may count: the contacts of all its pages, or their reactions."""
    rows, reactions, path = 0, 0, re.sub(r"[?#].*", "", address)
    while address:
        table = client.get(address.partition("#")[0]).content.decode().partition('id="who"')[2]
        rows += len(_ROWS.findall(table))
        reactions += sum(int(number) for number in _REACTIONS.findall(table))
        following = re.search(r'href="([^"]+)" rel="next"', table)
        address = path + unescape(following[1]) if following else ""
    return {rows, reactions}


def told_by(drawing: str) -> list[tuple[str, int]]:
    """The same of the marks of a drawing."""
    return [
        (unescape(address), int(number[1].replace(",", "")))
        for address, rest in _MARK.findall(drawing)
        if (number := re.search(r"([\d,]+) (?:customer|reaction)s?", rest))
    ]


def assert_whole(client: Client, shown: Shown) -> None:
    """The table has rows, the CSV has the same, and the PNG shows something."""
    assert DRAWING.search(shown.drawing), f"{shown.key}: a drawing"
    assert len(shown.rows) > 1, f"{shown.key}: a table with rows"
    answer = client.get(shown.csv_url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8"), shown.csv_url
    assert answer["Content-Disposition"].endswith('.csv"'), shown.csv_url
    written = list(csv.reader(StringIO(answer.content.decode("utf-8-sig"))))
    assert written[0] == shown.head, shown.key
    assert len(written) == len(shown.rows), shown.key
    for told, row in zip(written[1:], shown.rows[1:], strict=True):
        for raw, cell in zip(told, row, strict=True):
            assert _agree(raw, cell), f"{shown.key}: {cell.text} in the table, {raw} in the CSV"
    picture = client.get(shown.png_url)
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/png"), shown.png_url
    assert_drawn(picture.content)


def _agree(raw: str, cell: Cell) -> bool:
    """Whether a figure is the same in both, as far as the table rounds it; words are only asked to be there in both."""
    share = cell.text.endswith("%")
    text = re.sub(r"^([-−]?)[€$]", r"\1", cell.text).removesuffix("%").strip()
    found = _FIGURE.fullmatch(text)
    if not cell.is_figure or found is None:
        return bool(raw) == bool(cell.text.strip("–"))
    value = float(text.replace(",", "").replace("−", "-"))
    half = 0.5000001 * 10.0 ** -max(len(found[1] or ".") - 1, 0)
    return abs(float(raw) * (100 if share else 1) - value) <= half


def assert_drawn(png: bytes) -> None:
    """A PNG that can be decoded, and shows something below its title."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, packed, size = 8, b"", (0, 0)
    while place < len(png):
        length, kind = int.from_bytes(png[place : place + 4]), png[place + 4 : place + 8]
        data = png[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + data) == int.from_bytes(png[place + 8 + length : place + 12 + length]), kind
        if kind == b"IHDR":
            size = int.from_bytes(data[:4]), int.from_bytes(data[4:8])
            assert data[8:10] == b"\x08\x06", "eight bits of red, green, blue and opacity"
        packed += data if kind == b"IDAT" else b""
        place += 12 + length
    width, height = size
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + 4 * width)
    assert height > _TITLE_PIXELS
    assert len({line.tobytes() for line in lines[_TITLE_PIXELS:]}) > _BLANK, "nothing is drawn"
