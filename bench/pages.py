"""Server time of the pages a person waits for, at 1,000,000 customers and 20,000,000 interactions on SQLite:
``python -m bench.pages [--customers N --interactions M --home FOLDER]``.

A request goes through the whole handler in this process (middleware, session, view, template), one after another, each
for another customer or text; the first ones are not counted. The baseline beside it is the bare SQL that fetches the
rows the page cannot do without, on the same file in the same run. A kept ``--home`` is built once and used again.
"""

import argparse
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from bench.homes import empty_home, environment, setup

REQUESTS, WARM_UP = 200, 20
AGAIN = (sys.executable, "-m", "bench.pages")
CHAIN = "SELECT * FROM interactions_interaction WHERE customer_id = ? ORDER BY occurred_at DESC, id DESC LIMIT 50"
TOP = "SELECT * FROM analysis_score ORDER BY value DESC, customer_id DESC LIMIT 50"
LATE = "SELECT * FROM analysis_score WHERE activity = 'late' ORDER BY value DESC, customer_id DESC LIMIT 50"
NAMES = "SELECT * FROM customers_customer ORDER BY folded_name, id LIMIT 50"
PREFIX = "SELECT * FROM customers_customer WHERE folded_name >= ? AND folded_name < ? ORDER BY folded_name, id LIMIT 20"
WITHIN = "(folded_name LIKE ? || '%' OR folded_name LIKE '% ' || ? || '%')"
"""What the search of a later word is without an index of words: every name is read until enough are found."""
SCANS = 10
"""So many of the bare SQL that reads all names are enough."""
MERGED = 20


def milliseconds(
    call: Callable[[int], object], requests: int = REQUESTS, warm_up: int = WARM_UP
) -> tuple[float, float]:
    """Median and 95th percentile of the counted calls; ``call`` gets the number of the call."""
    taken: list[float] = []
    for number in range(warm_up + requests):
        started = time.perf_counter()
        call(number)
        taken.append((time.perf_counter() - started) * 1000)
    counted = sorted(taken[warm_up:])
    return statistics.median(counted), counted[int(0.95 * len(counted)) - 1]


def build_large(customers: int, interactions: int) -> None:
    """Fill the home of this process and analyse it."""
    setup()
    from bench.big import build
    from rondo.analysis.actions import run_analysis
    from rondo.foundation.actors import system

    print(f"rows: built in {build(customers, interactions):.0f} s", flush=True)
    started = time.perf_counter()
    run_analysis(system())
    print(f"analysis (first, with the whole columnar copy): {time.perf_counter() - started:.0f} s", flush=True)


def fill(home: Path, customers: int, interactions: int) -> None:
    """Build the home in a process of its own, unless that was done before."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "built").exists():
        sizes = ["--customers", str(customers), "--interactions", str(interactions)]
        subprocess.run([*AGAIN, "--only", "build", *sizes], env=environment(home), check=True)
        (home / "built").touch()


@contextmanager
def merged() -> Iterator[list[str]]:
    """Pairs of new customers of invented names, merged while the block runs; the words that only the merged have."""
    from django.db import transaction

    from rondo.customers import names
    from rondo.customers.actions import merge
    from rondo.customers.models import Customer, Merge, Survivor
    from rondo.foundation.actors import system

    words = [f"xq{chr(97 + number)}merged" for number in range(MERGED)]
    made: list[Customer] = []
    try:
        for word in words:
            pair = [Customer(name=f"Bench {w}", folded_name=f"bench {w}") for w in ("survivor", word)]
            with transaction.atomic():
                for row in pair:
                    row.save()
                    names.add(row)
                    made.append(row)
            merge(system(), pair[1], pair[0])
        yield words
    finally:
        keys = [row.pk for row in made]
        Merge.objects.filter(loser_id__in=keys).delete()
        Survivor.objects.filter(customer_id__in=keys).delete()
        Customer.objects.filter(pk__in=keys).delete()


def measure_search(get: Callable[..., object], rows: Callable[..., object]) -> None:
    """The search of the palette by what is typed, beside the bare SQL that finds the same without an index of words
    (it has no merged names to find)."""
    from rondo.demo.names import FAMILY, GIVEN
    from rondo.foundation.search import fold

    chance = random.Random(8)
    total = WARM_UP + REQUESTS

    def some(say: Callable[[], str]) -> list[str]:
        return [say() for _ in range(total)]

    def scan(text: str) -> object:
        words = fold(text).split()
        condition = " AND ".join([WITHIN] * len(words))
        ask = f"SELECT * FROM customers_customer WHERE {condition} ORDER BY folded_name, id LIMIT 20"
        return rows(ask, *[word for word in words for _ in range(2)])

    def mistyped(name: str) -> str:
        place = chance.randrange(1, len(name) - 1)
        wrong = chance.choice("qxzwvk")
        return name[:place] + chance.choice((name[place + 1 :], wrong + name[place + 1 :], wrong + name[place:]))

    with merged() as gone:
        cases = [
            ("typing error", some(lambda: mistyped(chance.choice(FAMILY)))),
            ("name, typing error", some(lambda: f"{chance.choice(GIVEN)} {mistyped(chance.choice(FAMILY))}")),
            ("first word", some(lambda: chance.choice(GIVEN)[:4])),
            ("second word", some(lambda: chance.choice(FAMILY)[:4])),
            ("two words", some(lambda: f"{chance.choice(FAMILY)[:3]} {chance.choice(GIVEN)}")),
            ("one letter", some(lambda: chance.choice("aejmst"))),
            ("two common, no hit", some(lambda: " ".join(chance.sample(GIVEN, 2)))),
            ("nothing found", some(lambda: f"qx{chance.choice(FAMILY)}")),
            ("merged name", some(lambda: chance.choice(gone)[:5])),
        ]
        for name, texts in cases:
            median, p95 = milliseconds(lambda n, texts=texts: get("/palette", q=texts[n]))  # type: ignore[misc]
            old, old_p95 = milliseconds(lambda n, texts=texts: scan(texts[n]), SCANS, 1)  # type: ignore[misc]
            print(
                f"search: {name:<20} median {median:6.1f} ms, 95th {p95:6.1f} ms; bare SQL without the index of words "
                f"{old:6.1f} / {old_p95:6.1f} ms",
                flush=True,
            )


def measure(database: Path, *, search_only: bool = False) -> None:
    """Print one line per page: median and 95th percentile, and those of the bare SQL."""
    setup()
    from django.core.management import call_command

    call_command("collectstatic", "--noinput", verbosity=0)
    from django.contrib.auth import get_user_model
    from django.test import Client

    from rondo.customers.models import Customer
    from rondo.demo.names import FAMILY, GIVEN
    from rondo.foundation import ids
    from rondo.foundation.search import fold

    client = Client(SERVER_NAME="localhost")
    client.force_login(get_user_model().objects.get(email="bench@example.com"))
    bare = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    customers = Customer.objects.count()
    chance = random.Random(7)
    total = WARM_UP + REQUESTS
    picked = [chance.randint(1, customers) for _ in range(total)]
    texts = [f"{chance.choice(GIVEN)} {chance.choice(FAMILY)[:2]}" for _ in range(total)]
    pages = [f"/customers/{ids.encode('c', key)}/" for key in picked]

    def get(path: str, **query: str) -> object:
        answer = client.get(path, query, headers={"accept-language": "en"})
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
        if answer.status_code != 200 or not body:
            raise SystemExit(f"{path} {query}: {answer.status_code}")
        return body

    def rows(statement: str, *values: object) -> object:
        return bare.execute(statement, values).fetchall()

    def prefix(number: int) -> object:
        text = fold(texts[number])
        return rows(PREFIX, text, text + "\U0010ffff")

    cases: list[tuple[str, Callable[[int], object], Callable[[int], object]]] = [
        ("customer page", lambda n: get(pages[n]), lambda n: rows(CHAIN, picked[n])),
        ("list by name", lambda n: get("/customers/", sort="name"), lambda n: rows(NAMES)),
        ("list by value", lambda n: get("/customers/", sort="-value"), lambda n: rows(TOP)),
        (
            "list, late, by value",
            lambda n: get("/customers/", f="activity:is:late", sort="-value"),
            lambda n: rows(LATE),
        ),
        ("search as typed", lambda n: get("/palette", q=texts[n]), prefix),
    ]
    measure_search(get, rows)
    for name, page, baseline in [] if search_only else cases:
        median, p95 = milliseconds(page)
        base_median, base_p95 = milliseconds(baseline)
        print(
            f"{name:<22} median {median:6.1f} ms, 95th {p95:6.1f} ms; bare SQL {base_median:6.2f} / {base_p95:6.2f} ms",
            flush=True,
        )


def main() -> None:
    """Build the home if it is new, then measure; each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--interactions", type=int, default=20_000_000)
    parser.add_argument("--home", type=Path, help="keep the data here and use it again")
    parser.add_argument("--search", action="store_true", help="measure the search alone")
    parser.add_argument("--only", choices=("build", "measure"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only == "build":
        build_large(options.customers, options.interactions)
        return
    if options.only == "measure":
        measure(Path(os.environ["RONDO_HOME"]) / "rondo.sqlite3", search_only=options.search)
        return
    with nullcontext(options.home) if options.home else empty_home() as home:
        fill(home, options.customers, options.interactions)
        searching = ["--search"] if options.search else []
        subprocess.run([*AGAIN, "--only", "measure", *searching], env=environment(home), check=True)


if __name__ == "__main__":
    main()
