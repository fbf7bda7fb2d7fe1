"""Facts of the Complete Journey on a Spark cluster of two workers on this machine, beside DuckDB in this process:
``python -m bench.spark`` (``--here``: of the copy of ``RONDO_HOME`` as it stands).

The cluster is a master and two workers with one processor each, as the tests start it. The first round is told apart:
it has Spark start Java and compile. The medians of the others and the spread are printed, and whether the canonical
hashes of both are equal. At the size of the demo Spark is slower; what it is for is a copy beyond one machine.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.homes import call, empty_home, setup


def measure(engine: str, rounds: int) -> tuple[list[float], str, int]:
    """Seconds of each round, the canonical hash of the facts, and how many customers they are of."""
    from django.conf import settings

    from rondo.analysis.facts import fact_table, past
    from rondo.analysis.fingerprints import result_hash
    from rondo.foundation.installation import installation
    from rondo.warehouse.tables import open_tables

    settings.RONDO_ENGINE = engine
    seconds, currency = [], installation().currency
    for _round in range(rounds + 1):
        started = time.perf_counter()
        with open_tables() as tables:
            day = tables.arrow(tables.orders.business_date.max()).as_py()
            facts = tables.arrow(fact_table(past(tables, day, currency)).order_by("customer_id"))
        seconds.append(time.perf_counter() - started)
    return seconds, result_hash(facts, {}), facts.num_rows


def measure_both(rounds: int) -> dict[str, Any]:
    """What :func:`measure` finds on this process' home with either engine; Spark's is a cluster started for it."""
    from rondo.warehouse.engines import cluster
    from rondo.warehouse.tests import spark_cluster

    if reason := spark_cluster.missing():
        return {"missing": reason}
    found = {"duckdb": measure("duckdb", rounds)}
    with tempfile.TemporaryDirectory() as folder, spark_cluster.cluster(Path(folder), defaults="") as address:
        os.environ |= {"SPARK_CONF_DIR": str(Path(folder) / "conf"), "SPARK_LOCAL_IP": "127.0.0.1"}
        try:
            found["spark"] = measure(address, rounds)
        finally:
            cluster.stop()
    return dict(found)


def prepare_and_measure(rounds: int) -> dict[str, Any]:
    """Load the demo into this process' home, copy it, and measure."""
    setup()
    from django.core.management import call_command

    call_command("demo", "--no-serve", stdout=sys.stderr)
    return measure_both(rounds)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.spark", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--here", action="store_true", help="measure on the copy of RONDO_HOME as it stands")
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(prepare_and_measure(given.rounds)))
        return 0
    if given.here:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rondo.settings")
        setup()
        found = measure_both(given.rounds)
    else:
        with empty_home() as home:
            found = call("bench.spark", "--inside", "--rounds", str(given.rounds), home=home)
    if "missing" in found:
        print(f"Not measured: {found['missing']}.")
        return 0
    print(f"facts of {found['duckdb'][2]:,} customers, opening the copy included")
    for name, (seconds, _hash, _rows) in found.items():
        rest = seconds[1:]
        print(f"{name:7} {statistics.median(rest):7.2f} s ({min(rest):.2f} to {max(rest):.2f}; first {seconds[0]:.2f})")
    equal = found["duckdb"][1] == found["spark"][1]
    print(f"canonical hashes {'equal' if equal else 'DIFFER'}")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
