"""Import of customers where as many are there already, each checked against them by identifier, beside the barest bulk
insert of the rows that it wrote: ``python -m bench.people [--customers 1000000]``, on SQLite and PostgreSQL.

Half of the rows are of known customers (by an e-mail address that is written otherwise; the telephone is new), half are
of new ones. The bare insert gets finished tuples for the same tables with the same indexes, which hold the first rows
already (SQLite: one ``executemany`` per table; PostgreSQL: one COPY), so its seconds hold no reading, checking,
matching, keys or changes of known records. Each runs in a process and a database of its own.
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
    "customers_nameword",
)


def people(first: int, customers: int, known: int) -> Any:
    """So many rows: the ``known`` first of them of customers that a call with the same ``first`` made before."""
    import pyarrow as pa

    from rondo.demo.names import FAMILY, GIVEN

    keys = [number if number < known else first + number for number in range(customers)]
    names = [f"{GIVEN[key * 7919 % len(GIVEN)]} {FAMILY[key * 104729 % len(FAMILY)]}" for key in keys]
    mails = [f"{'C' if number < known else 'c'}{key}@Example.com" for number, key in enumerate(keys)]
    phones = [f"+4930{10_000_000 + first + number}" for number in range(customers)]
    days = [f"{1940 + key % 60}-{1 + key % 12:02}-{1 + key % 28:02}" for key in keys]
    return pa.table({"name": names, "email": mails, "phone": phones, "birth_date": days})


def by_import(customers: int, keep: Path) -> dict[str, Any]:
    """Import customers into nothing, then the others; write the rows of both to ``keep``; seconds and rows."""
    setup()
    from django.db import connection

    from rondo.foundation.actors import system
    from rondo.foundation.installation import installation
    from rondo.interactions.importing import run_import

    installation()
    told: dict[str, Any] = {}
    found: list[dict[str, Any]] = []
    after: dict[str, Any] = dict.fromkeys(TABLES, 0)
    for name, known in (("first", 0), ("second", customers // 2)):
        rows = people(0 if name == "first" else customers, customers, known)
        started = time.perf_counter()
        counts = run_import(system(), "customers", rows, source="till").counts
        told[name] = {"seconds": time.perf_counter() - started, "counts": counts}
        part: dict[str, Any] = {}
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"SELECT * FROM {table} WHERE id > %s ORDER BY id", [after[table]])
                columns = [column[0] for column in cursor.description]
                raw = [tuple(json.dumps(v) if isinstance(v, dict | list) else v for v in row) for row in cursor]
                if connection.vendor == "sqlite":
                    raw = [tuple(str(v) if hasattr(v, "isoformat") else v for v in row) for row in raw]
                part[table] = (columns, raw)
                after[table] = raw[-1][0] if raw else after[table]
        found.append(part)
    keep.write_bytes(pickle.dumps(found))
    return told


def bare(kept: Path) -> dict[str, Any]:
    """Insert the kept rows with nothing around them; seconds and rows of the second part alone."""
    setup()
    from django.db import connection

    connection.ensure_connection()
    raw = connection.connection
    seconds, rows = 0.0, 0
    for place, part in enumerate(pickle.loads(kept.read_bytes())):
        for table in TABLES:
            columns, values = part[table]
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
            seconds += time.perf_counter() - started if place else 0.0
            rows += len(values) if place else 0
    return {"seconds": seconds, "rows": rows}


def compare(label: str, customers: int, urls: tuple[str, str]) -> None:
    """Rows a second of both, and the ratio."""
    with empty_home() as first, empty_home() as second:
        kept = first / "rows.pickle"
        asked = ("--customers", str(customers), "--import-to", str(kept))
        imported = call("bench.people", *asked, home=first, database_url=urls[0])
        inserted = call("bench.people", "--bare-from", str(kept), home=second, database_url=urls[1])
    for name, met in (("first", "nobody"), ("second", f"{customers:,}")):
        took = imported[name]["seconds"]
        told = ", ".join(f"{key} {value:,}" for key, value in imported[name]["counts"].items() if value)
        print(f"{label}: {customers:,} rows against {met}: {took:.1f} s, {customers / took:,.0f} rows/s ({told})")
    ratio = imported["second"]["seconds"] / inserted["seconds"]
    print(
        f"{label}: bare insert of the {inserted['rows']:,} rows that the second wrote: {inserted['seconds']:.1f} s, "
        f"ratio {ratio:.1f}",
        flush=True,
    )


def main() -> None:
    """Compare on SQLite and, where it is installed, on PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--sqlite", action="store_true", help="SQLite alone")
    parser.add_argument("--import-to", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--bare-from", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.import_to:
        print(json.dumps(by_import(options.customers, options.import_to)))
        return
    if options.bare_from:
        print(json.dumps(bare(options.bare_from)))
        return
    compare("SQLite", options.customers, ("", ""))
    if options.sqlite:
        return
    from scripts.private_postgres import private_postgres, programs

    if programs() is None:
        print("PostgreSQL: skipped, it is not installed")
        return
    with private_postgres() as one, private_postgres() as other:
        compare("PostgreSQL", options.customers, (one, other))


if __name__ == "__main__":
    main()
