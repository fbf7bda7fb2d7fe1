"""Orders from files: one row per order line, lines of an order brought together over the whole file by the order's
number."""

from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from babel.numbers import get_currency_precision
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.catalogue.loading import ProductKeys
from rondo.customers.loading import CustomerKeys
from rondo.foundation.loading import bulk, times
from rondo.foundation.loading.changes import quoted
from rondo.foundation.loading.fields import Field
from rondo.foundation.loading.job import Loader
from rondo.foundation.money import MAX_MINOR
from rondo.foundation.registry import registries
from rondo.interactions.models import Interaction, Order, OrderLine

_SUMS = ("total", "discount", "coupon_discount", "match_discount")


class OrderLoader(Loader):
    """One row per line. An order is never half in: a refused line takes its order along."""

    fields: ClassVar[dict[str, Field]] = {
        "order": Field("key", gettext_lazy("number of the order in the source"), required=True, max_length=60),
        "customer": Field(
            "key", gettext_lazy("who bought, as the source numbers them or by another identifier"), required=True
        ),
        "product": Field("key", gettext_lazy("number of the product in the source"), required=True, max_length=60),
        "occurred_at": Field("instant", gettext_lazy("when it was bought"), required=True),
        "total": Field("money", gettext_lazy("what was paid for the line, after discounts"), required=True),
        "quantity": Field("quantity", gettext_lazy("how many, 1 unless told otherwise")),
        "discount": Field("money", gettext_lazy("discount of the line")),
        "coupon_discount": Field("money", gettext_lazy("discount by coupon")),
        "match_discount": Field("money", gettext_lazy("discount by matching another's coupon")),
        "store": Field("text", gettext_lazy("code or short name of the store"), max_length=40, code=True),
        "channel": Field(
            "text", gettext_lazy("channel of the purchase, store unless told otherwise"), max_length=16, code=True
        ),
        "currency": Field(
            "currency", gettext_lazy("currency (ISO 4217), the company's unless told otherwise"), max_length=3
        ),
    }

    def plan(self) -> None:
        job = self.job
        self.customers = CustomerKeys(job)
        self.products = ProductKeys(job, "SELECT DISTINCT product FROM staged")
        self.customers.plan()
        self._consistent()
        self._refuse_too_large()
        self._hold_back()
        self._skip_known()
        job.run("CREATE OR REPLACE TABLE customer_forms_used AS SELECT DISTINCT customer FROM staged")
        self.customers.lookup("SELECT customer FROM customer_forms_used")
        self.products.plan()
        job.count("orders_created", job.number('SELECT count(DISTINCT "order") FROM staged'))
        job.count("lines_created", job.number("SELECT count(*) FROM staged"))

    def _consistent(self) -> None:
        """Lines of one order must agree on customer and currency."""
        job = self.job
        for field, reason in (
            ("customer", _("differs from the customer of the order's first line")),
            ("currency", _("differs from the currency of the order's first line")),
        ):
            if job.has(field):
                job.refuse(
                    f"SELECT line, '{field}' AS field, s.{field} AS value, {quoted(reason)} AS reason FROM staged AS s "
                    f'JOIN (SELECT "order", arg_min({field}, line) AS first FROM staged GROUP BY "order" '
                    f'HAVING count(DISTINCT {field}) > 1) AS o ON o."order" = s."order" WHERE s.{field} IS DISTINCT '
                    "FROM o.first"
                )

    def _refuse_too_large(self) -> None:
        """An order whose lines add up to more than an amount may be."""
        limit = f"{MAX_MINOR // 10 ** get_currency_precision(self.job.context.currency):,}"
        reason = quoted(_("is beyond the largest amount that is taken (%(limit)s)") % {"limit": limit})
        for field in filter(self.job.has, _SUMS):
            self.job.refuse(
                f"SELECT s.line, '{field}' AS field, o.whole::VARCHAR AS value, {reason} AS reason FROM staged AS s "
                f'JOIN (SELECT "order", sum({field}) AS whole FROM staged GROUP BY "order" '
                f'HAVING abs(sum({field})) > {MAX_MINOR}) AS o ON o."order" = s."order"'
            )

    def _hold_back(self) -> None:
        """Good lines of an order that has a refused one go to the rejects too, so that no order is half in."""
        job = self.job
        before = job.number("SELECT count(*) FROM rejected")
        if not before:
            return
        reason = quoted(_("is held back, since another line of this order was refused: line"))
        held = job.refuse(
            f"SELECT s.line, 'order' AS field, s.\"order\" AS value, {reason} || ' ' || r.line AS reason "
            "FROM staged AS s "
            "JOIN (SELECT group_key, min(line) AS line FROM rejected WHERE group_key IS NOT NULL GROUP BY "
            "group_key) AS r "
            'ON r.group_key = s."order"'
        )
        job.count("rows_held_back", held)

    def _skip_known(self) -> None:
        """Orders that the database shows already are left out and counted."""
        job = self.job
        if job.source_id is None:
            return
        numbers = job.query('SELECT DISTINCT "order" FROM staged').column(0).to_pylist()
        found = bulk.lookup(Order, "number", numbers, ["number", "load_id"], source_id=job.source_id)
        hidden = set(job.hidden)
        known = {number for number, load in found if load not in hidden}
        if known:
            job.put("orders_known", pa.table({"number": pa.array(sorted(known), pa.string())}))
            job.run('DELETE FROM staged WHERE "order" IN (SELECT number FROM orders_known)')
            job.count("orders_skipped", len(known))

    def write(self) -> None:
        job = self.job
        self.customers.write()
        self.products.write()
        sums = ", ".join(f's."{name}"' if job.has(name) else f"0::BIGINT AS {name}" for name in _SUMS)
        size = job.options.chunk_rows
        job.run(
            f'CREATE OR REPLACE TABLE order_rows AS WITH o AS (SELECT "order", arg_min(customer, line) AS customer, '
            f"min(occurred_at) AS bought_at, sum(total)::BIGINT AS total, count(*) AS lines, "
            f"arg_min({job.column('store')}::VARCHAR, line) AS store, "
            f"arg_min({job.column('channel')}::VARCHAR, line) AS channel, "
            f'arg_min({job.column("currency")}::VARCHAR, line) AS currency FROM staged GROUP BY "order") '
            "SELECT o.*, c.id AS customer_id, row_number() OVER w AS n, "
            f"((sum(lines) OVER w - lines) // {size})::BIGINT AS chunk FROM o JOIN customer_keys AS c ON "
            "c.key = o.customer "
            'WINDOW w AS (ORDER BY bought_at, "order" ROWS UNBOUNDED PRECEDING)'
        )
        job.run(
            f"CREATE OR REPLACE TABLE order_lines AS SELECT o.n, o.chunk, p.id AS product_id, "
            f"coalesce({job.column('quantity')}, 1000)::BIGINT AS quantity_milli, {sums} FROM staged AS s "
            'JOIN order_rows AS o ON o."order" = s."order" JOIN product_keys AS p ON p.key = s.product '
            "ORDER BY o.n, s.line"
        )
        numbers = job.query("SELECT DISTINCT chunk FROM order_rows ORDER BY chunk").column(0).to_pylist()
        for chunk in numbers:
            orders = job.query(f"SELECT * FROM order_rows WHERE chunk = {chunk} ORDER BY n")
            lines = job.query(f"SELECT * FROM order_lines WHERE chunk = {chunk} ORDER BY n")
            with job.chunk():
                self._write_chunk(orders, lines)
            job.tick(len(lines))

    def _write_chunk(self, orders: pa.Table, lines: pa.Table) -> None:
        job = self.job
        kind = registries.interaction_kinds["purchase"]
        micros = np.asarray(orders["bought_at"].cast(pa.int64()))
        days = pa.array(times.business_days(micros, job.context.zone), pa.int32()).cast(pa.date32())
        currency = pc.fill_null(orders["currency"], job.context.currency)
        ids = job.insert(
            Interaction,
            {
                "customer_id": orders["customer_id"],
                "kind": kind.key,
                "channel": pc.fill_null(orders["channel"], kind.channel),
                "direction": kind.direction,
                "initiative": kind.initiative,
                "medium": kind.medium,
                "occurred_at": orders["bought_at"],
                "business_date": days,
                "amount": orders["total"],
                "currency": currency,
                "source_id": job.source_id,
            },
            len(orders),
        )
        columns: dict[str, Any] = {
            "interaction_id": ids,
            "source_id": job.source_id,
            "number": orders["order"],
            "store": pc.fill_null(orders["store"], ""),
            "total": orders["total"],
            "currency": currency,
            "line_count": orders["lines"],
        }
        job.insert(Order, columns, len(orders), keyed=True)
        offset = np.asarray(ids)[0] - np.asarray(orders["n"])[0]
        lines_of = {name: pc.fill_null(lines[name], 0) for name in _SUMS}
        job.insert(
            OrderLine,
            {
                "order_id": pa.array(np.asarray(lines["n"]) + offset, pa.int64()),
                "product_id": lines["product_id"],
                "quantity_milli": lines["quantity_milli"],
                **lines_of,
            },
            len(lines),
        )

    def publish(self) -> None:
        self.customers.publish()
        self.products.publish()
