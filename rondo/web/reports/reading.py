"""What a page says, read from its HTML into blocks that a report is set from, without what one clicks or types into.

A *block* is a mapping with a ``kind``; a *run* is a piece of text with its marks. Both are JSON, since the layout
(``report.typ``) takes them as data: no word of a page is ever read as a command of the typesetter.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urljoin

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rondo.web import formats
from rondo.web.reports.drawings import bar, colour, on_paper
from rondo.web.reports.tables import broken, sized
from rondo.web.reports.tree import Element

Run = dict[str, Any]
Block = dict[str, Any]

SHORT_TABLE = 14
"""The table of a chart is set below it up to so many rows; a longer one is to be had as CSV."""
SHORT_COLUMNS = 9

_LEFT_OUT = frozenset({"form", "button", "nav", "dialog", "input", "select", "textarea", "script", "style", "template"})
_LEFT_OUT_CSS = frozenset(
    {"visually-hidden", "chart-tools", "no-print", "list-search", "selected", "for-phone", "button", "skip", "pick",
     "composer", "go", "crumbs", "kind-chips", "page-tools", "mark", "earlier", "more-row", "customer-tabs"}
)  # fmt: skip
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "br", "cite", "code", "em", "i", "kbd", "label", "q", "s", "small", "span", "strong",
     "sub", "sup", "svg", "time", "u", "var", "wbr"}
)  # fmt: skip
_MAIN_PART = frozenset("grow truncate".split())
_TONES = ("good", "warn", "risk", "accent")
_STAGES = frozenset(
    {"socialisation", "growth", "maturity", "endangered", "decline", "termination", "abstinence", "revitalisation"}
)


def left_out(element: Element) -> bool:
    """Whether an element is no part of the report: controls, what is hidden, what is for the screen alone."""
    if element.tag in _LEFT_OUT or element.classes & _LEFT_OUT_CSS or "popover" in element.attributes:
        return True
    return "hidden" in element.attributes and "chart-table" not in element.classes


class Reader:
    """Reads one page; ``address`` is its own, against which its links are resolved."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.headed = False

    def blocks(self, element: Element) -> list[Block]:
        """The blocks of what is within ``element``."""
        found: list[Block] = []
        loose: list[Element | str] = []

        def flush() -> None:
            runs = self.joined(loose, gaps=bool({"row", "stack"} & element.classes))
            loose.clear()
            if runs:
                found.append({"kind": "text", "runs": runs, **_tone(element.classes)})

        for child in _chain_last(element.children):
            if isinstance(child, str) or (child.tag in _INLINE and not self._holds_blocks(child) and not bar(child)):
                loose.append(child)
                continue
            flush()
            found += self._block(child)
        flush()
        return found

    def _holds_blocks(self, element: Element) -> bool:
        return any(inner.tag not in _INLINE or "segmented" in inner.classes for inner in element.walk())

    def _block(self, element: Element) -> list[Block]:
        if element.tag == "nav" and "tabs" in element.classes and self.headed:
            return self._chosen(element)
        if "segmented" in element.classes:
            return self._chosen(element)
        if "list-tools" in element.classes:
            return self._filters(element)
        if element.tag == "svg":
            return self._svg(element)
        if left_out(element) or element.get("aria-hidden") == "true":
            return []
        reader = getattr(self, f"_{element.tag}", None)
        if element.tag in {"h1", "h2", "h3", "h4", "h5"}:
            return self._heading(element)
        if "notice" in element.classes:
            return self._notice(element)
        if "fact-list" in element.classes:
            return self._facts(element)
        if "column" in element.classes and element.first(css="timeline") is not None and element.get("aria-label"):
            runs = [{"text": element.get("aria-label")}]
            return [{"kind": "heading", "level": 2, "runs": runs}, *self.blocks(element)]
        if "card" in element.classes:
            return [{"kind": "card", "blocks": self.blocks(element)}]
        return reader(element) if reader is not None else self.blocks(element)

    # Blocks

    def _heading(self, element: Element) -> list[Block]:
        self.headed = True
        runs = self.joined(element.children)
        level = {"h1": 1, "h2": 2}.get(element.tag, 3)
        return [{"kind": "heading", "level": level, "runs": runs}] if runs else []

    def _p(self, element: Element) -> list[Block]:
        if any(part.get("rel") == "next" for part in element.walk()):
            return [
                {"kind": "text", "tone": "faint", "runs": [{"text": _("The list goes on; the page has all of it.")}]}
            ]
        runs = self.joined(element.children, gaps="row" in element.classes)
        return [{"kind": "text", "runs": runs, **_tone(element.classes)}] if runs else []

    def _address(self, element: Element) -> list[Block]:
        return self._p(element)

    def _pre(self, element: Element) -> list[Block]:
        text = "".join(element._texts()).strip()
        return [{"kind": "code", "text": broken(text)}] if text else []

    def _notice(self, element: Element) -> list[Block]:
        runs = self.joined(element.children, gaps=True)
        tone = next((tone for tone in _TONES if tone in element.classes), "")
        return [{"kind": "notice", "runs": runs, "tone": tone}] if runs else []

    def _ul(self, element: Element) -> list[Block]:
        if "timeline" in element.classes:
            return self._timeline(element)
        if "lines" in element.classes:
            rows = [self._line(item) for item in element.elements if item.tag == "li"]
            rows = [row for row in rows if row["left"] or row["right"]]
            return [{"kind": "lines", "rows": rows}] if rows else []
        items = [self.joined(item.children) for item in element.elements if item.tag == "li"]
        return [{"kind": "list", "items": items}] if any(items) else []

    _ol = _ul

    def _line(self, item: Element) -> dict[str, Any]:
        """A row of a list: what it is about on the left, its figures on the right."""
        holder, url = item, ""
        while len(holder.elements) == 1 and (holder.elements[0].tag == "a" or "line" in holder.elements[0].classes):
            holder = holder.elements[0]
            url = url or self.link(holder)
        parts = [part for part in holder.elements if part.tag not in {"svg"} and not left_out(part)]
        body = next((n for n, part in enumerate(parts) if part.classes & _MAIN_PART), None)
        if body is None or "".join(child for child in holder.children if isinstance(child, str)).strip():
            return {"left": _linked(self.joined(item.children), url), "right": [], "bar": []}
        bars = [bar(inner) for inner in holder.walk() if inner.tag == "svg"]
        left = self.joined(parts[: body + 1])
        right = [self.joined([part]) for part in parts[body + 1 :]]
        return {
            "left": _linked(left, url),
            "right": [runs for runs in right if runs],
            "bar": next((one for one in bars if one), []),
        }

    def _timeline(self, element: Element) -> list[Block]:
        rows: list[dict[str, Any]] = []
        day: list[Run] = []
        for item in element.elements:
            if left_out(item):
                continue
            if "day" in item.classes:
                day = self.joined(item.children)
            else:
                what, when = item.first(css="what"), item.first(css="when")
                rows.append(
                    {
                        "what": [
                            runs for part in (what.elements if what else []) if (runs := self.joined([part], flat=True))
                        ],
                        "when": self.joined(when.children) if when else [],
                        "day": day,
                    }
                )
                day = []
        return [{"kind": "timeline", "rows": rows}] if rows else []

    def _dl(self, element: Element) -> list[Block]:
        rows: list[tuple[list[Run], list[Run]]] = []
        for part in element.walk():
            if part.tag == "dt":
                rows.append((self.joined(part.children), []))
            elif part.tag == "dd" and rows:
                name, value = rows.pop()
                rows.append((name, value + ([{"br": True}] if value else []) + self.joined(part.children, flat=True)))
        return [{"kind": "pairs", "rows": [list(row) for row in rows]}] if rows else []

    def _facts(self, element: Element) -> list[Block]:
        """A list of facts each of which opens to its definition: names and values."""
        rows = []
        for fact in element.walk():
            name, value = fact.first(css="fact-label"), fact.first(css="fact-value")
            if "fact" in fact.classes and name is not None and value is not None:
                rows.append([self.joined(name.children), self.joined(value.children)])
        return [{"kind": "pairs", "rows": rows}] if rows else []

    def _details(self, element: Element) -> list[Block]:
        summary = next((child for child in element.elements if child.tag == "summary"), None)
        rest = Element("div", {}, [child for child in element.children if child is not summary])
        within = self.blocks(rest)
        if not within or summary is None:
            return within
        return [{"kind": "heading", "level": 3, "runs": self.joined(summary.children)}, *within]

    def _figure(self, element: Element) -> list[Block]:
        """A chart: its drawing, what stands below it, and its table where that is short."""
        table = element.first("table")
        drawn = element.first("svg", css="drawing")
        found: list[Block] = []
        picture = on_paper(drawn) if drawn is not None else None
        if picture is not None:
            found.append({"kind": "drawing", "svg": picture.svg, "alt": picture.alt, "width": picture.width})
        place = element.first(css="chart-drawing")
        for under in place.elements if place is not None else []:
            if under.tag == "p":
                found += self._p(under)
        if table is not None:
            read = next(iter(self._table(table)), None)
            if read is not None and len(read["rows"]) <= SHORT_TABLE and read["columns"] <= SHORT_COLUMNS:
                found.append(read)
            elif read is not None:
                found.append(self._elsewhere(element, len(read["rows"])))
        return found

    def _elsewhere(self, figure: Element, rows: int) -> Block:
        csv = next((part for part in figure.walk() if part.tag == "a" and part.text.startswith("CSV")), None)
        said = ngettext("The table behind it has %(rows)s row:", "The table behind it has %(rows)s rows:", rows)
        runs: list[Run] = [{"text": said % {"rows": formats.number(rows)} + " "}]
        runs.append({"text": "CSV", "link": self.link(csv) if csv is not None else ""})
        return {"kind": "text", "runs": runs, "tone": "faint"}

    def _table(self, element: Element) -> list[Block]:
        head: list[list[dict[str, Any]]] = []
        rows: list[list[dict[str, Any]]] = []
        for row in element.walk():
            if row.tag != "tr" or left_out(row):
                continue
            cells = [self._cell(cell) for cell in row.elements if cell.tag in {"td", "th"} and not left_out(cell)]
            is_head = not rows and bool(cells) and all(cell.tag == "th" for cell in row.elements)
            if is_head:  # it stands anew on every page that the table goes on to: nothing to click
                cells = [{**cell, "runs": [_unlinked(run) for run in cell["runs"]]} for cell in cells]
            (head if is_head else rows).append(cells)
        columns = max((sum(cell["span"] for cell in row) for row in [*head, *rows]), default=0)
        if not columns or not rows:
            return []
        return [sized({"kind": "table", "head": head, "rows": rows, "columns": columns})]

    def _cell(self, cell: Element) -> dict[str, Any]:
        span = cell.get("colspan")
        return {
            "runs": [{**run, "plain": True} for run in self.joined(cell.children, flat=True)],
            "right": bool(cell.classes & {"num", "right"}),
            "head": cell.tag == "th",
            "span": int(span) if span.isdecimal() and int(span) else 1,
        }

    def _svg(self, element: Element) -> list[Block]:
        parts = bar(element)
        return [{"kind": "bar", "parts": parts}] if parts else []

    def _chosen(self, element: Element) -> list[Block]:
        """Of a choice only what is chosen, with what it is a choice of."""
        chosen = next(
            (part for part in element.walk() if part.get("aria-current") or part.get("aria-pressed") == "true"), None
        )
        label = element.get("aria-label")
        if chosen is None or not label or not chosen.text:
            return []
        return [
            {"kind": "text", "tone": "faint", "runs": [{"text": f"{label}: "}, {"text": chosen.text, "strong": True}]}
        ]

    def _filters(self, element: Element) -> list[Block]:
        """The filters of a list, in words."""
        words = [part.text for part in element.walk() if part.classes >= {"chip", "filter"}]
        if not words:
            return []
        runs: list[Run] = [{"text": _("Filter") + ": "}]
        for word in words:
            runs += [{"text": word, "chip": "plain"}, {"gap": True}]
        return [{"kind": "text", "runs": runs, "tone": ""}]

    # Runs

    def link(self, element: Element) -> str:
        """Where a link leads, as a whole address; empty for one within the page."""
        target = element.get("href")
        if not target or target.startswith("#"):
            return ""
        found = urljoin(self.address, target)
        return found if found.startswith(("http://", "https://", "mailto:", "tel:")) else ""

    def joined(self, parts: "Iterable[Element | str]", *, gaps: bool = False, flat: bool = False) -> list[Run]:
        """The runs of these parts, with single blanks; ``gaps`` sets the parts apart, ``flat`` takes the text of blocks
        within too, each on a line of its own."""
        found: list[Run] = []
        for part in parts:
            more = list(self._runs(part, {}, flat))
            if more and gaps and found:
                found.append({"gap": True})
            found += more
        return _tidied(found)

    def _runs(self, part: "Element | str", marks: Mapping[str, Any], flat: bool) -> Iterable[Run]:
        if isinstance(part, str):
            yield {"text": part, **marks}
            return
        if "dot" in part.classes:
            yield {"dot": _dot(part.classes)}
            return
        if left_out(part):
            return
        if part.tag in {"br", "wbr"}:
            yield {"br": True} if part.tag == "br" else {"text": "\u200b"}
            return
        if part.tag == "svg":
            drawn = on_paper(part)
            if drawn is not None and not bar(part):
                yield {"svg": drawn.svg, "alt": drawn.alt, "width": drawn.width}
            return
        inner = {**marks, **self._marks(part)}
        if inner.get("chip") and not marks.get("chip"):
            yield {**inner, "text": part.text}
            return
        is_block = part.tag not in _INLINE
        if is_block and flat:
            yield {"br": True}
        for child in part.children:
            yield from self._runs(child, inner, flat)
        if is_block and flat:
            yield {"br": True}

    def _marks(self, part: Element) -> dict[str, Any]:
        marks: dict[str, Any] = {}
        classes = part.classes
        if part.tag in {"strong", "b"} or "strong" in classes:
            marks["strong"] = True
        if "small" in classes:
            marks["small"] = True
        if part.tag in {"code", "kbd"}:
            marks["mono"] = True
        if "chip" in classes:
            marks["chip"] = next((tone for tone in (*_TONES, "outline") if tone in classes), "plain")
        for quiet in ("muted", "faint", "interval", "pm"):
            if quiet in classes:
                marks["tone"] = "faint" if quiet == "faint" else "muted"
        for tone in _TONES:
            if tone in classes and "chip" not in classes:
                marks["tone"] = tone
        if part.tag == "a" and (url := self.link(part)):
            marks["link"] = url
            if classes & {"plain", "quiet"}:
                marks["plain"] = True
        return marks


def _chain_last(children: "list[Element | str]") -> "list[Element | str]":
    """Of columns side by side the one with the chain comes last on paper: it is long, and the figures are asked for."""
    chain = [child for child in children if isinstance(child, Element) and "column" in child.classes
             and child.first(css="timeline") is not None]  # fmt: skip
    return [*(child for child in children if child not in chain), *chain] if chain else children


def _tone(classes: frozenset[str]) -> dict[str, str]:
    if "lead" in classes or "card-lead" in classes:
        return {"tone": "lead"}
    if classes & {"faint", "small", "card-foot", "hint", "table-foot", "muted"}:
        return {"tone": "faint"}
    if "worth" in classes:
        return {"tone": "large"}
    return {"tone": ""}


def _dot(classes: frozenset[str]) -> str:
    stage = next((name for name in classes if name in _STAGES), "")
    tone = next((name for name in _TONES if name in classes), "")
    return colour(f"stage-{stage}" if stage else tone or "ink-3")


def _unlinked(run: Run) -> Run:
    return {name: mark for name, mark in run.items() if name != "link"}


def _linked(runs: list[Run], url: str) -> list[Run]:
    return [{**run, "link": url, "plain": True} if url and "text" in run and "link" not in run else run for run in runs]


def _tidied(runs: list[Run]) -> list[Run]:
    """Runs with single blanks between words, none at the ends and around line breaks, and no break where nothing
    stands before or after it."""
    found: list[Run] = []
    blank = True
    for run in runs:
        if "text" in run:
            text = run["text"]
            words = " ".join(_split(text))
            if not words:
                if text and not blank:
                    _pad(found)
                    blank = True
                continue
            if text[:1] in " \n\t\r" and not blank:
                _pad(found)
            found.append({**run, "text": broken(words)})
            blank = text[-1:] in " \n\t\r"
            if blank:
                _pad(found)
        elif "br" in run:
            _strip(found)
            if found and "br" not in found[-1]:
                found.append(run)
            blank = True
        else:
            found.append(run)
            blank = False
    _strip(found)
    while found and ("br" in found[-1] or "gap" in found[-1]):
        found.pop()
        _strip(found)
    return found


def _split(text: str) -> list[str]:
    """Words apart by blanks; a no-break space is part of a word."""
    return [word for word in text.replace("\n", " ").replace("\t", " ").replace("\r", " ").split(" ") if word]


def _pad(runs: list[Run]) -> None:
    """A blank between two pieces, in none of them if they are marked: no link is underlined beyond its words."""
    if runs and set(runs[-1]) == {"text"} and not runs[-1]["text"].endswith(" "):
        runs[-1]["text"] += " "
    elif runs and "br" not in runs[-1] and not (runs[-1].get("text") or "").endswith(" "):
        runs.append({"text": " "})


def _strip(runs: list[Run]) -> None:
    if runs and "text" in runs[-1]:
        runs[-1]["text"] = runs[-1]["text"].rstrip(" ")
        if not runs[-1]["text"]:
            runs.pop()
