"""The whole analysis at 1,000,000 customers and 20,000,000 interactions with an up-to-date copy, step by step:
``python -m bench.analysis [--home FOLDER]`` (aim: under 60 s and 8 GB on 2 cores).

The run ends when pages show it; the job that follows, which drops the old tables and builds indices, is told apart.
Steps run beside one another, so that the seconds of one are those until it was done, after the step before it: what
counts is the whole. Seconds and the most memory held, then what a bare loop would take for the two largest parts in
the same run: the facts by a query in plain DuckDB over the same files, and the same score rows by ``executemany``
into an empty SQLite file, without and with the indices that pages need. The base is the one of :mod:`bench.large`.
"""

import argparse
import os
import resource
import sqlite3
import subprocess
import sys
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from bench.homes import empty_home, setup
from bench.large import filled

AGAIN = (sys.executable, "-m", "bench.analysis", "--only-measure")
AIM_SECONDS, AIM_GIGABYTES = 60.0, 8.0


def _forget_peak() -> None:
    """Begin a new peak of memory, where the system can (Linux)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    """The most memory held since :func:`_forget_peak` (elsewhere than on Linux: since the start), in GB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


class Watch:
    """Seconds (of the clock and of all processors) and peak memory of steps that come one after the other."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, float, float]] = []
        self._begin()

    def _begin(self) -> None:
        _forget_peak()
        self._started, self._worked = time.perf_counter(), time.process_time()

    def done(self, step: str) -> None:
        """Note the step that ends here, and begin the next."""
        row = (step, time.perf_counter() - self._started, time.process_time() - self._worked, _peak())
        self.rows.append(row)
        print(f"{row[0]:<28} {row[1]:7.1f} s {row[2]:7.1f} s of CPU {row[3]:6.2f} GB", flush=True)
        self._begin()


def analyse() -> Watch:
    """Refresh the copy, then run the analysis, both of this process' home."""
    from rondo.analysis.actions import run_analysis
    from rondo.foundation.actors import system
    from rondo.warehouse.refresh import refresh

    started = time.perf_counter()
    refresh()
    print(f"the copy is brought up to date before: {time.perf_counter() - started:.1f} s", flush=True)
    watch = Watch()
    run_analysis(system(), progress=lambda step, _done, _steps: watch.done(step))
    watch.done("after it (segments, pictures)")
    return watch


def rest_of_indices() -> tuple[int, float, float]:
    """Indices that the run did not wait for, and seconds (of the clock, of the processors) in which the job after it
    drops the old tables and builds them."""
    from rondo.analysis import scores
    from rondo.analysis.models import Run

    started, worked = time.perf_counter(), time.process_time()
    scores.clear()
    built = scores.index(Run.objects.get(is_current=True).pk)
    return built, time.perf_counter() - started, time.process_time() - worked


def plain_facts() -> float:
    """Seconds of the facts by a query in plain DuckDB over the same files."""
    from bench.facts import PLAIN, TABLES
    from rondo.foundation.installation import installation
    from rondo.warehouse import delta
    from rondo.warehouse.tables import open_tables

    with open_tables() as tables:
        day = tables.sql("SELECT max(business_date) AS day FROM orders").execute()["day"][0].date()
        files = {
            name: f"read_parquet({found.file_uris()!r})" if found.file_uris() else f"raw_{name}"
            for name in TABLES
            if (found := delta.existing(name)) is not None
        }
        plain = PLAIN.format(day=day.isoformat(), currency=installation().currency, **files)
        started = time.perf_counter()
        tables.connection.con.sql(plain).to_arrow_table()
        return time.perf_counter() - started


def bare_inserts(folder: Path) -> tuple[int, float, float]:
    """Rows of the served scores, and seconds to put them into an empty SQLite file: the inserts, then the indices."""
    from django.db import connection

    from rondo.analysis.scores import TABLE

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {TABLE}")
        names: list[str] = [column[0] for column in cursor.description]
        rows: list[Any] = cursor.fetchall()
    file = folder / "bench-inserts.sqlite3"
    raw = sqlite3.connect(file, isolation_level=None)
    try:
        raw.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;")
        raw.execute(f"CREATE TABLE score ({names[0]} INTEGER PRIMARY KEY, {', '.join(names[1:])})")
        marks = ", ".join("?" * len(names))
        started = time.perf_counter()
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(f"INSERT INTO score VALUES ({marks})", rows)
        raw.execute("COMMIT")
        inserted = time.perf_counter() - started
        for name in names[1:]:
            raw.execute(f"CREATE INDEX score_{name} ON score ({name}, {names[0]})")
        return len(rows), inserted, time.perf_counter() - started - inserted
    finally:
        raw.close()
        for left in folder.glob(f"{file.name}*"):
            left.unlink()


def measure() -> int:
    """Print the steps and the baselines; 1 if an aim is missed."""
    setup()
    watch = analyse()
    seconds = sum(row[1] for row in watch.rows)
    most = max(row[3] for row in watch.rows)
    print(f"{'whole analysis':<28} {seconds:7.1f} s {sum(row[2] for row in watch.rows):7.1f} s of CPU {most:6.2f} GB")
    print(f"aims: {AIM_SECONDS:.0f} s and {AIM_GIGABYTES:.0f} GB on 2 cores; here {os.cpu_count()} cores")
    built, took, worked = rest_of_indices()
    print(f"after it, old tables dropped and {built} indices of scores as a job: {took:.1f} s, {worked:.1f} s of CPU")
    print(f"beside it, the facts in plain DuckDB: {plain_facts():.1f} s")
    rows, inserted, indexed = bare_inserts(Path(os.environ["RONDO_HOME"]))
    print(
        f"beside it, {rows:,} score rows by a bare executemany into an empty SQLite file: {inserted:.1f} s, "
        f"and {indexed:.1f} s for their indices"
    )
    return int(seconds > AIM_SECONDS or most > AIM_GIGABYTES)


def main() -> int:
    """Build the home if it is new, then measure in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--interactions", type=int, default=20_000_000)
    parser.add_argument("--home", type=Path, help="keep the data here and use it again")
    parser.add_argument("--only-measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_measure:
        return measure()
    with nullcontext(options.home) if options.home else empty_home() as home:
        _name, told = filled(home, "", options.customers, options.interactions)
        return subprocess.run(AGAIN, env=told).returncode


if __name__ == "__main__":
    sys.exit(main())
