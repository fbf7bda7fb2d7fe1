"""Homes with 1,000,000 customers and 20,000,000 interactions in them, on SQLite and on PostgreSQL, for the benchmarks
that need them; ``python -m bench.large`` fills and analyses the home of this process.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.homes import empty_home, environment, setup


def add_options(parser: argparse.ArgumentParser) -> None:
    """What every benchmark of a large home takes."""
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--interactions", type=int, default=20_000_000)
    parser.add_argument("--home", type=Path, help="keep the data here and use it again (SQLite unless --database)")
    parser.add_argument("--database", default="", help="a PostgreSQL address to keep the data of --home in")
    parser.add_argument("--sqlite", action="store_true", help="SQLite alone")


def large_homes(options: argparse.Namespace) -> Iterator[tuple[str, dict[str, str]]]:
    """Name of the database and environment of processes on it, one after the other: the kept home, or new ones on
    SQLite and, where it is installed, on a private PostgreSQL, which are gone afterwards. Each is filled when it is
    reached."""
    if options.home:
        yield filled(options.home, options.database, options.customers, options.interactions)
        return
    with empty_home() as home:
        yield filled(home, "", options.customers, options.interactions)
    if options.sqlite:
        return
    from scripts.private_postgres import private_postgres, programs

    if programs() is None:
        print("PostgreSQL: skipped, it is not installed")
        return
    with private_postgres() as url, empty_home() as home:
        yield filled(home, url, options.customers, options.interactions)


def filled(home: Path, url: str, customers: int, interactions: int) -> tuple[str, dict[str, str]]:
    """The home with its data, which a process of its own builds unless that was done before; see
    :func:`large_homes`."""
    home.mkdir(parents=True, exist_ok=True)
    told = environment(home, url)
    mark = home / ("built-postgresql" if url else "built")
    if not mark.exists():
        sizes = ["--customers", str(customers), "--interactions", str(interactions)]
        subprocess.run([sys.executable, "-m", "bench.large", *sizes], env=told, check=True)
        mark.touch()
    return "PostgreSQL" if url else "SQLite", told


def main() -> None:
    """Fill the home of this process and analyse it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, required=True)
    parser.add_argument("--interactions", type=int, required=True)
    options = parser.parse_args()
    setup()
    from bench.big import build
    from rondo.analysis.actions import run_analysis
    from rondo.foundation.actors import system

    seconds = build(options.customers, options.interactions)
    print(f"rows: built in {seconds:.0f} s", flush=True)
    started = time.perf_counter()
    run_analysis(system())
    print(f"analysis (first, with the whole columnar copy): {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
