"""Time to make pages of the demo a PDF, beside that of the page itself: ``python -m bench.reports [--home FOLDER]``.

Each page is opened once before, so that its charts are drawn and kept, as they are after an analysis. Counted are the
medians of several calls, one after another, in one process. Without ``--home`` the Complete Journey is loaded first.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.homes import empty_home, environment, setup

CALLS = 7
AGAIN = (sys.executable, "-m", "bench.reports")


def median(call: Callable[[], object]) -> float:
    """The median of the calls after the first, in milliseconds."""
    taken = []
    for _turn in range(CALLS + 1):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken[1:])


def measure() -> None:
    """Print the table for the home of this process."""
    setup()
    from django.test import Client

    from rondo.customers.models import Customer
    from rondo.foundation.models import User
    from rondo.web.reports.composing import make_report

    user = User.objects.filter(role_id="administrator", is_active=True).order_by("pk")[0]
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    somebody = Customer.objects.order_by("pk")[7].public_id
    pages = ("/", "/portfolio/", "/portfolio/cohorts/", "/portfolio/movements/", "/portfolio/buying/", "/loyalty/",
             "/campaigns/", "/customers/", f"/customers/{somebody}/", "/analysis/models/")  # fmt: skip
    print(f"{'page':<28}{'page alone':>12}{'as PDF':>10}{'size':>10}")
    for address in pages:
        made = make_report(user, [address])
        alone = median(partial(client.get, address))
        whole = median(partial(make_report, user, [address]))
        print(f"{address:<28}{alone:>9.0f} ms{whole:>7.0f} ms{len(made.pdf) / 1024:>7.0f} kB", flush=True)


def main() -> None:
    """Measure the given home, or one made for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--only", action="store_true", help="measure the home of this process")
    given = parser.parse_args()
    if given.only:
        measure()
        return
    with empty_home() as scratch:
        home = given.home or scratch
        if given.home is None:
            subprocess.run([sys.executable, "-m", "rondo.cli", "demo", "--no-serve"], env=environment(home), check=True)
        subprocess.run([*AGAIN, "--only"], env={**environment(home), "RONDO_DEBUG": "1"}, check=True)


if __name__ == "__main__":
    main()
