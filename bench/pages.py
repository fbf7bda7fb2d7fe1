"""Pages that a person waits for, with eight people at once, at 1,000,000 customers and 20,000,000 interactions, on
SQLite and PostgreSQL: ``python -m bench.pages [--users 8 --seconds 6 --workers 2 --home FOLDER --database URL]``.

``rondo up`` serves (web, worker and scheduler, as a company runs it). Each user is a connection over loopback that
asks for one page after the other without a pause, each for other customers, texts or figures; page by page, then all
of them mixed. *Server* is what the program took from the request's arrival in Django to its whole answer, as its own
``Server-Timing`` header says: with it come the queries, and the time of the processor alone, which other work on the
machine does not stretch. The first seconds are left out: people work on pages that others have opened before.
*Client* is from the first byte sent to the last one read, and so has the waiting for a free thread in it, of which
there is more than anybody would meet: people who read take minutes to ask as often. The baseline is the bare SQL that
fetches the rows the page cannot do without, alone, on the same database in the same run. The clients take their share
of the same processors.
"""

import argparse
import http.client
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from bench.homes import setup
from bench.large import add_options, large_homes

AIM = 100.0
"""Milliseconds of the server at the 95th percentile."""
BARE = 60
"""So often the bare SQL is asked."""
SETTLE_SECONDS = 8.0
"""Before the first page: processes that were just begun import beside their first requests what draws charts."""
WARM_UP_SECONDS = 3.0
"""Before each page: its statements are put together, and eight new connections spread over the processes."""
LONGEST = 60.0
"""Seconds that a user waits for an answer."""
TIMING = re.compile(r'total;dur=([\d.]+), cpu;dur=([\d.]+), db;dur=([\d.]+);desc="(\d+) queries"')
PEER = (
    "for reference, not measured here: Creme CRM 2.8.6 on a machine of the same kind (2 cores, 100,000 contacts, "
    "PostgreSQL, gunicorn with 2 workers), 8 connections: list 5.6 requests/s, detail 9.7 requests/s; one at a time: "
    "list median 282 ms, 95th 304 ms, detail 201 / 221 ms, search as typed 243 / 291 ms"
)
SCORES = "SELECT * FROM analysis_score WHERE {} ORDER BY value DESC, customer_id DESC LIMIT 51"
CHAIN = "SELECT * FROM interactions_interaction WHERE customer_id = ? ORDER BY occurred_at DESC, id DESC LIMIT 50"
PREFIX = "SELECT * FROM customers_customer WHERE folded_name >= ? AND folded_name < ? ORDER BY folded_name, id LIMIT 20"
LANE = "SELECT * FROM analysis_score WHERE activity = ? ORDER BY value DESC, customer_id DESC LIMIT 20"
FIGURES = "SELECT activity, count(*), sum(value) FROM analysis_score GROUP BY activity"
EVENT = (
    "SELECT * FROM analysis_score s WHERE EXISTS (SELECT 1 FROM interactions_interaction i WHERE i.customer_id = "
    "s.customer_id AND i.kind = 'purchase' AND i.business_date > ?) ORDER BY value DESC, customer_id DESC LIMIT 51"
)
ACTIVITIES = ("active", "late", "asleep")


@dataclass(frozen=True)
class Case:
    """A page: its address for one request, and the statements of its baseline with their values. ``aimed``: the issue
    names it."""

    name: str
    address: Callable[[random.Random], str]
    bare: Callable[[random.Random], Sequence[tuple[str, tuple[Any, ...]]]]
    aimed: bool = True


@dataclass(frozen=True)
class Request:
    """What one request took (ms): at the client, at the server, of its processor, in the database; and its queries."""

    client: float
    server: float
    processor: float
    database: float
    queries: int


def cases(told: dict[str, Any]) -> list[Case]:
    """The pages, from what :func:`prepare` found."""
    from rondo.demo.names import FAMILY, GIVEN
    from rondo.foundation.search import fold

    customers, views = told["customers"], told["views"]

    def three(chance: random.Random) -> tuple[str, int, int]:
        return chance.choice(ACTIVITIES), chance.randint(2, 12), chance.randint(50, 500)

    def filtered(chance: random.Random) -> str:
        activity, orders, value = three(chance)
        return f"/customers/?f=activity:is:{activity}&f=orders:min:{orders}&f=value:min:{value}&sort=-value"

    def filtered_bare(chance: random.Random) -> list[tuple[str, tuple[Any, ...]]]:
        activity, orders, value = three(chance)
        return [(SCORES.format("activity = ? AND orders >= ? AND value >= ?"), (activity, orders, value * 100))]

    def typed(chance: random.Random) -> str:
        return f"{chance.choice(GIVEN)} {chance.choice(FAMILY)[:2]}"

    def mistyped(chance: random.Random) -> str:
        name = chance.choice(FAMILY)
        place = chance.randrange(1, len(name) - 1)
        return name[:place] + chance.choice("qxzwvk") + name[place + 1 :]

    def prefix(text: str) -> list[tuple[str, tuple[Any, ...]]]:
        return [(PREFIX, (fold(text), fold(text) + "\U0010ffff"))]

    def sought(text: str) -> str:
        return "/palette?q=" + text.replace(" ", "%20")

    def customer(chance: random.Random) -> tuple[int, str]:
        key, public = chance.choice(customers)
        return key, public

    def since(chance: random.Random) -> list[tuple[str, tuple[Any, ...]]]:
        return [(EVENT, (chance.choice(told["since"]),))]

    lanes = [(LANE, (activity,)) for activity in (*ACTIVITIES, "never")]
    return [
        Case("list, three filters", filtered, filtered_bare),
        Case(
            "saved view with a fact",
            lambda c: f"/customers/?view={c.choice(views['fact'])}",
            lambda c: [(SCORES.format("orders >= ? AND activity = 'asleep'"), (c.randint(2, 9),))],
        ),
        Case("search, name", lambda c: sought(typed(c)), lambda c: prefix(typed(c))),
        Case("search, typing error", lambda c: sought(mistyped(c)), lambda c: prefix(mistyped(c))),
        Case("customer page", lambda c: f"/customers/{customer(c)[1]}/", lambda c: [(CHAIN, (customer(c)[0],))]),
        Case("view, rule over events", lambda c: f"/customers/?view={c.choice(views['event'])}", since, aimed=False),
        Case(
            "board", lambda c: f"/customers/?as=board&by=activity&f=orders:min:{three(c)[1]}", lambda _c: lanes, False
        ),
        Case(
            "figures of a chart",
            lambda c: f"/customers/groups?as=chart&by=activity&f=orders:min:{three(c)[1]}",
            lambda _c: [(FIGURES, ())],
            aimed=False,
        ),
        Case("home", lambda _c: "/", lambda _c: [("SELECT * FROM analysis_run WHERE is_current", ())], aimed=False),
    ]


def prepare() -> dict[str, Any]:
    """Sign the home's user in and keep the views; what the clients have to know."""
    from datetime import timedelta

    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from rondo.analysis.models import Run
    from rondo.customers.models import Customer
    from rondo.foundation import ids
    from rondo.foundation.actors import Actor
    from rondo.lists.actions import save_view
    from rondo.lists.models import SavedView
    from rondo.lists.states import State

    user = get_user_model().objects.get(email="bench@example.com")
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    day = Run.objects.get(is_current=True).as_of
    columns = ("value", "orders", "last_purchase", "activity")
    kept = {
        "fact": [State((f"orders:min:{n}", "activity:is:asleep"), "", "-value", columns) for n in range(2, 10)],
        "event": [
            State((), rule, "-value", columns)
            for rule in (
                "did purchase within 30 days",
                "did purchase at least 3 times within 60 days",
                "did purchase for at least 500 within 90 days",
                "did visit at least 5 times within 30 days",
                "did purchase within 90 days and did not purchase within 60 days",
            )
        ],
    }
    views: dict[str, list[str]] = {}
    actor = Actor(user, "command")
    for kind, states in kept.items():
        views[kind] = []
        for number, state in enumerate(states):
            name = f"bench {kind} {number}"
            found = SavedView.objects.filter(owner=user, name=name, deleted_at=None).first()
            views[kind].append((found or save_view(actor, name, state)[0]).key)
    chance = random.Random(11)
    highest = Customer.objects.count()
    keys = [chance.randint(1, highest) for _ in range(2000)]
    return {
        "cookie": cookie,
        "customers": [(key, ids.encode(Customer.PREFIX, key)) for key in keys],
        "views": views,
        "since": [(day - timedelta(days=days)).isoformat() for days in (30, 45, 60, 90)],
    }


def use(
    number: int,
    port: int,
    cookie: str,
    some: Callable[[random.Random], str],
    span: tuple[float, float],
    taken: list[Request],
) -> None:
    """One user: ask, read, ask again until the time is over; what was asked before it began does not count."""
    begin, until = span
    chance = random.Random(number)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)) as line:
        while time.perf_counter() < until:
            path = some(chance)
            started = time.perf_counter()
            line.request("GET", path, headers={"Host": f"localhost:{port}", "Cookie": cookie, "Accept-Language": "en"})
            try:
                answer = line.getresponse()
            except TimeoutError:  # it waits no longer, and stands in the figures with what it has waited
                taken.append(Request(1000 * LONGEST, 1000 * LONGEST, 0.0, 0.0, 0))
                return
            body = answer.read()
            taken_ms = (time.perf_counter() - started) * 1000
            told = TIMING.search(answer.headers.get("Server-Timing", ""))
            if answer.status != 200 or not body or told is None:
                raise SystemExit(f"{path}: {answer.status}")
            if started < begin:
                continue
            taken.append(Request(taken_ms, float(told[1]), float(told[2]), float(told[3]), int(told[4])))


def load(
    users: int, port: int, cookie: str, some: Callable[[random.Random], str], seconds: float, before: float
) -> tuple[list[Request], float]:
    """What all users at once were answered in so many seconds, after as many as ``before`` that do not count; and how
    long it took them."""
    taken: list[list[Request]] = [[] for _ in range(users)]
    begin = time.perf_counter() + before
    span = (begin, begin + seconds)
    threads = [
        threading.Thread(target=use, args=(number, port, cookie, some, span, taken[number]), daemon=True)
        for number in range(users)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(before + seconds + LONGEST)
    return [request for own in taken for request in own], time.perf_counter() - begin


def at(share: float, times: Iterable[float]) -> float:
    """The value below which this share of the times lies."""
    ordered = sorted(times)
    return ordered[max(0, int(share * len(ordered)) - 1)]


def bare(case: Case) -> list[float]:
    """Milliseconds of the baseline, one after the other."""
    from django.db import connection

    chance = random.Random(5)
    taken = []
    for _ in range(BARE):
        statements = case.bare(chance)
        started = time.perf_counter()
        with connection.cursor() as cursor:
            for statement, values in statements:
                cursor.execute(statement.replace("?", "%s"), values)
                cursor.fetchall()
        taken.append((time.perf_counter() - started) * 1000)
        if sum(taken) > 5000 and len(taken) > 5:
            break
    return taken


def tell(name: str, taken: list[Request], seconds: float, plain: list[float], aimed: bool) -> bool:
    """One line; whether the aim is held, where there is one."""
    server = [request.server for request in taken]
    p95 = at(0.95, server)
    client = [request.client for request in taken]
    counts = [request.queries for request in taken]
    columns = [
        f"{name:<24}{len(taken) / seconds:6.1f}/s",
        f"server {statistics.median(server):7.1f} / {p95:7.1f}",
        f"client {statistics.median(client):7.1f} / {at(0.95, client):7.1f}",
        f"processor {statistics.median(r.processor for r in taken):5.1f}",
        f"database {statistics.median(r.database for r in taken):6.1f} in {min(counts)} to {max(counts)} queries",
    ]
    if plain:
        columns.append(f"bare SQL {statistics.median(plain):6.1f} / {at(0.95, plain):6.1f}")
    if aimed and p95 > AIM:
        columns.append(f"ABOVE {AIM:.0f} ms")
    print("; ".join(columns), flush=True)
    return not aimed or p95 <= AIM


def measure(users: int, seconds: float, chosen: str) -> None:
    """Start ``rondo up`` on this process' home, put the load on it page by page, and end it."""
    setup()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # and with it the server
    from django.conf import settings

    port = settings.RONDO_PORT
    told = prepare()
    pages = [case for case in cases(told) if chosen in case.name]
    print("milliseconds, median / 95th percentile", flush=True)
    server = subprocess.Popen(
        [sys.executable, "-m", "rondo.cli", "up"], env=os.environ, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(port, server)
        held = True
        load(users, port, told["cookie"], mixed([case.address for case in pages]), 0.0, SETTLE_SECONDS)
        for case in pages:
            plain = bare(case)
            taken, passed = load(users, port, told["cookie"], case.address, seconds, WARM_UP_SECONDS)
            held &= tell(case.name, taken, passed, plain, case.aimed)
        aimed = [case.address for case in pages if case.aimed]
        if len(aimed) > 1:
            some = mixed(aimed)
            taken, passed = load(users, port, told["cookie"], some, seconds, WARM_UP_SECONDS)
            tell("those aimed at, mixed", taken, passed, [], False)
        print("aim held" if held else f"aim of {AIM:.0f} ms NOT held", flush=True)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def mixed(pages: Sequence[Callable[[random.Random], str]]) -> Callable[[random.Random], str]:
    """The address of any of these pages."""
    return lambda chance: chance.choice(pages)(chance)


def wait_for(port: int, server: "subprocess.Popen[bytes]", seconds: float = 90.0) -> None:
    """Return as soon as the server answers; exit if it ends or does not come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as line:
                line.request("GET", "/health", headers={"Host": "localhost"})
                if line.getresponse().status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"rondo up does not answer on port {port}")


def main() -> None:
    """Build the homes that are new, then measure in a process on each."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=6.0, help="for each page")
    parser.add_argument("--port", type=int, default=8019)
    parser.add_argument("--workers", type=int, default=2, help="web processes, see RONDO_WORKERS")
    parser.add_argument("--page", default="", help="only pages with this in their name")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        measure(options.users, options.seconds, options.page)
        return
    again = [sys.executable, "-m", "bench.pages", "--here", "--users", str(options.users)]
    again += ["--seconds", str(options.seconds), "--page", options.page]
    for name, told in large_homes(options):
        print(f"{name}, {options.users} users, {options.workers} web processes:", flush=True)
        own = {"RONDO_PORT": str(options.port), "RONDO_WORKERS": str(options.workers), "RONDO_SERVER_TIMING": "1"}
        subprocess.run(again, env=told | own, check=True)
    print(PEER)


if __name__ == "__main__":
    main()
