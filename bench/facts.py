"""Facts of the Complete Journey by the product's Ibis expressions, beside the same query in plain DuckDB over the same
Parquet files: ``python -m bench.facts [--lines 100000000]`` (aim: within 1.3 times). With ``--lines`` the
columnar copy is first grown to so many order lines, see :mod:`bench.replicate`.

The plain query is written by hand over the files themselves, without views, Ibis, merges, loads and retractions (the
demo has none to leave out). Both run in turn in one process; the medians and the spread are printed, and that both give
the same sums.
"""

import argparse
import dataclasses
import json
import os
import statistics
import sys
import time
from typing import Any

from bench.homes import call, empty_home, setup
from bench.replicate import replicate

PLAIN = """
WITH o AS (SELECT * FROM {orders} WHERE business_date <= DATE '{day}' AND currency = '{currency}'),
per_order AS (
    SELECT customer_id, count(*) AS orders, sum(total)::BIGINT AS spend,
        count(DISTINCT store) FILTER (store <> '') AS stores,
        coalesce(sum(total) FILTER (business_date > DATE '{day}' - 30), 0)::BIGINT AS spend_30,
        coalesce(sum(total) FILTER (business_date > DATE '{day}' - 90), 0)::BIGINT AS spend_90,
        coalesce(sum(total) FILTER (business_date > DATE '{day}' - 365), 0)::BIGINT AS spend_365,
        floor((2 * sum(total) FILTER (total > 0) + count(*) FILTER (total > 0))
            / nullif(2 * count(*) FILTER (total > 0), 0))::BIGINT AS average_basket
    FROM o GROUP BY customer_id),
days AS (SELECT customer_id, business_date AS day FROM o WHERE total >= 0 GROUP BY ALL),
gaps AS (
    SELECT customer_id, day, day - lag(day) OVER w AS gap, row_number() OVER w AS place
    FROM days WINDOW w AS (PARTITION BY customer_id ORDER BY day)),
usual AS (SELECT quantile_cont(gap, .9) AS longest FROM gaps WHERE place = 2),
rhythm AS (
    SELECT customer_id, count(*) AS purchase_days, min(day) AS first_purchase, max(day) AS last_purchase,
        median(gap) AS typical_gap_days,
        CASE WHEN count(*) >= 3 THEN quantile_cont(gap, .9) END AS gap_q90_days
    FROM gaps GROUP BY customer_id),
cells AS (
    SELECT o.customer_id, p.category_id, p.own_label, sum(l.total)::BIGINT AS spent,
        sum(l.discount + l.coupon_discount + l.match_discount)::BIGINT AS discounts
    FROM {order_lines} l JOIN o ON o.id = l.order_id
    LEFT JOIN {products} p ON p.id = l.product_id
    WHERE l.total >= 0 GROUP BY ALL),
shares AS (
    SELECT customer_id,
        coalesce(sum(spent) FILTER (own_label), 0) / nullif(sum(spent) FILTER (own_label IS NOT NULL), 0)
            AS own_label_share,
        sum(discounts) / nullif(sum(spent + discounts), 0) AS discount_share
    FROM cells GROUP BY customer_id),
second AS (
    SELECT id, array_to_string(string_split(path, ' > ')[:2], ' > ') AS path,
        list_last(string_split(path, ' > ')[:2]) AS name
    FROM {categories}),
liked AS (
    SELECT customer_id, path, name, sum(spent) AS spent
    FROM cells JOIN second ON second.id = cells.category_id GROUP BY ALL),
favourite AS (
    SELECT customer_id, count(*) AS categories, max(name) FILTER (place = 1) AS favourite_category
    FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY spent DESC, path) AS place FROM liked)
    GROUP BY customer_id),
i AS (SELECT * FROM {interactions} WHERE business_date <= DATE '{day}'),
contact AS (
    SELECT customer_id, count(*) AS interactions, max(business_date) FILTER (direction = 'outbound') AS last_contact
    FROM i GROUP BY customer_id),
campaign AS (
    SELECT e.customer_id, count(DISTINCT campaign_id) AS campaigns_received,
        count(DISTINCT campaign_id) FILTER (a.answered IS NOT NULL) AS campaigns_answered
    FROM {exposures} e
    LEFT JOIN (SELECT DISTINCT in_response_to AS answered FROM i WHERE direction = 'inbound') a
        ON a.answered = e.interaction_id
    WHERE sent_on <= DATE '{day}' AND suppressed = '' GROUP BY e.customer_id)
SELECT *, DATE '{day}' - last_purchase AS recency_days,
    (purchase_days - 1) * 30 / nullif(DATE '{day}' - first_purchase, 0) AS frequency,
    (DATE '{day}' - last_purchase) / coalesce(gap_q90_days, (SELECT longest FROM usual), 90) AS overdue
FROM (SELECT id AS customer_id FROM {customers} WHERE NOT is_merged)
LEFT JOIN per_order USING (customer_id) LEFT JOIN rhythm USING (customer_id) LEFT JOIN shares USING (customer_id)
LEFT JOIN favourite USING (customer_id) LEFT JOIN contact USING (customer_id) LEFT JOIN campaign USING (customer_id)
ORDER BY customer_id
"""
TABLES = ("orders", "order_lines", "products", "categories", "interactions", "exposures", "customers")
COMPARED = (
    "orders",
    "spend",
    "spend_90",
    "purchase_days",
    "recency_days",
    "categories",
    "campaigns_answered",
    "stores",
)


def measure(rounds: int) -> dict[str, Any]:
    """Seconds of both queries in turn on this process' home, and whether their sums agree."""
    from rondo.analysis.facts import fact_table, past
    from rondo.foundation.installation import installation
    from rondo.warehouse import delta
    from rondo.warehouse.tables import open_tables

    currency = installation().currency
    with open_tables() as tables:
        day = tables.sql("SELECT max(business_date) AS day FROM orders").execute()["day"][0].date()
        # A table without rows has no file to read; its view stands in for it.
        files = {
            name: f"read_parquet({found.file_uris()!r})" if found.file_uris() else f"raw_{name}"
            for name in TABLES
            if (found := delta.existing(name)) is not None
        }
        plain = PLAIN.format(day=day.isoformat(), currency=currency, **files)
        seconds: dict[str, list[float]] = {"rondo": [], "writing": [], "plain": []}
        for _round in range(rounds + 1):
            started = time.perf_counter()
            _write_only(tables, past(tables, day, currency))
            seconds["writing"].append(time.perf_counter() - started)
            started = time.perf_counter()
            ours = tables.arrow(fact_table(past(tables, day, currency)).order_by("customer_id"))
            between = time.perf_counter()
            theirs = tables.connection.con.sql(plain).to_arrow_table()
            seconds["rondo"].append(between - started)
            seconds["plain"].append(time.perf_counter() - between)
    sums = [[sum(v or 0 for v in found[name].to_pylist()) for name in COMPARED] for found in (ours, theirs)]
    # The first round reads the files into the system's cache and is left out.
    return {name: kept[1:] for name, kept in seconds.items()} | {"equal": sums[0] == sums[1], "rows": ours.num_rows}


def _write_only(tables: Any, known: Any) -> None:
    """Write every query of the facts, and run none."""
    import ibis

    from rondo.analysis.facts import fact_table

    def write(expression: Any) -> Any:
        tables.connection.compile(expression)
        return ibis.table(expression.schema(), name="kept")

    tables.connection.compile(fact_table(dataclasses.replace(known, keep=write)).order_by("customer_id"))


def prepare_and_measure(rounds: int, lines: int) -> dict[str, Any]:
    """Load the demo into this process' home, copy it, grow the copy to ``lines`` order lines, and measure."""
    setup()
    from django.core.management import call_command

    call_command("demo", "--no-serve", stdout=sys.stderr)
    grown = replicate(lines) if lines else 0
    return measure(rounds) | {"lines": grown}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.facts", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--lines", type=int, default=0, help="grow the copy to so many order lines, with jitter")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--here", action="store_true", help="measure on the copy of RONDO_HOME as it stands")
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(prepare_and_measure(given.rounds, given.lines)))
        return 0
    if given.here:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rondo.settings")
        setup()
        found = measure(given.rounds)
    else:
        with empty_home() as home:
            asked = ("--rounds", str(given.rounds), "--lines", str(given.lines))
            found = call("bench.facts", "--inside", *asked, home=home)
    ours, plain = statistics.median(found["rondo"]), statistics.median(found["plain"])
    print(f"facts of {found['rows']:,} customers" + (f", {found['lines']:,} lines" if found.get("lines") else ""))
    print(f"rondo                             {ours:.3f} s ({min(found['rondo']):.3f} to {max(found['rondo']):.3f})")
    print(f"  of which writing the query      {statistics.median(found['writing']):.3f} s at any size")
    print(f"plain DuckDB over the same files  {plain:.3f} s ({min(found['plain']):.3f} to {max(found['plain']):.3f})")
    print(f"ratio {ours / plain:.2f} (aim: 1.3); sums {'equal' if found['equal'] else 'DIFFER'}")
    return 0 if found["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
