"""The data that is held about a person as one archive: JSON per kind, a manifest, and an index that people read.

It is written while it is read: rows come from the database in batches, and the archive goes out in blocks, so that
neither takes memory. The format is documented in docs/erasure.md.
"""

import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import IO, Any, cast

from django.db import models, transaction
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from rondo import __version__
from rondo.customers.actions.gate import CustomerRef
from rondo.customers.changed import noted
from rondo.customers.definitions import hidden_from
from rondo.customers.models import Customer
from rondo.customers.queries import record_ids
from rondo.erasure.queries import entries_of, in_order, person
from rondo.errors import StateError
from rondo.foundation import ids
from rondo.foundation.actors import Actor
from rondo.foundation.holdings import Holding
from rondo.foundation.installation import installation
from rondo.foundation.rights import MASKS, masked

FORMAT = 1
_BATCH = 2_000


@dataclass(frozen=True)
class Bundle:
    """An archive that is about to be written: its file name, and the blocks of it."""

    name: str
    blocks: Iterator[bytes]


def make_bundle(actor: Actor, customer: CustomerRef) -> Bundle:
    """All that is held about a customer, all records that were merged into it included, in the language in force.

    Raises:
        PermissionRefused: the actor may not export. StateError: the actor does not see all fields: it would not be all.
        NotFound: the customer is not there or not the actor's to see.
    """
    actor.require("export")
    if actor.user is not None and (any(masked(actor.user, key) for key in MASKS) or hidden_from(actor.user)):
        raise StateError(
            _("Your role does not see all fields of a customer, so that this would not be all; ask somebody who does.")
        )
    row = person(actor, customer)
    records = record_ids(row.pk)
    with transaction.atomic():
        noted(actor, "customer.bundle_made", row.pk, {})
    return Bundle(f"rondo-data-{row.public_id}.zip", _blocks(row, records, translation.get_language() or "en"))


class _Out:
    """What a ZIP file is written into that is read at the other end meanwhile."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        """What was written since the last time."""
        block = b"".join(self._parts)
        self._parts.clear()
        return block


def _blocks(row: Customer, records: Sequence[int], language: str) -> Iterator[bytes]:
    out = _Out()
    told: list[tuple[str, str, int]] = []
    counted: list[tuple[str, int]] = []
    with zipfile.ZipFile(
        cast("IO[bytes]", out), "w", zipfile.ZIP_DEFLATED
    ) as archive:  # it asks for no more than _Out has
        for holding in sorted(in_order(), key=lambda one: -one.order):
            rows = holding.model._base_manager.filter(holding.of(records)).order_by("pk")
            if holding.but is not None:
                rows = rows.exclude(holding.but())
            if not holding.told:
                if count := rows.count():
                    counted.append((holding.key, count))
                continue
            count = 0
            with archive.open(f"{holding.key}.json", "w", force_zip64=True) as member:
                for text, count in _array(_told(holding, rows)):  # noqa: B007 - the last one counts
                    member.write(text)
                    if len(text) > 1:
                        yield out.taken()
            with translation.override(language):
                told.append((holding.key, str(holding.label), count))
        count = 0
        with archive.open("changes.json", "w", force_zip64=True) as member:
            for text, count in _array(_changes(records)):  # noqa: B007 - the last one counts
                member.write(text)
                yield out.taken()
        with translation.override(language):
            told.append(("changes", _("Changes noted in the audit log"), count))
            archive.writestr("index.html", _index(row, records, told))
        manifest = {
            "format": FORMAT,
            "rondo": __version__,
            "company": installation().company,
            "made_at": timezone.now().isoformat(),
            "customer": row.public_id,
            "records": [ids.encode(Customer.PREFIX, key) for key in records],
            "files": [{"file": f"{key}.json", "rows": count} for key, _label, count in told],
            "derived": [{"kind": key, "rows": count} for key, count in counted],
        }
        archive.writestr("manifest.json", json.dumps(manifest, indent=1, ensure_ascii=False))
    yield out.taken()


def _array(rows: Iterator[dict[str, Any]]) -> Iterator[tuple[bytes, int]]:
    """A JSON array in pieces of some rows, each with how many rows there were so far."""
    yield b"[", 0
    pending: list[str] = []
    count = 0
    for row in rows:
        pending.append(("\n" if count == 0 else ",\n") + json.dumps(row, ensure_ascii=False))
        count += 1
        if len(pending) >= 500:
            yield "".join(pending).encode(), count
            pending = []
    yield "".join([*pending, "\n]\n" if count else "]\n"]).encode(), count


def _told(holding: Holding, rows: models.QuerySet[Any]) -> Iterator[dict[str, Any]]:
    prefixes = [_prefix(holding.model, path) for path in holding.told]
    names = [path.replace("__", "_") for path in holding.told]
    for values in rows.values_list(*holding.told).iterator(chunk_size=_BATCH):
        yield {
            name: ids.encode(prefix, value) if prefix and value is not None else _plain(value)
            for name, prefix, value in zip(names, prefixes, values, strict=True)
        }


def _prefix(model: type[models.Model], path: str) -> str:
    """The prefix of public ids where a column holds keys of records that have some; else empty."""
    *through, last = path.split("__")
    for name in through:
        model = model._meta.get_field(name).related_model  # type: ignore[assignment]
    field: Any = next(one for one in model._meta.concrete_fields if last in (one.name, one.attname))
    while field.remote_field is not None:
        model, field = field.remote_field.model, field.target_field
    return str(getattr(model, "PREFIX", "")) if field.primary_key else ""


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def _changes(records: Sequence[int]) -> Iterator[dict[str, Any]]:
    for rows in entries_of(records):
        for entry in rows.order_by("pk"):
            yield {"at": entry.at.isoformat(), "verb": entry.verb, "door": entry.door, "changes": entry.changes}


def _index(row: Customer, records: Sequence[int], told: Sequence[tuple[str, str, int]]) -> str:
    """The page that says what is in the archive."""
    company = installation().company
    title = _("Data about %(customer)s") % {"customer": row}
    lead = _("What %(company)s holds about you, as of %(day)s, in %(n)d record(s).") % {
        "company": company or "Rondo",
        "day": date_format(timezone.localdate()),
        "n": len(records),
    }
    lines = "".join(
        f'<tr><th scope="row">{escape(label)}</th><td>{count}</td><td>'
        f'<a href="{escape(key)}.json">{escape(key)}.json</a></td></tr>'
        for key, label, count in told
        if count
    )
    more = _("Each file is a list in JSON that any program reads; manifest.json lists all files.")
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in (_("What"), _("Rows"), _("File")))
    return (
        f'<!doctype html><html lang="{translation.get_language()}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>body{{font:16px/1.5 system-ui;margin:2rem;max-width:60rem}}"
        "table{border-collapse:collapse}th,td{text-align:left;padding:.3rem 1rem .3rem 0;border-bottom:1px solid #ccc}"
        f"</style><h1>{escape(title)}</h1><p>{escape(lead)}</p><table><thead><tr>{heads}</tr></thead>"
        f"<tbody>{lines}</tbody></table><p>{escape(more)}</p></html>"
    )
