"""The form of a file on its way in: what each column is, and how the file is read."""

import re
from dataclasses import dataclass
from typing import Any

from babel import Locale
from django.http import QueryDict
from django.utils.translation import gettext as _

from rondo.customers.models import AttributeDefinition
from rondo.errors import InputError
from rondo.foundation.models import User
from rondo.interactions.importing import guessing
from rondo.interactions.importing.choices import Choice
from rondo.interactions.importing.choosing import Preview, fields_for, fields_of, owners
from rondo.web import formats
from rondo.web.imports import fixed

NEW = "new:"
_PLAIN = ("match", "customer_by", "region", "time_zone", "date_format", "decimal", "delimiter", "encoding")
_EXAMPLES = 3
ENCODINGS = ("utf-16-le", "utf-16-be", "utf-8", "cp1252", "latin-1", "cp437", "cp850", "mac-roman")
"""Encodings of text files that a person can choose where none can be told."""


@dataclass(frozen=True)
class ColumnLine:
    """One column of the file as the form shows it: its name, some of its cells, and what it is taken for."""

    number: int
    name: str
    examples: list[str]
    chosen: str
    form: str


def labels_of(kind: str) -> dict[str, str]:
    """What the fields of a kind are called, short: their meaning up to the first bracket, colon or comma."""
    found = {}
    for name, spec in fields_of(kind).items():
        text = str(spec.meaning)
        if name.startswith("attribute:"):
            found[name] = text
            continue
        short = re.split(r"[(,;:]", text)[0].strip()
        found[name] = short[:1].upper() + short[1:]
    found["external"] = found.get("external_id", "external")
    return found


def groups(viewer: User, kind: str, *, making: bool = True) -> list[tuple[str, list[tuple[str, str]]]]:
    """The fields for ``viewer`` to choose from in groups: (heading, (key, label) of each); with those that
    make an attribute, unless told otherwise."""
    fields, labels = fields_for(viewer, kind), labels_of(kind)
    needed = [(name, labels[name]) for name, spec in fields.items() if spec.required]
    own = [(n, labels[n]) for n, spec in fields.items() if not spec.required and not n.startswith("attribute:")]
    attributes = [(n, labels[n]) for n in fields if n.startswith("attribute:")]
    found = [(_("Needed"), needed), (_("Fields"), own), (_("Attributes"), attributes)]
    if making and kind == "customers":
        new = [
            (NEW + str(key), _("new attribute: %(type)s") % {"type": label})
            for key, label in AttributeDefinition.Type.choices
        ]
        found.append((_("Make an attribute"), new))
    return [(heading, options) for heading, options in found if options]


def lines(seen: Preview, choice: Choice) -> list[ColumnLine]:
    """The columns of a file with what they are taken for."""
    field_of = {column: name for name, column in choice.mapping.items()}
    found = []
    for number, name in enumerate(seen.columns):
        chosen = field_of.get(name, "")
        defined = choice.define.get(chosen.partition(":")[2]) if chosen.startswith("attribute:") else None
        if defined:
            chosen, form = NEW + defined[0], defined[1]
        else:
            form = "demographic"
        filled = [cell for cell in dict.fromkeys(seen.cells(name)) if cell.strip()][:_EXAMPLES]
        found.append(ColumnLine(number, name, [cell[:60] for cell in filled], chosen, form))
    return found


def read(data: QueryDict, viewer: User, kind: str, seen: Preview) -> tuple[str, Choice]:
    """Source and choice of a posted form.

    Raises:
        InputError: one field for two columns, or an owner that there is not.
    """
    mapping: dict[str, str] = {}
    define: dict[str, list[str]] = {}
    for number, name in enumerate(seen.columns):
        field = data.get(f"col_{number}", "")
        if not field:
            continue
        if field.startswith(NEW):
            key = _free_key(name, define)
            define[key] = [field.removeprefix(NEW), data.get(f"form_{number}", "demographic")]
            field = f"attribute:{key}"
        if field in mapping:
            raise InputError(
                _("Columns “%(first)s” and “%(second)s” are taken for the same field; choose another for one of them.")
                % {"first": mapping[field], "second": name}
            )
        mapping[field] = name
    plain: dict[str, Any] = {name: data.get(name, "").strip() for name in _PLAIN if name in data}
    plain["delimiter"] = plain.get("delimiter", "").replace("\\t", "\t")
    owner = data.get("owner", "")
    if owner and not (owner.isdecimal() and any(int(owner) == person.pk for person in owners(viewer))):
        raise InputError(_("owner=%(owner)s: no active user; choose another.") % {"owner": owner})
    return data.get("source", "").strip(), Choice(
        mapping=mapping,
        define=define,
        owner=int(owner) if owner else None,
        constants=fixed.read(data, viewer, kind, mapping),
        match_by=fixed.match_by(data),
        header_line=_line(data.get("header_line", "").strip()),
        **{k: v for k, v in plain.items() if v},
    )


def _line(text: str) -> int:
    if not text:
        return 0
    if not (text.isdecimal() and 0 < int(text) <= 10_000):
        raise InputError(
            _("Line with the names of the columns: a whole number is needed, not “%(text)s”.") % {"text": text[:20]}
        )
    return int(text)


def _free_key(column: str, taken: dict[str, list[str]]) -> str:
    base = guessing.plain(column).replace(" ", "_")[:36].strip("_") or "attribute"
    if base[0].isdigit():
        base = f"a_{base}"
    known = set(AttributeDefinition.objects.values_list("key", flat=True)) | set(taken)
    return next(key for key in [base, *(f"{base}_{n}" for n in range(2, 1000))] if key not in known)


def countries() -> list[tuple[str, str]]:
    """Countries that phone numbers without a code may be of, by name in the viewer's language."""
    import phonenumbers

    names = Locale.parse(formats.language()).territories
    return sorted(((code, names.get(code, code)) for code in phonenumbers.SUPPORTED_REGIONS), key=lambda pair: pair[1])
