"""Load of the Complete Journey's products and purchases by ``run_import``, beside the barest bulk insert of the rows
that it wrote, into the same tables with the same indexes: ``python -m bench.load``.

The bare insert gets finished tuples (SQLite: one ``executemany`` per table in one transaction; PostgreSQL: one COPY per
table), so its seconds hold no reading, checking, matching or keys. Each runs in a process and a database of its own.
"""

import argparse
import json
import pickle
import time
from pathlib import Path
from typing import Any

from bench.homes import call, empty_home, setup

TABLES = (
    "customers_source",
    "foundation_load",
    "customers_customer",
    "customers_identifier",
    "catalogue_category",
    "catalogue_product",
    "interactions_interaction",
    "interactions_order",
    "interactions_orderline",
)
TIMED = TABLES[5:]


def by_import(keep: Path) -> dict[str, Any]:
    """Import products, then orders; write the rows found afterwards to ``keep``; seconds and rows."""
    setup()
    from django.db import connection

    from rondo.demo import complete_journey
    from rondo.foundation.actors import system
    from rondo.foundation.installation import change_installation, installation
    from rondo.interactions.importing import run_import

    installation()
    change_installation(system(), currency=complete_journey.CURRENCY, time_zone=complete_journey.ZONE)
    products, orders = complete_journey.products(), complete_journey.orders()
    started = time.perf_counter()
    run_import(system(), "products", products, source=complete_journey.SOURCE)
    run_import(system(), "orders", orders, source=complete_journey.SOURCE)
    seconds = time.perf_counter() - started
    found: dict[str, Any] = {}
    rows = 0
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
            columns = [column[0] for column in cursor.description]
            raw = [tuple(json.dumps(v) if isinstance(v, dict | list) else v for v in row) for row in cursor.fetchall()]
            if connection.vendor == "sqlite":
                raw = [tuple(str(v) if hasattr(v, "isoformat") else v for v in row) for row in raw]
            found[table] = (columns, raw)
            rows += len(raw) if table in TIMED else 0
    keep.write_bytes(pickle.dumps(found))
    return {"seconds": seconds, "rows": rows}


def bare(kept: Path) -> dict[str, Any]:
    """Insert the kept rows with nothing around them; seconds of the four large tables only."""
    setup()
    from django.db import connection

    found = pickle.loads(kept.read_bytes())
    connection.ensure_connection()
    raw = connection.connection
    seconds = 0.0
    rows = 0
    for table in TABLES:
        columns, values = found[table]
        names = ",".join(f'"{name}"' for name in columns)
        started = time.perf_counter()
        if connection.vendor == "sqlite":
            raw.execute("BEGIN IMMEDIATE")
            raw.executemany(f"INSERT INTO {table} ({names}) VALUES ({','.join('?' * len(columns))})", values)
            raw.execute("COMMIT")
        else:
            with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
            raw.commit()
        if table in TIMED:
            seconds += time.perf_counter() - started
            rows += len(values)
    return {"seconds": seconds, "rows": rows}


def compare(label: str, urls: tuple[str, str]) -> None:
    """One line: import, bare insert, ratio."""
    with empty_home() as first, empty_home() as second:
        rows = first / "rows.pickle"
        imported = call("bench.load", "--import-to", str(rows), home=first, database_url=urls[0])
        inserted = call("bench.load", "--bare-from", str(rows), home=second, database_url=urls[1])
    if imported["rows"] != inserted["rows"]:
        raise SystemExit(f"{label}: {imported['rows']} rows imported but {inserted['rows']} inserted")
    print(
        f"{label}: import {imported['seconds']:.1f} s, bare insert of the same {inserted['rows']:,} rows "
        f"{inserted['seconds']:.1f} s, ratio {imported['seconds'] / inserted['seconds']:.2f} (aim: at most 3)",
        flush=True,
    )


def main() -> None:
    """Compare on SQLite and, where it is installed, on PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--import-to", type=Path)
    parser.add_argument("--bare-from", type=Path)
    options = parser.parse_args()
    if options.import_to:
        print(json.dumps(by_import(options.import_to)))
        return
    if options.bare_from:
        print(json.dumps(bare(options.bare_from)))
        return
    compare("SQLite", ("", ""))
    from scripts.private_postgres import private_postgres, programs

    if programs() is None:
        print("PostgreSQL: skipped, it is not installed")
        return
    with private_postgres() as one, private_postgres() as other:
        compare("PostgreSQL", (one, other))


if __name__ == "__main__":
    main()
