"""Rules at 1,000,000 customers and 20,000,000 interactions: count and sample of 20 by Ibis on the columnar copy, and by
Django conditions on the operational store: ``python -m bench.rules`` (aims: 300 ms on attributes and facts, 1.5 s with
events).

The base is the one of :mod:`bench.large`, which is filled, copied and analysed first; ``--here`` measures on the home
that ``RONDO_HOME`` names. Beside each rule stands the same count in SQL written by hand over the same files, where
there is one: it has no loads, retractions or merges to leave out.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import django

from bench.homes import call, empty_home, setup

FACTS = (
    (
        "value >= 500 and activity in (late, asleep)",
        "SELECT count(*) FROM {scores} WHERE value >= 50000 AND activity IN ('late', 'asleep')",
    ),
    (
        "kind = person and last_purchase within 30 days",
        "SELECT count(*) FROM {scores} WHERE last_purchase > DATE '{day}' - 30",
    ),
    ("not (value > 50 or orders < 3) or known_since is unknown", ""),
)
EVENTS = (
    (
        "did purchase where category = GOODS at least 2 times within 90 days and "
        "did not purchase where category = GOODS within 30 days",
        "SELECT count(*) FROM (SELECT customer_id FROM {orders} WHERE business_date > DATE '{day}' - 90 AND "
        "business_date <= DATE '{day}' GROUP BY 1 HAVING count(*) >= 2 AND max(business_date) <= DATE '{day}' - 30)",
    ),
    (
        "did purchase within 30 days",
        "SELECT count(DISTINCT customer_id) FROM {orders} WHERE business_date > DATE '{day}' - 30",
    ),
    ("did purchase for at least 500 within 365 days", ""),
    (
        "did visit where channel = web at least 5 times",
        "SELECT count(*) FROM (SELECT customer_id FROM {interactions} WHERE kind = 'visit' AND channel = 'web' AND "
        "business_date <= DATE '{day}' GROUP BY 1 HAVING count(*) >= 5)",
    ),
    ("did campaign_mail within 90 days then not purchase within 7 days", ""),
    ("did campaign_mail then visit then purchase within 7 days", ""),
    ("value >= 100 and did not any within 90 days", ""),
)


def timed(run: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Median of the seconds, after one round that fills the system's cache, and the result."""
    found = run()
    seconds = []
    for _round in range(rounds):
        started = time.perf_counter()
        found = run()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), found


def _first(tables: Any, query: str) -> Any:
    return tables.connection.con.cursor().execute(query).fetchall()[0]


def _keys(page: Any) -> list[int]:
    return list(page.values_list("pk", flat=True))


def measure(store: bool, rounds: int) -> list[dict[str, Any]]:
    """Seconds per rule on this process' home; with ``store``, by Django conditions too."""
    from rondo.customers.queries import visible
    from rondo.rules import Context, compile_q, parse, preview, schema
    from rondo.warehouse import delta
    from rondo.warehouse.tables import open_tables

    known = schema()
    rows = []
    with open_tables() as tables:
        day = tables.connection.raw_sql("SELECT max(business_date) FROM orders").fetchall()[0][0]
        files = {
            name: f"read_parquet({found.file_uris()!r})"
            for name in ("scores", "orders", "interactions")
            if (found := delta.existing(name)) is not None
        }
        context = Context(day)
        for group, rules in (("facts", FACTS), ("events", EVENTS)):
            for text, plain in rules:
                rule = parse(text, known)
                seconds, (count, _some) = timed(partial(preview, rule, known, context, tables), rounds)
                row = {"group": group, "rule": text, "count": count, "ibis": seconds}
                if plain:
                    query = plain.format(day=day.isoformat(), **files)
                    row["plain"], found = timed(partial(_first, tables, query), rounds)
                    row["plain_count"] = found[0]
                if store:
                    page = visible(None).filter(compile_q(rule, known, context)).order_by("pk")[:20]
                    row["page"], _rows = timed(partial(_keys, page), 1)
                    if group == "facts":
                        whole = visible(None).filter(compile_q(rule, known, context, as_set=True))
                        row["store"], row["store_count"] = timed(whole.count, 1)
                rows.append(row)
                sys.stderr.write(f"\r{len(rows)} of {len(FACTS) + len(EVENTS)} rules")
    sys.stderr.write("\n")
    return rows


def prepare(customers: int, interactions: int, rounds: int) -> list[dict[str, Any]]:
    """Fill, copy and analyse this process' home, then measure."""
    setup()
    from django.core.management import call_command

    from bench.big import build

    build(customers, interactions)
    call_command("analyse", stdout=sys.stderr)
    return measure(True, rounds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.rules", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--interactions", type=int, default=20_000_000)
    parser.add_argument("--here", action="store_true", help="measure on the copy of RONDO_HOME as it stands")
    parser.add_argument("--copy-only", action="store_true", help="leave the operational store out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    size = (
        "--customers",
        str(given.customers),
        "--interactions",
        str(given.interactions),
        "--rounds",
        str(given.rounds),
    )
    if given.inside:
        print(json.dumps({"rows": prepare(given.customers, given.interactions, given.rounds)}))
        return 0
    if given.here:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rondo.settings")
        django.setup()  # the home stays as it is
        rows = measure(not given.copy_only, given.rounds)
    else:
        with empty_home() as home:
            rows = call("bench.rules", "--inside", *size, home=home)["rows"]
    wrong = 0
    print(f"{'preview':>9} {'plain':>9} {'page':>9} {'count':>9} {'found':>9}  rule")
    for row in rows:
        cells = [
            f"{1000 * row[name]:6.0f} ms" if name in row else "        –" for name in ("ibis", "plain", "page", "store")
        ]
        print(*cells, f"{row['count']:>9,}", "", row["rule"])
        others = {row[name] for name in ("plain_count", "store_count") if name in row}
        wrong += others - {row["count"]} != set()
    for group, aim in (("facts", 0.3), ("events", 1.5)):
        slowest = max(row["ibis"] for row in rows if row["group"] == group)
        print(f"slowest preview with {group}: {slowest:.2f} s (aim: {aim} s)")
    print("counts agree" if not wrong else f"{wrong} counts DIFFER")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
