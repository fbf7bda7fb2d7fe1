"""Interactions from files: contacts of any registered kind, and which earlier one each of them answers."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.catalogue.loading import PATH_MARK
from rondo.catalogue.models import Category, Product
from rondo.customers.loading import CustomerKeys
from rondo.foundation.loading import bulk, times
from rondo.foundation.loading.changes import quoted
from rondo.foundation.loading.fields import Field, ImportOptions
from rondo.foundation.loading.job import Loader, chunks
from rondo.foundation.registry import registries
from rondo.interactions.models import About, Departure, Interaction
from rondo.interactions.queries import LEAVING
from rondo.interactions.reasons import GROUPS, reasons

_AXES = ("channel", "direction", "initiative", "medium")


class InteractionLoader(Loader):
    """One row per contact. A row without a message id gets one made of its content, so that it comes in once."""

    fields: ClassVar[dict[str, Field]] = {
        "customer": Field(
            "key", gettext_lazy("whom, as the source numbers them or by another identifier"), required=True
        ),
        "kind": Field("choice", gettext_lazy("kind of contact"), required=True),
        "occurred_at": Field("instant", gettext_lazy("when"), required=True),
        "channel": Field(
            "text", gettext_lazy("channel; that of the kind unless told otherwise"), max_length=16, code=True
        ),
        "direction": Field("choice", gettext_lazy("inbound or outbound"), choices=("inbound", "outbound")),
        "initiative": Field("choice", gettext_lazy("push or pull"), choices=("push", "pull")),
        "medium": Field("choice", gettext_lazy("owned, paid or earned"), choices=("owned", "paid", "earned")),
        "amount": Field("money", gettext_lazy("amount in major units")),
        "currency": Field(
            "currency", gettext_lazy("currency (ISO 4217), the company's unless told otherwise"), max_length=3
        ),
        "title": Field("text", gettext_lazy("one line on what it was"), max_length=200),
        "body": Field("long_text", gettext_lazy("text"), max_length=100_000),
        "message_id": Field("key", gettext_lazy("number of the contact in the source"), max_length=120),
        "answers": Field("key", gettext_lazy("message id of the contact that it answers"), max_length=120),
        "category": Field(
            "text",
            gettext_lazy("category that it is about: its name, or the path to it with “>” between its levels"),
            max_length=400,
        ),
        "product": Field("key", gettext_lazy("number of the product that it is about"), max_length=60),
        "reason": Field(
            "choice",
            gettext_lazy("group of reasons for leaving, of a cancellation or notice; follows from the reason"),
            choices=tuple(GROUPS),
        ),
        "sub_reason": Field("choice", gettext_lazy("reason for leaving, of a cancellation or notice")),
    }

    @classmethod
    def available(cls, options: ImportOptions) -> dict[str, Field]:
        """The fields, with the kinds that are registered (purchases come in as orders) and the reasons there are."""
        kinds = tuple(kind.key for kind in registries.interaction_kinds if kind.key != "purchase")
        return {
            **cls.fields,
            "kind": Field("choice", cls.fields["kind"].meaning, required=True, max_length=24, choices=kinds),
            "sub_reason": Field("choice", cls.fields["sub_reason"].meaning, choices=tuple(reasons())),
        }

    def plan(self) -> None:
        job = self.job
        self.customers = CustomerKeys(job)
        self.customers.plan()
        self._about()
        self._reasons()
        self._message_ids()
        self._skip_known()
        job.run("CREATE OR REPLACE TABLE customers_used AS SELECT DISTINCT customer FROM staged")
        self.customers.lookup("SELECT customer FROM customers_used")
        job.count("interactions_created", job.number("SELECT count(*) FROM staged"))
        self._answers()

    def _message_ids(self) -> None:
        job = self.job
        if not job.has("message_id"):
            job.run("ALTER TABLE staged ADD COLUMN message_id VARCHAR")
        told = ["customer", "kind", "occurred_at", "title", "body", "amount", "channel", "direction"]
        # only where they are given: files without them keep the ids they had
        told += [field for field in ("category", "product", "reason", "sub_reason") if job.has(field)]
        parts = ", ".join(f"coalesce({job.column(field)}::VARCHAR, '')" for field in told)
        # the same content twice in a file is two contacts; the same file again is none
        job.run(
            f"CREATE OR REPLACE TABLE made AS SELECT line, 'row:' || digest || ':' || row_number() OVER "
            "(PARTITION BY digest ORDER BY line) AS message_id FROM (SELECT line, md5(concat_ws(chr(31), "
            f"{parts})) AS digest "
            "FROM staged WHERE message_id IS NULL)"
        )
        job.run("UPDATE staged AS s SET message_id = m.message_id FROM made AS m WHERE m.line = s.line")
        job.refuse(
            "SELECT line, 'message_id' AS field, message_id AS value, "
            f"{quoted(_('stands in the file already, in line'))} || ' ' || first AS reason FROM (SELECT "
            "line, message_id, "
            "min(line) OVER (PARTITION BY message_id) AS first FROM staged) WHERE line > first"
        )

    def _about(self) -> None:
        """Tables ``about_category`` and ``about_product`` (what the file calls it, id); refuses rows that name
        what the catalogue does not have."""
        job = self.job
        for field, find, reason in (
            ("category", self._categories, _("is no category of the catalogue; import products with it first")),
            ("product", self._products, _("is no product of this source; import products first")),
        ):
            given: list[str] = []
            if job.has(field):
                given = (
                    job.query(f"SELECT DISTINCT {field} FROM staged WHERE {field} IS NOT NULL").column(0).to_pylist()
                )
            found = find(given) if given else {}
            job.put(
                f"about_{field}",
                pa.table(
                    {"name": pa.array(list(found), pa.string()), "id": pa.array(list(found.values()), pa.int64())}
                ),
            )
            if given:
                job.refuse(
                    f"SELECT line, '{field}' AS field, {field} AS value, {quoted(reason)} AS reason FROM staged "
                    f"WHERE {field} IS NOT NULL AND {field} NOT IN (SELECT name FROM about_{field})"
                )

    def _reasons(self) -> None:
        """Refuses reasons of other kinds, and those of another group; the group follows from the reason."""
        job = self.job
        self.group_of = {one.key: one.group for one in reasons().values()}
        job.put("groups", pa.table({"one": list(self.group_of), "group_of": list(self.group_of.values())}))
        kinds = ", ".join(quoted(kind) for kind in LEAVING)
        for field in ("reason", "sub_reason"):
            if job.has(field):
                wrong = quoted(_("is a reason for leaving; only a cancellation or a notice has one"))
                job.refuse(
                    f"SELECT line, '{field}' AS field, {field} AS value, {wrong} AS reason FROM staged "
                    f"WHERE {field} IS NOT NULL AND kind NOT IN ({kinds})"
                )
        if job.has("reason") and job.has("sub_reason"):
            wrong = quoted(_("is a reason of another group"))
            job.refuse(
                f"SELECT s.line, 'sub_reason' AS field, s.sub_reason AS value, {wrong} AS reason FROM staged AS s "
                "JOIN groups AS g ON g.one = s.sub_reason WHERE s.reason IS NOT NULL AND s.reason <> g.group_of"
            )

    def _categories(self, given: list[str]) -> dict[str, int]:
        """Keys of the categories meant: by the path, or by a name that only one of them has."""
        paths: dict[str, int] = {}
        named: dict[str, list[int]] = {}
        for key, path, name in Category.objects.values_list("pk", "path", "name"):
            paths[path] = key
            named.setdefault(name, []).append(key)
        found = {}
        for text in given:
            path = " > ".join(part for part in map(str.strip, text.split(PATH_MARK)) if part)
            keys = [paths[path]] if path in paths else named.get(path, [])
            if len(keys) == 1:
                found[text] = keys[0]
        return found

    def _products(self, given: list[str]) -> dict[str, int]:
        job, hidden = self.job, set(self.job.hidden)
        if job.source_id is None:
            return {}
        rows = bulk.lookup(Product, "number", given, ["number", "id", "load_id"], source_id=job.source_id)
        return {row[0]: row[1] for row in rows if row[2] not in hidden}

    def _known(self, distinct: str, table: str) -> None:
        """``table``(message_id, id): interactions of the source that stand in the database."""
        job = self.job
        found = []
        if job.source_id is not None:
            wanted = ["message_id", "id", "load_id"]
            values = job.query(distinct).column(0).drop_null().to_pylist()
            found = bulk.lookup(Interaction, "message_id", values, wanted, source_id=job.source_id)
        hidden = set(job.hidden)
        shown = {row[0]: row[1] for row in found if row[2] not in hidden}
        job.put(
            table,
            pa.table(
                {"message_id": pa.array(list(shown), pa.string()), "id": pa.array(list(shown.values()), pa.int64())}
            ),
        )

    def _skip_known(self) -> None:
        job = self.job
        self._known("SELECT message_id FROM staged", "messages_known")
        job.count(
            "interactions_skipped",
            job.number("SELECT count(*) FROM staged WHERE message_id IN (SELECT message_id FROM messages_known)"),
        )
        job.run("DELETE FROM staged WHERE message_id IN (SELECT message_id FROM messages_known)")

    def _answers(self) -> None:
        """``levels``(line, depth): answers to contacts of the same file are written after what they answer."""
        job = self.job
        answers = job.column("answers", "NULL::VARCHAR")
        self._known(f"SELECT DISTINCT {answers} FROM staged", "answered")
        job.run(
            f"CREATE OR REPLACE TABLE levels AS SELECT line, message_id, {answers} AS answers, "
            f"CASE WHEN {answers} IS NULL OR {answers} IN (SELECT message_id FROM answered) "
            f"OR {answers} NOT IN (SELECT message_id FROM staged) THEN 0 END AS depth FROM staged"
        )
        depth = 0
        while job.number("SELECT count(*) FROM levels WHERE depth IS NULL"):
            job.run(
                f"UPDATE levels AS l SET depth = {depth + 1} FROM levels AS a "
                f"WHERE l.depth IS NULL AND a.message_id = l.answers AND a.depth = {depth}"
            )
            depth += 1
            if not job.number(f"SELECT count(*) FROM levels WHERE depth = {depth}"):
                job.run(
                    "UPDATE levels SET depth = 0, answers = NULL WHERE depth IS NULL"
                )  # they answer each other in a ring
        unknown = job.number(
            f"SELECT count(*) FROM staged AS s WHERE {answers} IS NOT NULL "
            f"AND {answers} NOT IN (SELECT message_id FROM answered) AND {answers} NOT IN (SELECT message_id "
            "FROM staged)"
        )
        job.count("answers_to_unknown", unknown)

    def write(self) -> None:
        job = self.job
        self.customers.write()
        job.run("CREATE OR REPLACE TABLE written (message_id VARCHAR, id BIGINT)")
        job.run(
            "CREATE OR REPLACE TABLE ordered AS SELECT s.*, c.id AS customer_id, l.answers AS answered_id, "
            "row_number() OVER (ORDER BY l.depth, s.occurred_at, s.line) AS n, l.depth "
            "FROM staged AS s JOIN levels AS l ON l.line = s.line JOIN customer_keys AS c ON c.key = s.customer"
        )
        depths = job.query("SELECT depth, min(n) AS first, max(n) AS last FROM ordered GROUP BY depth ORDER BY depth")
        for row in depths.to_pylist():
            for start, end in chunks(row["last"] - row["first"] + 1, job.options.chunk_rows):
                first, last = row["first"] + start - 1, row["first"] + end - 1
                rows = job.query(
                    "SELECT o.*, coalesce(a.id, w.id) AS in_response_to_id, k.id AS about_category_id, "
                    "p.id AS about_product_id FROM ordered AS o "
                    "LEFT JOIN answered AS a ON a.message_id = o.answered_id "
                    "LEFT JOIN written AS w ON w.message_id = o.answered_id "
                    f"LEFT JOIN about_category AS k ON k.name = {job.column('category', 'NULL::VARCHAR')} "
                    f"LEFT JOIN about_product AS p ON p.name = {job.column('product', 'NULL::VARCHAR')} "
                    f"WHERE o.n BETWEEN {first} AND {last} ORDER BY o.n"
                )
                with job.chunk():
                    ids = self._write_chunk(rows)
                if len(depths) > 1:
                    job.put("just_written", pa.table({"message_id": rows["message_id"], "id": ids}))
                    job.run("INSERT INTO written SELECT message_id, id FROM just_written")
                job.tick(len(rows))

    def _write_chunk(self, rows: pa.Table) -> pa.Array:
        job = self.job
        kinds = list(registries.interaction_kinds)
        index = pc.index_in(rows["kind"], value_set=pa.array([kind.key for kind in kinds]))
        columns: dict[str, Any] = {}
        for axis in _AXES:
            usual = pc.take(pa.array([getattr(kind, axis) for kind in kinds]), index)
            columns[axis] = pc.coalesce(rows[axis], usual) if job.has(axis) else usual
        for field in ("title", "body"):
            columns[field] = pc.fill_null(rows[field], "") if job.has(field) else ""
        if job.has("amount"):
            columns["amount"] = rows["amount"]
            given = rows["currency"] if job.has("currency") else pa.nulls(len(rows), pa.string())
            columns["currency"] = pc.if_else(pc.is_valid(rows["amount"]), pc.fill_null(given, job.context.currency), "")
        micros = np.asarray(rows["occurred_at"].cast(pa.int64()))
        days = pa.array(times.business_days(micros, job.context.zone), pa.int32()).cast(pa.date32())
        ids = job.insert(
            Interaction,
            {
                "customer_id": rows["customer_id"],
                "kind": rows["kind"],
                "occurred_at": rows["occurred_at"],
                "business_date": days,
                "in_response_to_id": rows["in_response_to_id"],
                "source_id": job.source_id,
                "message_id": rows["message_id"],
                **columns,
            },
            len(rows),
        )
        about = rows.select(["about_category_id", "about_product_id"]).append_column("interaction_id", ids)
        about = about.filter(pc.or_(pc.is_valid(about["about_category_id"]), pc.is_valid(about["about_product_id"])))
        given = {
            "interaction_id": about["interaction_id"],
            "category_id": about["about_category_id"],
            "product_id": about["about_product_id"],
        }
        job.insert(About, given, len(about), keyed=True)
        self._write_reasons(rows, ids)
        return ids

    def _write_reasons(self, rows: pa.Table, ids: pa.Array) -> None:
        job, none = self.job, pa.nulls(len(rows), pa.string())
        more = rows["sub_reason"] if job.has("sub_reason") else none
        follows = pc.take(pa.array(self.group_of.values()), pc.index_in(more, value_set=pa.array(self.group_of)))
        why = pc.coalesce(rows["reason"], follows) if job.has("reason") else follows
        given = pa.table({"interaction_id": ids, "reason": why, "sub_reason": pc.fill_null(more, "")})
        given = given.filter(pc.is_valid(given["reason"]))
        job.insert(Departure, {name: given[name] for name in given.schema.names}, len(given), keyed=True)

    def publish(self) -> None:
        self.customers.publish()
