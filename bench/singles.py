"""Intervals of single customers as the product serves them: ``python -m bench.singles``, a table of docs/models.md.

How often a customer buys in the 91 days after a date, told at every ``--every`` days of a log by what was known then:
models fitted for a horizon of a year, the chance of silence corrected, the spread of counts learnt from the hold-outs
before the date. Shares of customers that the 90 % intervals held, in all and by tenth of the forecast, plainly and by
the randomised transform (see :mod:`bench.intervals`), and their mean width.
"""

from __future__ import annotations

import argparse
import os

import django
import numpy as np

from rondo.science import Summary, models, summarise
from rondo.science.hybrid import Bases
from rondo.science.intervals import roll_holdouts
from rondo.science.risks import learn_correction
from rondo.science.tests.logs import cdnow, complete_journey

DAYS, YEAR = 91, 365
LOGS = {"CDNOW full": cdnow, "Complete Journey": complete_journey}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", choices=models.CANDIDATES, action="append", help="may be given several times")
    parser.add_argument("--every", type=int, default=14, help="days from one forecast to the next")
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rondo.settings")
    django.setup()
    from rondo.analysis.modelling.ahead import judge_singles

    for kind in given.model or models.CANDIDATES:
        for name, read in LOGS.items():
            log = read()
            bases, shares, widths = Bases(log), [], []
            third = log.first_day + (log.last_day - log.first_day) // 3
            for origin in range(third, log.last_day - DAYS + 1, given.every):
                base: Summary = summarise(log, origin)
                often = models.fit_at(kind, log, origin, YEAR, bases, base)
                corrected = learn_correction(log, origin, DAYS, kind, bases, None, YEAR)
                holdouts = roll_holdouts(log, origin, YEAR, model=kind, bases=bases)
                found = judge_singles(log, origin, DAYS, often, corrected, holdouts)
                shares.append([[found[how], *(one[how] for one in found["tenths"])] for how in ("held", "randomised")])
                widths.append(np.mean([one["high"] - one["low"] for one in found["tenths"]]))
            for how, row in zip(("plainly", "randomised"), np.mean(shares, axis=0), strict=True):
                cells = " | ".join(f"{share:.0%}" for share in row)
                title = models.model_title(kind)
                print(f"| {title} | {name} | {len(shares)} | {how} | {cells} | {np.mean(widths):.1f} |", flush=True)


if __name__ == "__main__":
    main()
