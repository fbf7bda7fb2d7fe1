"""Consents from files: entries of the ledger, each in once; unknown customers are created as such."""

from datetime import UTC, datetime
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.customers.consents import CLOCK_SKEW
from rondo.customers.loading.keys import CustomerKeys
from rondo.customers.models import Consent
from rondo.foundation.loading import bulk
from rondo.foundation.loading.changes import quoted
from rondo.foundation.loading.fields import Field
from rondo.foundation.loading.job import Loader, chunks

_KNOWN = ("customer_id", "channel", "purpose", "state", "at", "load_id")


class ConsentLoader(Loader):
    """One row per entry: a customer gave or withdrew consent to a channel for a purpose. An entry is known by customer,
    channel, purpose, state and moment."""

    fields: ClassVar[dict[str, Field]] = {
        "customer": Field(
            "key", gettext_lazy("who said it, as the source numbers them or by another identifier"), True
        ),
        "channel": Field("choice", gettext_lazy("channel of the consent"), True, choices=tuple(Consent.Channel.values)),
        "state": Field(
            "choice",
            gettext_lazy("given or withdrawn"),
            required=True,
            choices=(Consent.State.GIVEN.value, Consent.State.WITHDRAWN.value),
        ),
        "at": Field("instant", gettext_lazy("when it was said"), required=True),
        "purpose": Field(
            "choice",
            gettext_lazy("purpose of the consent; marketing unless told otherwise"),
            choices=tuple(Consent.Purpose.values),
        ),
        "source": Field("text", gettext_lazy("where it was said, such as a form"), max_length=60),
        "evidence": Field("text", gettext_lazy("what proves it"), max_length=400),
    }

    def plan(self) -> None:
        job = self.job
        self.customers = CustomerKeys(job)
        self.customers.plan()
        self._refuse_moments()
        job.run(
            "CREATE OR REPLACE TABLE entries AS SELECT s.line, s.customer, f.value, s.channel, s.state, s.at, "
            f"coalesce({job.column('purpose', 'NULL::VARCHAR')}, {quoted(Consent.Purpose.MARKETING)}) AS purpose "
            "FROM staged AS s JOIN customer_forms AS f ON f.raw = s.customer"
        )
        same = "e.value, e.channel, e.purpose, e.state, e.at"
        job.refuse(
            "SELECT t.line, 'at' AS field, t.at::VARCHAR AS value, "
            f"{quoted(_('stands in the file already, in line'))} || ' ' || first AS reason FROM (SELECT e.line, e.at, "
            f"min(e.line) OVER (PARTITION BY {same}) AS first FROM entries AS e) AS t WHERE t.line > t.first"
        )
        self.customers.lookup("SELECT DISTINCT customer FROM staged")
        self._skip_known()
        job.count("consents_created", job.number("SELECT count(*) FROM staged"))

    def _refuse_moments(self) -> None:
        """Nobody has said yet what they will say: as when it is noted by hand."""
        last = (timezone.now() + CLOCK_SKEW).astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
        self.job.refuse(
            f"SELECT s.line, 'at' AS field, s.at::VARCHAR AS value, {quoted(_('lies in the future'))} AS reason "
            f"FROM staged AS s WHERE s.at > {quoted(last)}::TIMESTAMP"
        )

    def _skip_known(self) -> None:
        job = self.job
        keys = job.query("SELECT DISTINCT id FROM customer_keys WHERE id IS NOT NULL").column(0).to_pylist()
        hidden = set(job.hidden)
        found = [row for row in bulk.lookup(Consent, "customer_id", keys, _KNOWN) if row[-1] not in hidden]
        columns: dict[str, Any] = {
            name: pa.array([row[n] for row in found], pa.int64() if n == 0 else pa.string())
            for n, name in enumerate(_KNOWN[:4])
        }
        columns["at"] = pa.array([_moment(row[4]) for row in found], pa.timestamp("us"))
        job.put("consents_known", pa.table(columns))
        job.run(
            "CREATE OR REPLACE TABLE entries_known AS SELECT e.line FROM entries AS e "
            "JOIN customer_keys AS k ON k.key = e.customer SEMI JOIN consents_known AS n ON n.customer_id = k.id "
            "AND n.channel = e.channel AND n.purpose = e.purpose AND n.state = e.state AND n.at = e.at"
        )
        known = "line IN (SELECT line FROM entries_known)"
        job.count("consents_skipped", job.number(f"SELECT count(*) FROM staged WHERE {known}"))
        job.run(f"DELETE FROM staged WHERE {known}")

    def write(self) -> None:
        job = self.job
        self.customers.write()
        # of one moment the last entry holds: where both were said, what was withdrawn
        job.run(
            "CREATE OR REPLACE TABLE ordered AS SELECT s.*, e.purpose AS aim, k.id AS customer_id, "
            f"row_number() OVER (ORDER BY s.at, s.state = {quoted(Consent.State.WITHDRAWN)}, s.line) AS n "
            "FROM staged AS s JOIN entries AS e ON e.line = s.line JOIN customer_keys AS k ON k.key = s.customer"
        )
        for first, last in chunks(job.number("SELECT count(*) FROM ordered"), job.options.chunk_rows):
            rows = job.query(f"SELECT * FROM ordered WHERE n BETWEEN {first} AND {last} ORDER BY n")
            with job.chunk():
                self._write_chunk(rows)
            job.tick(len(rows))

    def _write_chunk(self, rows: pa.Table) -> None:
        job, user = self.job, self.job.actor.user
        texts = {name: pc.fill_null(rows[name], "") if job.has(name) else "" for name in ("source", "evidence")}
        job.insert(
            Consent,
            {
                "customer_id": rows["customer_id"],
                "channel": rows["channel"],
                "purpose": rows["aim"],
                "state": rows["state"],
                "at": rows["at"],
                "actor_id": user.pk if user else None,
                **texts,
            },
            len(rows),
        )
        job.touched.update(rows["customer_id"].to_pylist())

    def publish(self) -> None:
        self.customers.publish()


def _moment(value: datetime | str) -> datetime:
    """A moment as the database gives it (SQLite: text in UTC), in UTC without an offset."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return value.astimezone(UTC).replace(tzinfo=None)
