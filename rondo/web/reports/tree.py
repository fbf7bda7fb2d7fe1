"""A page's HTML as a small tree of elements. Our own templates are read, so there is nothing to mend."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


@dataclass
class Element:
    """One element: its tag, attributes, and what it holds. ``drawing`` is the source of an ``svg``, kept as it is
    written, since SVG tells upper from lower case and HTML does not."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: "list[Element | str]" = field(default_factory=list)
    drawing: str = ""

    def get(self, name: str) -> str:
        """An attribute's value; empty where it has none."""
        return self.attributes.get(name, "")

    @property
    def classes(self) -> frozenset[str]:
        """The words of its class."""
        return frozenset(self.get("class").split())

    @property
    def elements(self) -> "list[Element]":
        """The elements directly within."""
        return [child for child in self.children if isinstance(child, Element)]

    def walk(self) -> "Iterator[Element]":
        """The element and all within, in the order of the page."""
        yield self
        for child in self.elements:
            yield from child.walk()

    def first(self, *tags: str, css: str = "") -> "Element | None":
        """The first element within (or itself) of one of ``tags`` (any, if none is named) and of the class ``css``."""
        for found in self.walk():
            if (not tags or found.tag in tags) and (not css or css in found.classes):
                return found
        return None

    def by_id(self, key: str) -> "Element | None":
        """The element within that has this id."""
        return next((found for found in self.walk() if found.get("id") == key), None)

    @property
    def text(self) -> str:
        """All text within, with single blanks."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child._texts()


class _Builder(HTMLParser):
    def __init__(self, drawings: list[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("document")
        self._open = [self.root]
        self._drawings = drawings

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        if tag == "svg":
            made.drawing = self._drawings[int(made.get("data-number"))]
        self._open[-1].children.append(made)
        if tag not in _VOID and tag != "svg":
            self._open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self._open[1:]):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def parse(html: str) -> Element:
    """The document as a tree under an element called ``document``."""
    drawings: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        drawings.append(found.group())
        opening = found.group().partition(">")[0].rstrip("/")
        return f'{opening} data-number="{len(drawings) - 1}">'

    builder = _Builder(drawings)
    builder.feed(_SVG.sub(put_aside, html))
    builder.close()
    return builder.root
