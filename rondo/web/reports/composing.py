"""A report from pages: each is opened for a person, read, and put together with what stands on every report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings
from django.utils.text import slugify
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from rondo.errors import NotFound, PermissionRefused, RondoError
from rondo.foundation.installation import business_now, installation
from rondo.foundation.models import User
from rondo.web import formats
from rondo.web.figures import Figures, figures
from rondo.web.reports.opening import Opened, open_page
from rondo.web.reports.pdf import set_pdf
from rondo.web.reports.reading import Block, Reader
from rondo.web.reports.tables import broken
from rondo.web.reports.tree import Element

_WIDE = 487.0
_SHORT_VALUE = 26
_MANY_PAIRS = 14


@dataclass(frozen=True)
class Made:
    """A report as made: the file, its name, title, sentence and address of each page, the day the figures look from."""

    pdf: bytes
    file_name: str
    pages: list[tuple[str, str, str]]
    as_of: date


_SPELT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
"""How names of files spell what is German, where letters without a mark would be other words."""


def make_report(
    viewer: User,
    addresses: Sequence[str],
    *,
    title: str = "",
    language: str = "",
    session: Mapping[str, Any] | None = None,
) -> Made:
    """The pages at ``addresses`` (paths with their queries) as ``viewer`` may see them now, in one PDF.

    Without a ``title`` it is that of the page; without a ``language`` the one in force is spoken.

    Of several pages one that is there no more, or not the viewer's to see, is a sentence that says so.

    Raises:
        NotFound, PermissionRefused: there is no page that the viewer may see; the address is named.
    """
    with override(language or get_language()):
        opened = _opened(viewer, addresses, session)
        found = figures(viewer)
        title = title or opened[0].title
        now = business_now()
        parts = [_part(page, found) for page in opened]
        report = {
            "title": title,
            "author": str(viewer),
            "company": installation().company or "Rondo",
            "lang": formats.language(),
            "made": [now.year, now.month, now.day],
            "footer": _("Made on %(moment)s for %(person)s: what this person may see.")
            % {"moment": formats.moment(now), "person": viewer},
            "contents": [{"name": one["title"], "sentence": one["sentence"]} for one in parts]
            if len(parts) > 1
            else [],
            "parts": parts,
        }
        day = found.as_of if found is not None else now.date()
        name = f"rondo-{slugify(title.translate(_SPELT)) or 'report'}-{day.isoformat()}.pdf"
        return Made(set_pdf(report), name, [(one["title"], one["sentence"], one["address"]) for one in parts], day)


def _opened(viewer: User, addresses: Sequence[str], session: Mapping[str, Any] | None) -> list[Opened]:
    opened: list[Opened] = []
    refused: list[RondoError] = []
    for address in addresses:
        try:
            opened.append(open_page(viewer, address, session))
        except (NotFound, PermissionRefused) as error:
            refused.append(error)
            said = Element("div", {"class": "notice warn"}, [str(error)])
            opened.append(Opened(settings.RONDO_URL + address, address, Element("main", {}, [said]), None, None))
    if len(refused) == len(opened) and refused:
        raise refused[0]
    return opened


def _part(page: Opened, found: Figures | None) -> dict[str, Any]:
    blocks = Reader(page.address).blocks(page.main)
    if page.rows is not None:
        blocks.append(_cut(page))
    heading = next(
        ("".join(run.get("text", "") for run in one["runs"]) for one in blocks if one["kind"] == "heading"), ""
    )
    state = [installation().company] if installation().company else []
    if found is not None:
        state.append(_("as of %(day)s") % {"day": formats.day(found.as_of)})
        state.append(_("run %(number)s") % {"number": formats.number(found.run)})
    return {
        "title": page.title,
        "name": "" if page.title == heading else page.title,
        "sentence": "" if page.title == heading else heading,
        "state": " · ".join(state),
        "tags": [_("demo data")] if installation().has_demo else [],
        "address": page.address,
        "shown-address": broken(page.address.removeprefix("https://").removeprefix("http://")),
        "blocks": _levelled(_fitted(blocks)),
        "turned": any(_is_turned(block) for block in blocks),
    }


def _is_turned(block: Block) -> bool:
    """Whether a table of it asks for a page on its side; then all of the part is set so, which wastes no half page."""
    return bool(block.get("turned")) or any(_is_turned(inner) for inner in block.get("blocks", ()))


def _cut(page: Opened) -> Block:
    """Of a list that goes on: how many rows of how many are set."""
    shown = formats.number(page.rows)
    if page.total is None:
        text = _("The first %(shown)s rows; the page has all.") % {"shown": shown}
    else:
        text = _("The first %(shown)s of %(total)s rows; the page has all.") % {
            "shown": shown,
            "total": formats.number(page.total),
        }
    return {"kind": "notice", "tone": "", "runs": [{"text": text}]}


def _fitted(blocks: list[Block]) -> list[Block]:
    """The blocks with what depends on the room there is: drawings within the page, short facts in two columns."""
    fitted: list[Block] = []
    for block in blocks:
        if block["kind"] == "card":
            inner = _fitted(block["blocks"])
            if inner:
                fitted.append({**block, "blocks": inner})
        elif block["kind"] == "drawing":
            fitted.append({**block, "width": min(block["width"], _WIDE)})
        elif block["kind"] == "pairs":
            short = all(
                sum(len(run.get("text", "")) for run in value) <= _SHORT_VALUE for _name, value in block["rows"]
            )
            fitted.append({**block, "halved": short and len(block["rows"]) >= _MANY_PAIRS})
        else:
            fitted.append(block)
    return fitted


def _levelled(blocks: list[Block], above: int = 0) -> list[Block]:
    """Headings without a skipped level, which a reader for the blind would stumble over."""
    levelled: list[Block] = []
    for block in blocks:
        if block["kind"] == "heading":
            above = min(block["level"], above + 1)
            block = {**block, "level": above}
        elif block["kind"] == "card":
            inner = _levelled(block["blocks"], above)
            above = next((one["level"] for one in reversed(inner) if one["kind"] == "heading"), above)
            block = {**block, "blocks": inner}
        levelled.append(block)
    return levelled
