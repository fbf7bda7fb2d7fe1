"""What an unknown file may be: which of its columns is which field, by name and by content, and of which kind it is.

A guess is shown to the person and changed by them; nothing is decided by it.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from rondo.foundation.loading.fields import Field, ImportOptions
from rondo.foundation.registry import registries

PREVIEW = 50
"""So many rows are shown of a file, and looked at."""

NAMES: dict[str, tuple[str, ...]] = {
    "external_id": (
        "id",
        "customer id",
        "customerid",
        "customer number",
        "customer no",
        "client id",
        "household id",
        "member id",
        "kundennummer",
        "kundennr",
        "kunden nr",
        "kunden id",
        "kdnr",
        "kd nr",
        "mitgliedsnummer",
        "debitor",
    ),
    "name": (
        "full name",
        "customer name",
        "display name",
        "contact",
        "firma",
        "company",
        "company name",
        "kunde",
        "organisation",
        "organization",
        "unternehmen",
    ),
    "given_name": ("first name", "firstname", "forename", "given name", "vorname"),
    "family_name": ("last name", "lastname", "surname", "family name", "nachname", "familienname", "zuname"),
    "email": ("e mail", "mail", "email address", "e mail address", "mailadresse", "e mail adresse", "emailadresse"),
    "phone": (
        "telephone",
        "phone number",
        "mobile",
        "mobile phone",
        "cell",
        "telefon",
        "telefonnummer",
        "tel",
        "handy",
        "mobil",
        "mobilnummer",
        "rufnummer",
    ),
    "card": ("card number", "loyalty card", "kartennummer", "kundenkarte", "karte", "karten nr"),
    "street": (
        "address",
        "street address",
        "address line 1",
        "strasse",
        "str",
        "strasse und hausnummer",
        "anschrift",
        "adresse",
    ),
    "postal_code": ("zip", "zip code", "postcode", "postal", "plz", "postleitzahl"),
    "city": ("town", "ort", "stadt", "wohnort"),
    "region": ("state", "province", "county", "bundesland", "kanton"),
    "household": ("household", "household name", "haushalt", "haushaltsname"),
    "household_until": ("household until", "moved out", "left household on", "haushalt bis", "ausgezogen am"),
    "country": ("country code", "land", "staat", "laendercode"),
    "language": ("locale", "sprache", "lang"),
    "birth_date": ("birthday", "date of birth", "dob", "geburtsdatum", "geburtstag", "geb datum"),
    "known_since": (
        "created",
        "created at",
        "customer since",
        "signup date",
        "registered",
        "kunde seit",
        "angelegt am",
        "erstellt am",
        "registriert am",
    ),
    "kind": ("type", "customer type", "art", "typ", "kundenart"),
    "customer": (
        "customer id",
        "customerid",
        "customer number",
        "client id",
        "household id",
        "kundennummer",
        "kundennr",
        "kunden nr",
        "kunden id",
        "kdnr",
        "kunde",
        "member id",
    ),
    "order": (
        "order id",
        "order number",
        "order no",
        "invoice",
        "invoice number",
        "receipt",
        "basket id",
        "basket",
        "bestellnummer",
        "bestellung",
        "auftrag",
        "auftragsnummer",
        "rechnungsnummer",
        "bon",
        "bonnummer",
    ),
    "product": (
        "product id",
        "sku",
        "article",
        "article number",
        "item",
        "artikel",
        "artikelnummer",
        "produkt",
        "produktnummer",
    ),
    "occurred_at": (
        "date",
        "time",
        "timestamp",
        "transaction timestamp",
        "order date",
        "purchase date",
        "datum",
        "zeitpunkt",
        "kaufdatum",
        "bestelldatum",
        "zeit",
        "when",
    ),
    "total": ("amount", "sales value", "line total", "net", "revenue", "betrag", "umsatz", "summe", "wert", "gesamt"),
    "quantity": ("qty", "units", "menge", "anzahl", "stueck"),
    "discount": ("retail disc", "rabatt", "nachlass"),
    "coupon_discount": ("coupon disc",),
    "match_discount": ("coupon match disc",),
    "store": ("store id", "shop", "branch", "filiale", "markt", "laden"),
    "channel": ("kanal",),
    "currency": ("waehrung", "currency code"),
    "number": (
        "id",
        "product id",
        "sku",
        "article number",
        "campaign id",
        "artikelnummer",
        "produktnummer",
        "nummer",
        "nr",
        "campaign number",
        "kampagnennummer",
    ),
    "category": ("product category", "warengruppe", "kategorie", "department", "category 1", "kategorie 1"),
    "category_2": ("subcategory", "product type", "unterkategorie", "kategorie 2"),
    "category_3": ("kategorie 3",),
    "brand": ("manufacturer", "marke", "hersteller"),
    "size": ("package size", "packungsgroesse", "groesse", "inhalt"),
    "price": ("list price", "preis", "listenpreis", "unit price", "vk"),
    "title": ("subject", "betreff", "titel"),
    "body": ("text", "note", "message", "comment", "notiz", "nachricht", "bemerkung", "inhalt"),
    "message_id": ("interaction id", "contact id", "kontakt id", "nachrichten id"),
    "campaign": ("campaign id", "campaign number", "kampagne", "kampagnennummer"),
    "starts_on": ("start", "start date", "beginn", "von"),
    "ends_on": ("end", "end date", "ende", "bis"),
    "sent_on": ("sent", "sent at", "send date", "gesendet am", "versanddatum"),
    "state": ("consent", "consent state", "consent status", "opt in", "optin", "einwilligung", "zustimmung"),
    "at": ("date", "time", "timestamp", "when", "consent date", "opt in date", "datum", "zeitpunkt", "zeit"),
    "purpose": ("zweck",),
    "source": ("origin", "quelle", "herkunft"),
    "evidence": ("proof", "nachweis", "beleg"),
}
"""How columns for a field are often called, in English and German, besides the field's own name."""

_KINDS = ("customers", "products", "orders", "interactions", "campaigns", "exposures", "consents")
_TELLING = {
    "customers": {"external_id", "email", "phone", "card"},
    "interactions": {"customer", "kind", "occurred_at"},
}


def plain(name: str) -> str:
    """A column's name for comparison: no case, no accents, no marks; German umlauts written out."""
    text = name.strip().lower()
    for mark, written in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(mark, written)
    text = unicodedata.normalize("NFKD", text)
    text = "".join(c for c in text if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text).split())


@dataclass(frozen=True)
class Column:
    """A column of a file with the first of its cells."""

    name: str
    cells: tuple[str, ...]


def looks_like(cells: Sequence[str], region: str = "") -> str:
    """The field that the content itself tells: email, phone, or nothing."""
    filled = [cell.strip() for cell in cells if cell and cell.strip()][:PREVIEW]
    if not filled:
        return ""
    if sum(map(_is_mail, filled)) >= 0.8 * len(filled):
        return "email"
    if sum(_is_phone(cell, region) for cell in filled) >= 0.8 * len(filled):
        return "phone"
    return ""


def _is_mail(text: str) -> bool:
    if "@" not in text:
        return False
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def _is_phone(text: str, region: str) -> bool:
    if not text.startswith(("+", "00", "0", "(")) or not re.search(r"[\s/()+-]|^00", text):
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(text, region or "DE"))
    except phonenumbers.NumberParseException:
        return False


def mapping_of(kind: str, columns: Sequence[Column], region: str = "") -> dict[str, str]:
    """Field → column, as far as names and contents tell; no column for two fields, none for two columns."""
    fields = registries.import_kinds[kind].loader.available(ImportOptions())
    names = {column.name: plain(column.name) for column in columns}
    found: dict[str, str] = {}
    for wanted in (_own_name, _other_name):
        for field, spec in fields.items():
            for column in columns:
                if field in found or column.name in found.values():
                    continue
                if wanted(field, spec, names[column.name]):
                    found[field] = column.name
    for column in columns:
        content = looks_like(column.cells, region)
        if content in fields and content not in found and column.name not in found.values():
            found[content] = column.name
    return found


def _own_name(field: str, spec: Field, name: str) -> bool:
    own = field.partition(":")[2] or field
    return name in {plain(own), plain(str(spec.meaning))}


def _other_name(field: str, _spec: Field, name: str) -> bool:
    return name in NAMES.get(field, ())


def kind_of(columns: Sequence[Column]) -> tuple[str, dict[str, str]]:
    """The import kind that a file most likely is, and its mapping.

    A kind whose required fields all have a column comes before one that lacks some; then the number of columns that
    find a field decides.
    """
    best: tuple[tuple[float, int, int], str, dict[str, str]] | None = None
    for rank, kind in enumerate(k for k in _KINDS if k in registries.import_kinds):
        fields = registries.import_kinds[kind].loader.available(ImportOptions())
        mapping = mapping_of(kind, columns)
        needed = {name for name, spec in fields.items() if spec.required} or _TELLING.get(kind, set())
        given = needed & set(mapping)
        have = float(bool(given)) if kind == "customers" else len(given) / max(1, len(needed))
        score = (round(have, 6) if have == 1 else have / 2, len(mapping), -rank)
        if best is None or score > best[0]:
            best = (score, kind, mapping)
    assert best is not None
    return best[1], best[2]


def labels(fields: Mapping[str, Field]) -> dict[str, str]:
    """Fields by what they mean, required ones first, for a person to choose from."""
    order = sorted(fields.items(), key=lambda item: not item[1].required)
    return {name: str(spec.meaning) for name, spec in order}
