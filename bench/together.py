"""Eight people at once: pages over loopback from ``rondo up``, at 1,000,000 customers and 20,000,000 interactions:
``python -m bench.together [--home FOLDER --users N --seconds S --port P]``.

Each user is a connection of its own that asks for one page after the other, without a pause: the home page, the list
by value and by name, the search as somebody types, and the pages of random customers. Times are the client's, from the
first byte sent to the last byte read. The load ends by itself; the server is the ordinary one, with RONDO_WORKERS as
set (default 1), on the home that ``bench.pages`` builds.
"""

import argparse
import http.client
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path

from bench.homes import empty_home, environment, setup
from bench.pages import fill

PEER = (
    "for reference, not measured here: Creme CRM 2.8.6 on a machine of the same kind (2 cores, 100,000 contacts, "
    "PostgreSQL, gunicorn with 2 workers), 8 connections: list 5.6 requests/s, detail 9.7 requests/s; one at a time: "
    "list median 282 ms, 95th 304 ms, detail 201 / 221 ms, search as typed 243 / 291 ms"
)
MIX = {"home": 1, "list by value": 2, "list by name": 1, "search as typed": 4, "customer page": 4}
"""How often each page comes among twelve."""
WARM_UP_SECONDS = 4.0
Timed = tuple[str, float]


def addresses(customers: list[str], chance: random.Random) -> tuple[str, str]:
    """A page of the mix, and its address."""
    from rondo.demo.names import FAMILY, GIVEN

    name = chance.choices(list(MIX), list(MIX.values()))[0]
    typed = f"{chance.choice(GIVEN)}%20{chance.choice(FAMILY)[:2]}"
    return name, {
        "home": "/",
        "list by value": "/customers/?sort=-value",
        "list by name": "/customers/?sort=name",
        "search as typed": f"/palette?q={typed}",
        "customer page": f"/customers/{chance.choice(customers)}/",
    }[name]


def use(number: int, port: int, cookie: str, customers: list[str], until: float, taken: list[Timed]) -> None:
    """One user: ask, read, ask again until the time is over."""
    chance = random.Random(number)
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while time.perf_counter() < until:
        name, path = addresses(customers, chance)
        started = time.perf_counter()
        line.request("GET", path, headers={"Host": f"localhost:{port}", "Cookie": cookie, "Accept-Language": "en"})
        answer = line.getresponse()
        body = answer.read()
        if answer.status != 200 or not body:
            raise SystemExit(f"{path}: {answer.status}")
        taken.append((name, (time.perf_counter() - started) * 1000))


def load(users: int, port: int, cookie: str, customers: list[str], seconds: float) -> list[Timed]:
    """All users at once for so many seconds; what each request took (ms)."""
    taken: list[list[Timed]] = [[] for _ in range(users)]
    until = time.perf_counter() + seconds
    threads = [
        threading.Thread(target=use, args=(n, port, cookie, customers, until, taken[n]), daemon=True)
        for n in range(users)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 60)
    return [request for own in taken for request in own]


def tell(taken: list[Timed], seconds: float) -> None:
    """Requests per second and percentiles, over all and by page."""
    for name in ["all pages", *MIX]:
        times = sorted(t for page, t in taken if name in ("all pages", page))
        if times:
            at95 = times[max(0, int(0.95 * len(times)) - 1)]
            print(
                f"{name:<18} {len(times) / seconds:6.1f} requests/s, median {statistics.median(times):6.1f} ms, "
                f"95th {at95:6.1f} ms, longest {times[-1]:6.1f} ms",
                flush=True,
            )


def sign_in() -> tuple[str, list[str]]:
    """A session of the user of the home as a cookie, and public ids of 500 random customers."""
    setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from rondo.customers.models import Customer
    from rondo.foundation import ids

    client = Client(SERVER_NAME="localhost")
    client.force_login(get_user_model().objects.get(email="bench@example.com"))
    highest = Customer.objects.count()
    chance = random.Random(11)
    name = settings.SESSION_COOKIE_NAME
    cookie = f"{name}={client.cookies[name].value}"
    return cookie, [ids.encode(Customer.PREFIX, chance.randint(1, highest)) for _ in range(500)]


def measure(users: int, port: int, seconds: float) -> None:
    """Start ``rondo up`` on this process' home, put the load on it, and end it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))  # and with it the server
    cookie, customers = sign_in()
    server = subprocess.Popen(
        [sys.executable, "-m", "rondo.cli", "up"], env=os.environ, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(port, server)
        load(users, port, cookie, customers, WARM_UP_SECONDS)
        started = time.perf_counter()
        taken = load(users, port, cookie, customers, seconds)
        print(f"{users} users at once, {len(taken)} requests in {seconds:.0f} s")
        tell(taken, time.perf_counter() - started)
        print(PEER)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def wait_for(port: int, server: "subprocess.Popen[bytes]", seconds: float = 90.0) -> None:
    """Return as soon as the server answers; exit if it ends or does not come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        try:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            line.request("GET", "/health", headers={"Host": "localhost"})
            if line.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"rondo up does not answer on port {port}")


def main() -> None:
    """Build the home if it is new, then measure in a process on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--interactions", type=int, default=20_000_000)
    parser.add_argument("--home", type=Path, help="keep the data here and use it again")
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--port", type=int, default=8019)
    parser.add_argument("--only-measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_measure:
        measure(options.users, options.port, options.seconds)
        return
    with nullcontext(options.home) if options.home else empty_home() as home:
        fill(home, options.customers, options.interactions)
        again = [sys.executable, "-m", "bench.together", "--only-measure"]
        again += ["--users", str(options.users), "--port", str(options.port), "--seconds", str(options.seconds)]
        workers = {name: value for name, value in os.environ.items() if name == "RONDO_WORKERS"}
        env = environment(home) | workers | {"RONDO_PORT": str(options.port)}
        subprocess.run(again, env=env, check=True)


if __name__ == "__main__":
    main()
