"""Campaigns and who received them from files; each exposure is also an outbound contact in the customer's chain."""

import json
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.campaigns.models import Campaign, Exposure
from rondo.customers.loading import CustomerKeys
from rondo.foundation.loading import bulk, times
from rondo.foundation.loading.changes import differences, quoted, told, update_changed
from rondo.foundation.loading.fields import Field
from rondo.foundation.loading.job import Loader, LoadJob, chunks
from rondo.foundation.registry import registries
from rondo.interactions.models import Interaction

KIND = "campaign_mail"


def _known(job: LoadJob, distinct: str) -> None:
    """``campaign_keys``(number, id, state new/hidden/known, name, starts_on): campaigns as the database has them."""
    numbers = job.query(distinct).column(0).drop_null().to_pylist()
    found = []
    if job.source_id is not None:
        wanted = ["number", "id", "load_id", "name", "starts_on"]
        found = bulk.lookup(Campaign, "number", numbers, wanted, source_id=job.source_id)
    job.put(
        "rondo_known",
        pa.table(
            {
                "number": pa.array([row[0] for row in found], pa.string()),
                "id": pa.array([row[1] for row in found], pa.int64()),
                "state": job.states(pa.array([row[2] for row in found], pa.int64())),
                "name": pa.array([row[3] for row in found], pa.string()),
                "starts_on": pa.array([str(row[4]) for row in found], pa.string()).cast(pa.date32()),
            }
        ),
    )
    job.put("rondo_keys", pa.table({"number": pa.array(numbers, pa.string())}))
    job.run(
        "CREATE OR REPLACE TABLE campaign_keys AS SELECT k.number, n.id, coalesce(n.state, 'new') AS state, n.name, "
        "n.starts_on FROM rondo_keys AS k LEFT JOIN rondo_known AS n USING (number)"
    )


class CampaignLoader(Loader):
    """One row per campaign number of the source."""

    fields: ClassVar[dict[str, Field]] = {
        "number": Field("key", gettext_lazy("number of the campaign in the source"), required=True, max_length=60),
        "name": Field("text", gettext_lazy("name; “Campaign” and the number unless told otherwise"), max_length=120),
        "type": Field("text", gettext_lazy("type of the campaign"), max_length=60),
        "starts_on": Field("date", gettext_lazy("first day"), required=True),
        "ends_on": Field("date", gettext_lazy("last day"), required=True),
        "design": Field(
            "choice",
            gettext_lazy("observational or randomised; observational unless told otherwise"),
            choices=("observational", "randomised"),
        ),
    }

    def plan(self) -> None:
        job = self.job
        reason = quoted(_("stands in the file already, in line"))
        job.refuse(
            f"SELECT line, 'number' AS field, number AS value, {reason} || ' ' || first AS reason FROM ("
            "SELECT line, number, min(line) OVER (PARTITION BY number) AS first FROM staged) WHERE line > first"
        )
        reason = quoted(_("lies before the first day"))
        job.refuse(
            f"SELECT line, 'ends_on' AS field, ends_on::VARCHAR AS value, {reason} AS reason FROM staged "
            "WHERE ends_on < starts_on"
        )
        _known(job, "SELECT number FROM staged")
        if job.options.on_new == "skip":
            unknown = "number IN (SELECT number FROM campaign_keys WHERE state <> 'known')"
            job.count("campaigns_left_out", job.number(f"SELECT count(*) FROM staged WHERE {unknown}"))
            job.run(f"DELETE FROM staged WHERE {unknown}")
            job.run("DELETE FROM campaign_keys WHERE state <> 'known'")
        created = job.number("SELECT count(*) FROM campaign_keys WHERE state <> 'known'")
        job.count("campaigns_created", created)
        if job.options.on_match == "skip":
            job.count("campaigns_skipped", job.number("SELECT count(*) FROM campaign_keys WHERE state = 'known'"))

    def outcomes(self) -> str:
        known = "update" if self.job.options.on_match == "update" else "keep"
        return (
            f"SELECT r.line, CASE WHEN k.number IS NULL THEN 'leave_out' WHEN k.state = 'known' THEN '{known}' ELSE "
            "'create' END AS outcome, k.id AS record_id, CASE WHEN k.state = 'known' THEN 'number' END AS known_by "
            "FROM rows_read AS r LEFT JOIN campaign_keys AS k ON k.number = r.number"
        )

    def foresee(self) -> None:
        if self.job.options.on_match == "update":
            rows = self._rows("known")
            found = differences(Campaign, rows["campaign_id"], self._columns(rows, complete=False))
            self.job.foresee(told(rows["line"], rows["campaign_id"], found))

    def _rows(self, state: str) -> pa.Table:
        return self.job.query(
            "SELECT s.*, k.id AS campaign_id FROM staged AS s JOIN campaign_keys AS k ON k.number = s.number "
            f"WHERE k.state = '{state}' ORDER BY s.line"
        )

    def _columns(self, rows: pa.Table, *, complete: bool) -> dict[str, Any]:
        columns: dict[str, Any] = {"starts_on": rows["starts_on"], "ends_on": rows["ends_on"]}
        if complete:
            usual = pa.array(
                [_("Campaign %(number)s") % {"number": n} for n in rows["number"].to_pylist()], pa.string()
            )
            columns["name"] = pc.coalesce(rows["name"], usual) if self.job.has("name") else usual
            columns |= {"type": "", "design": "observational"}
        elif self.job.has("name"):
            columns["name"] = pc.fill_null(rows["name"], "")
        if self.job.has("type"):
            columns["type"] = pc.fill_null(rows["type"], "")
        if self.job.has("design"):
            columns["design"] = pc.fill_null(rows["design"], "observational")
        return columns

    def write(self) -> None:
        job = self.job
        rows = self._rows("new")
        if len(rows):
            with job.chunk():
                columns = {"source_id": job.source_id, "number": rows["number"], **self._columns(rows, complete=True)}
                job.insert(Campaign, columns, len(rows))
        job.tick(len(rows))

    def publish(self) -> None:
        job = self.job
        revived = self._rows("hidden")
        columns = {**self._columns(revived, complete=True), "load_id": job.load.pk}
        bulk.update(Campaign, revived["campaign_id"], columns)
        if job.options.on_match == "update":
            rows = self._rows("known")
            columns = self._columns(rows, complete=False)
            job.count("campaigns_updated", update_changed(job, Campaign, "campaign", rows["campaign_id"], columns))


class ExposureLoader(Loader):
    """One row per campaign and customer who received it."""

    fields: ClassVar[dict[str, Field]] = {
        "campaign": Field("key", gettext_lazy("number of the campaign in the source"), required=True, max_length=60),
        "customer": Field(
            "key", gettext_lazy("who received it, as the source numbers them or by another identifier"), required=True
        ),
        "sent_on": Field("date", gettext_lazy("day it was sent; the campaign's first day unless told otherwise")),
    }

    def plan(self) -> None:
        job = self.job
        self.customers = CustomerKeys(job)
        self.customers.plan()
        _known(job, "SELECT DISTINCT campaign FROM staged")
        reason = quoted(_("is no known campaign; import the campaigns first"))
        job.refuse(
            f"SELECT s.line, 'campaign' AS field, s.campaign AS value, {reason} AS reason FROM staged AS s "
            "JOIN campaign_keys AS k ON k.number = s.campaign WHERE k.state <> 'known'"
        )
        job.run("ALTER TABLE staged ADD COLUMN message_id VARCHAR")
        job.run(
            "UPDATE staged AS s SET message_id = left('exposure:' || s.campaign || ':' || f.value, 120) "
            "FROM customer_forms AS f WHERE f.raw = s.customer"
        )
        reason = quoted(_("received this campaign according to the file already, in line"))
        job.refuse(
            f"SELECT line, 'customer' AS field, customer AS value, {reason} || ' ' || first AS reason FROM ("
            "SELECT line, customer, min(line) OVER (PARTITION BY message_id) AS first FROM staged) WHERE line > first"
        )
        self._skip_known()
        job.run("CREATE OR REPLACE TABLE customers_used AS SELECT DISTINCT customer FROM staged")
        self.customers.lookup("SELECT customer FROM customers_used")
        job.count("exposures_created", job.number("SELECT count(*) FROM staged"))

    def _skip_known(self) -> None:
        job = self.job
        if job.source_id is None:
            return
        ids = job.query("SELECT message_id FROM staged").column(0).to_pylist()
        found = bulk.lookup(Interaction, "message_id", ids, ["message_id", "load_id"], source_id=job.source_id)
        hidden = set(job.hidden)
        known = sorted({message for message, load in found if load not in hidden})
        job.put("messages_known", pa.table({"message_id": pa.array(known, pa.string())}))
        job.run("DELETE FROM staged WHERE message_id IN (SELECT message_id FROM messages_known)")
        job.count("exposures_skipped", len(known))

    def write(self) -> None:
        job = self.job
        self.customers.write()
        sent_on = "coalesce(s.sent_on, k.starts_on)" if job.has("sent_on") else "k.starts_on"
        job.run(
            "CREATE OR REPLACE TABLE ordered AS SELECT s.message_id, k.id AS campaign_id, k.name, "
            f"c.id AS customer_id, {sent_on} AS sent_on, row_number() OVER (ORDER BY k.starts_on, s.line) AS n "
            "FROM staged AS s JOIN campaign_keys AS k ON k.number = s.campaign "
            "JOIN customer_keys AS c ON c.key = s.customer"
        )
        for first, last in chunks(job.number("SELECT count(*) FROM ordered"), job.options.chunk_rows):
            rows = job.query(f"SELECT * FROM ordered WHERE n BETWEEN {first} AND {last} ORDER BY n")
            with job.chunk():
                self._write_chunk(rows)
            job.tick(len(rows))

    def _write_chunk(self, rows: pa.Table) -> None:
        job = self.job
        kind = registries.interaction_kinds[KIND]
        days = np.asarray(rows["sent_on"].cast(pa.int32()))
        starts = times.day_starts(days, job.context.zone)
        ids = job.insert(
            Interaction,
            {
                "customer_id": rows["customer_id"],
                "kind": kind.key,
                "channel": kind.channel,
                "direction": kind.direction,
                "initiative": kind.initiative,
                "medium": kind.medium,
                "occurred_at": pa.array(starts, pa.int64()).cast(pa.timestamp("us")),
                "business_date": rows["sent_on"],
                "title": rows["name"],
                "details": pa.array([json.dumps({"campaign": key}) for key in rows["campaign_id"].to_pylist()]),
                "source_id": job.source_id,
                "message_id": rows["message_id"],
            },
            len(rows),
        )
        columns = {
            "campaign_id": rows["campaign_id"],
            "customer_id": rows["customer_id"],
            "sent_on": rows["sent_on"],
            "interaction_id": ids,
        }
        job.insert(Exposure, columns, len(rows))

    def publish(self) -> None:
        self.customers.publish()
