"""Customers by identifier: which the database knows, and those that orders and contacts name first."""

from typing import Any

import pyarrow as pa

from rondo.customers import names
from rondo.customers.changed import mark_loaded
from rondo.customers.identifiers import normalise
from rondo.customers.loading.matching import owned_by, refuse_unseen
from rondo.customers.models import Address, AttributeValue, Customer, Identifier
from rondo.customers.queries import sees_all
from rondo.errors import InputError
from rondo.foundation.loading import bulk
from rondo.foundation.loading.job import LoadJob, chunks

_BLANK: dict[str, Any] = {
    "kind": "person",
    "name": "",
    "given_name": "",
    "family_name": "",
    "folded_name": "",
    "language": "",
    "birth_date": None,
    "known_since": None,
    "known_since_at_least": False,
}


def normalised(job: LoadJob, kind: str, distinct: str, table: str) -> None:
    """``table``(raw, value, shown, reason): the identifiers that the query ``distinct`` yields, in normal form, or
    why not."""
    raw = job.query(distinct).column(0).drop_null().to_pylist()
    values: list[str | None] = []
    shown: list[str | None] = []
    reasons: list[str | None] = []
    for text in raw:
        try:
            form = normalise(kind, text, job.options.region or None)
        except InputError as error:
            values.append(None)
            shown.append(None)
            reasons.append(str(error))
        else:
            values.append(form.value)
            shown.append(form.shown)
            reasons.append(None)
    names = {"raw": raw, "value": values, "shown": shown, "reason": reasons}
    job.put(table, pa.table({name: pa.array(column, pa.string()) for name, column in names.items()}))


def known_identifiers(job: LoadJob, kind: str, distinct: str, table: str) -> None:
    """``table``(value, id, customer_id, state known/hidden): identifiers of a kind that the database has."""
    values = job.query(distinct).column(0).drop_null().to_pylist()
    source_id = job.source_id if kind == "external" else None
    found = []
    if values and not (kind == "external" and source_id is None):
        wanted = ["value", "id", "customer_id", "load_id"]
        found = bulk.lookup(Identifier, "value", values, wanted, kind=kind, source_id=source_id)
    job.put(
        table,
        pa.table(
            {
                "value": pa.array([row[0] for row in found], pa.string()),
                "id": pa.array([row[1] for row in found], pa.int64()),
                "customer_id": pa.array([row[2] for row in found], pa.int64()),
                "state": job.states(pa.array([row[3] for row in found], pa.int64())),
            }
        ),
    )


def revive(
    job: LoadJob, customers: pa.ChunkedArray, columns: dict[str, Any], identifiers: pa.ChunkedArray | None = None
) -> None:
    """Bring customers of loads taken back into this load, with the given ``identifiers`` of theirs and nothing else
    kept of what the old load said about them: another identifier would recognise them later as if they were gone."""
    ids = customers.to_pylist()
    if identifiers is not None:
        bulk.update(Identifier, identifiers, {"load_id": job.load.pk})
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        AttributeValue.objects.filter(customer_id__in=some, load_id__in=job.hidden).delete()
        Address.objects.filter(customer_id__in=some, load_id__in=job.hidden).delete()
        told = Identifier.objects.filter(customer_id__in=some, load_id__in=job.hidden)
        told.exclude(load_id=job.load.pk).delete()
    fields = {**_BLANK, **owned_by(job), "is_demo": job.options.is_demo, **columns, "load_id": job.load.pk}
    bulk.update(Customer, customers, fields)
    job.touched.update(ids)
    names.reindex(ids)


class CustomerKeys:
    """Resolves the field ``customer`` of a file: table ``customer_keys``(key as in the file, value, shown, id,
    identifier_id, state new/hidden/known). Rows whose identifier is refused go to the rejects."""

    def __init__(self, job: LoadJob) -> None:
        self.job = job
        self.kind = job.options.customer_by

    def plan(self) -> None:
        """Normalise; refuse what is no identifier. :meth:`lookup` follows when it is settled which rows go in."""
        job = self.job
        normalised(job, self.kind, "SELECT DISTINCT customer FROM staged", "customer_forms")
        job.refuse(
            "SELECT s.line, 'customer' AS field, s.customer AS value, f.reason FROM staged AS s "
            "JOIN customer_forms AS f ON f.raw = s.customer WHERE f.reason IS NOT NULL"
        )
        if not sees_all(job.actor.user) or Customer.objects.filter(bin__isnull=False).exists():
            distinct = "SELECT value FROM customer_forms WHERE value IS NOT NULL"
            known_identifiers(job, self.kind, f"SELECT DISTINCT value FROM ({distinct})", "customer_known")
            refuse_unseen(
                job,
                "SELECT s.line, 'customer' AS field, s.customer AS value, k.customer_id FROM staged AS s "
                "JOIN customer_forms AS f ON f.raw = s.customer JOIN customer_known AS k ON k.value = f.value "
                "WHERE k.state = 'known'",
            )

    def lookup(self, distinct: str) -> None:
        """Make ``customer_keys`` of the customers that the rows left over name."""
        job = self.job
        known_identifiers(
            job, self.kind, f"SELECT DISTINCT value FROM customer_forms WHERE raw IN ({distinct})", "customer_known"
        )
        job.run(
            "CREATE OR REPLACE TABLE customer_keys AS SELECT f.raw AS key, f.value, f.shown, k.customer_id AS id, "
            "k.id AS identifier_id, coalesce(k.state, 'new') AS state FROM customer_forms AS f "
            f"LEFT JOIN customer_known AS k ON k.value = f.value WHERE f.raw IN ({distinct})"
        )
        created = job.number("SELECT count(DISTINCT value) FROM customer_keys WHERE state <> 'known'")
        job.count("customers_created", created)

    def write(self) -> None:
        """Create the customers that nobody has described, each with its identifier."""
        job = self.job
        job.run(
            "CREATE OR REPLACE TABLE customer_new AS SELECT value, min(shown) AS shown, row_number() OVER "
            "(ORDER BY value) AS n "
            "FROM customer_keys WHERE state = 'new' GROUP BY value"
        )
        for first, last in chunks(job.number("SELECT count(*) FROM customer_new"), job.options.chunk_rows):
            rows = job.query(f"SELECT value, shown FROM customer_new WHERE n BETWEEN {first} AND {last} ORDER BY n")
            with job.chunk():
                ids = job.insert(Customer, {"is_demo": job.options.is_demo, **owned_by(job)}, len(rows))
                source_id = job.source_id if self.kind == "external" else None
                job.insert(
                    Identifier,
                    {
                        "customer_id": ids,
                        "kind": self.kind,
                        "source_id": source_id,
                        "value": rows["value"],
                        "shown": rows["shown"],
                        "is_demo": job.options.is_demo,
                    },
                    len(rows),
                )
            job.put("rondo_made", pa.table({"value": rows["value"], "id": ids}))
            job.run("UPDATE customer_keys AS c SET id = m.id FROM rondo_made AS m WHERE c.value = m.value")

    def publish(self) -> None:
        """Customers of loads taken back that the file names come back as this load's, undescribed."""
        job = self.job
        rows = job.query("SELECT DISTINCT id, identifier_id FROM customer_keys WHERE state = 'hidden'")
        customers = job.query("SELECT DISTINCT id FROM customer_keys WHERE state = 'hidden'").column(0)
        revive(job, customers, {}, rows["identifier_id"])
        mark_loaded(job.touched, job.change)
