"""The search of the palette by what is typed, at 1,000,000 customers, beside the bare SQL that finds the same without
an index of words: ``python -m bench.search [--customers N --interactions M --home FOLDER --database URL]``.

A request goes through the whole handler in this process (middleware, session, view, template), one after another, each
for another text; the first ones are not counted.
"""

import argparse
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.homes import setup
from bench.large import add_options, large_homes

REQUESTS, WARM_UP = 200, 20
WITHIN = "(folded_name LIKE {mark} || '%' OR folded_name LIKE '% ' || {mark} || '%')"
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


def measure() -> None:
    """One line per way to type: median and 95th percentile, and those of the bare SQL (which has no merged names to
    find)."""
    setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from rondo.demo.names import FAMILY, GIVEN
    from rondo.foundation.search import fold

    call_command("collectstatic", "--noinput", verbosity=0)
    client = Client(SERVER_NAME="localhost")
    client.force_login(get_user_model().objects.get(email="bench@example.com"))
    chance = random.Random(8)
    total = WARM_UP + REQUESTS

    def ask(text: str) -> None:
        answer = client.get("/palette", {"q": text}, headers={"accept-language": "en"})
        if answer.status_code != 200 or not answer.content:
            raise SystemExit(f"{text}: {answer.status_code}")

    def some(say: Callable[[], str]) -> list[str]:
        return [say() for _ in range(total)]

    def scan(text: str) -> object:
        words = fold(text).split()
        condition = " AND ".join([WITHIN.format(mark="%s").replace("'%", "'%%")] * len(words))
        statement = f"SELECT * FROM customers_customer WHERE {condition} ORDER BY folded_name, id LIMIT 20"
        with connection.cursor() as cursor:
            cursor.execute(statement, [word for word in words for _ in range(2)])
            return cursor.fetchall()

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
            median, p95 = milliseconds(lambda n, texts=texts: ask(texts[n]))  # type: ignore[misc]
            old, old_p95 = milliseconds(lambda n, texts=texts: scan(texts[n]), SCANS, 1)  # type: ignore[misc]
            print(
                f"search: {name:<20} median {median:6.1f} ms, 95th {p95:6.1f} ms; bare SQL without the index of words "
                f"{old:6.1f} / {old_p95:6.1f} ms",
                flush=True,
            )


def main() -> None:
    """Build the homes that are new, and measure in a process on each."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        measure()
        return
    for name, told in large_homes(options):
        print(f"{name}:", flush=True)
        subprocess.run([sys.executable, "-m", "bench.search", "--here"], env=told, check=True)


if __name__ == "__main__":
    main()
