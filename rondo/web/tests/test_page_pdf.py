"""Any page as PDF says what the page says, to whom it may be said, in their language, whatever the words hold."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.html import escape
from pypdf import PdfReader

from rondo.foundation.models import Installation, User
from rondo.web.reports import opening
from rondo.web.reports.composing import make_report
from rondo.web.reports.pdf import set_pdf
from rondo.web.reports.reading import Reader
from rondo.web.reports.tables import broken
from rondo.web.reports.tree import parse
from rondo.web.tests.customers_data import make_customer
from rondo.web.tests.sample import store_run

SignIn = Callable[[User], Client]
HOSTILE = (
    '#import "x": * $a_b$ \\ <b>&amp;</b> @ref // /* */ `code` = - + ~ --- \'q\' "q" #{panic()} [x](y) *b* _i_ '
    "Ärger über Größe ß €"
)


def text_of(pdf: bytes) -> str:
    """The words of all its pages, as a reader takes them out."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


def bare(text: str) -> str:
    return re.sub(r"[\s\u200b]+", "", text)


def made_of(html: str) -> bytes:
    """A report of one part that is read from this HTML."""
    blocks = Reader("http://localhost/").blocks(parse(html))
    part = {"name": "P", "state": "", "tags": [], "address": "http://localhost/", "shown-address": "localhost/"}
    report = {"title": "T", "author": "A", "company": "C", "lang": "en", "made": [2026, 1, 2], "footer": "F"}
    return set_pdf({**report, "contents": [], "parts": [{**part, "blocks": blocks, "turned": False}]})


@pytest.mark.once
@pytest.mark.parametrize(
    "place",
    ["<h1>{}</h1>", "<p>{}</p>", "<ul><li>{}</li></ul>", "<span class='chip'>{}</span>",
     "<table><tr><th>a</th></tr><tr><td>{}</td></tr></table>", "<pre>{}</pre>"],
)  # fmt: skip
def test_no_word_of_a_page_is_a_command_of_the_typesetter(place: str) -> None:
    assert bare(HOSTILE) in bare(text_of(made_of(place.format(escape(HOSTILE)))))


@pytest.mark.once
def test_signs_that_no_font_has_do_not_keep_a_page_from_being_set() -> None:
    said = text_of(made_of(f"<h1>Grüße \U0001f600 مرحبا 漢字</h1><p>{'x' * 400}</p><p>still here</p>"))
    assert "Grüße" in said and "still here" in said
    assert "x" * 400 in bare(said)
    assert max(map(len, broken("x" * 400).split("\u200b"))) < 30


@pytest.mark.once
def test_a_wide_table_is_turned_or_set_smaller_and_never_clipped() -> None:
    head = "".join(f"<th>Column {n} of many</th>" for n in range(16))
    row = "".join(f"<td class='num'>{n}234567890.{n:02}</td>" for n in range(16))
    html = f"<table><thead><tr>{head}</tr></thead><tbody><tr>{row}</tr></tbody></table>"
    [table] = Reader("http://localhost/").blocks(parse(html))
    assert table["turned"] and table["size"] < 8
    [narrow] = Reader("http://localhost/").blocks(parse("<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"))
    assert not narrow["turned"]
    part = {"name": "P", "state": "", "tags": [], "address": "http://localhost/", "shown-address": "l", "turned": True}
    report = {"title": "T", "author": "A", "company": "C", "lang": "en", "made": [2026, 1, 2], "footer": "F"}
    pdf = set_pdf({**report, "contents": [], "parts": [{**part, "blocks": [table]}]})
    page = PdfReader(BytesIO(pdf)).pages[0]
    places: list[float] = []
    said = page.extract_text(visitor_text=lambda text, cm, tm, font, size: places.append(cm[0] * tm[4] + cm[4]))
    assert all(f"{n}234567890" in bare(said) for n in range(16))
    assert page.mediabox.width > page.mediabox.height
    assert max(places) < float(page.mediabox.width) - 40


@pytest.mark.django_db
def test_a_page_as_pdf_says_what_the_page_says(installation: Installation, alice: User, signed_in: SignIn) -> None:
    Installation.objects.update(has_demo=True)
    store_run()
    client = signed_in(alice)
    page = client.get("/portfolio/").content.decode()
    [link] = re.findall(r'href="(/reports/page\.pdf\?page=[^"]+)"', page)
    response = client.get(link.replace("&amp;", "&"))
    assert response["Content-Disposition"] == 'attachment; filename="rondo-portfolio-2017-12-31.pdf"'
    reader = PdfReader(BytesIO(response.content))
    said = text_of(response.content)
    assert "The best 20% of your customers bring 55% of the revenue" in said
    assert "Corner Stores · as of 31 Dec 2017 · run" in said and "demo data" in said
    assert f"1 / {len(reader.pages)}" in said and "Tenth of customers, best first" in said
    assert "PNG" not in said and "Fold" not in said, "what one clicks is left out"
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == "en" and root["/MarkInfo"]["/Marked"] and root["/StructTreeRoot"]
    targets = [note.get_object()["/A"]["/URI"] for sheet in reader.pages for note in sheet.get("/Annots", [])]
    assert f"{settings.RONDO_URL}/portfolio/" in targets
    german = make_report(alice, ["/portfolio/"], language="de")
    assert "Die besten 20" in text_of(german.pdf)
    assert PdfReader(BytesIO(german.pdf)).trailer["/Root"]["/Lang"] == "de"  # type: ignore[index]


@pytest.mark.django_db
def test_several_pages_are_one_file_with_contents(installation: Installation, alice: User) -> None:
    store_run()
    made = make_report(alice, ["/", "/portfolio/"], title="Monday")
    said = text_of(made.pdf)
    first = " ".join(PdfReader(BytesIO(made.pdf)).pages[0].extract_text().split())
    assert re.search(r"Home Your customer base is worth .+ 2 Portfolio The best 20% of .+ 3 Made on", first)
    assert said.count("The best 20% of your customers bring 55%") == 2, "in the contents, and on its page"


@pytest.mark.django_db
def test_a_list_is_bounded_and_says_so(
    installation: Installation, alice: User, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 121):
        make_customer(f"Person {number:03}")
    monkeypatch.setattr(opening, "ROWS", 100)
    said = text_of(signed_in(alice).get("/reports/page.pdf?page=/customers/%3Fsort%3Dname").content)
    assert "The first 100 of 120 rows; the page has all." in said
    assert "Person 100" in said and "Person 101" not in said


@pytest.mark.django_db
def test_nobody_reads_in_a_pdf_what_the_page_keeps_from_them(
    installation: Installation, charlie: User, signed_in: SignIn
) -> None:
    own = make_customer("Own Person", owner=charlie)
    foreign = make_customer("Foreign Person")
    client = signed_in(charlie)
    said = text_of(client.get("/reports/page.pdf?page=/customers/").content)
    assert "Own Person" in said and "Foreign" not in said
    assert client.get(f"/reports/page.pdf?page=/customers/{own.public_id}/").status_code == 200
    assert client.get(f"/reports/page.pdf?page=/customers/{foreign.public_id}/").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/customers/export.csv", "/portfolio/movements/table.csv", "/segments/gone/"])
def test_a_file_or_a_page_that_is_gone_is_refused(
    installation: Installation, alice: User, signed_in: SignIn, address: str
) -> None:
    assert signed_in(alice).get("/reports/page.pdf", {"page": address}).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    ["https://elsewhere.example.org/", "//elsewhere.example.org/", "/nowhere", "/settings/", "/profile/", "/health",
     "/accounts/logout/", "/reports/page.pdf", "/api/docs", "/settings/webhooks/new", "/settings/demo/", "/start/team",
     "/customers/new", "", "x" * 5000],
)  # fmt: skip
def test_only_pages_of_figures_are_set(alice: User, signed_in: SignIn, address: str) -> None:
    response = signed_in(alice).get("/reports/page.pdf", {"page": address})
    assert response.status_code == (200 if address == "" else 400)


def test_the_name_of_the_file_spells_umlauts_as_german_does(signed_in: SignIn, alice: User) -> None:
    store_run()
    alice.language = "de"
    alice.save(update_fields=["language"])
    answer = signed_in(alice).get("/reports/page.pdf?page=/portfolio/trading-up/")
    assert "rondo-hoehere-preislage-2" in answer["Content-Disposition"]
