"""Matched controls for a segment: for each member a customer outside who is alike in what could explain both."""

from dataclasses import asdict
from typing import Any

import numpy as np

from rondo.analysis.features.table import Known
from rondo.analysis.studies.members import read_members
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.outcome import Found, Outcome, Report
from rondo.science.matching import BALANCED_BELOW, Matches, match

CALIPER = 0.2
"""Widest distance of a pair, in standard deviations of the logit of the propensity (Austin 2011)."""


def answer(study: Study, report: Report) -> Outcome:
    """Find a control for each member, by what was known on the day that ``config["as_of"]`` names.

    Raises:
        InputError: fewer than 20 members, fewer than 20 others, or no such day. StateError: no analysis yet.
    """
    report("features", 0, 2)
    start = read_members(study)
    known = start.known
    report("match", 1, 2)
    found = match(known.features, start.inside, CALIPER)
    report("match", 2, 2)
    return Outcome(
        results=_told(known, found),
        config=study.config | {"caliper": CALIPER, "penalty": found.penalty, "features": list(known.features.names)},
        fingerprint=known.fingerprint,
        run=start.run,
        as_of=start.as_of,
        found=Found(
            known.customers[found.control], np.zeros(found.control.size), others=known.customers[found.treated]
        ),
    )


def _told(known: Known, found: Matches) -> dict[str, Any]:
    return {
        "members": int(found.treated.size + found.unmatched.size),
        "pairs": int(found.treated.size),
        "alone": int(found.unmatched.size),
        "others": int(known.customers.size - found.treated.size - found.unmatched.size),
        "unlike": list(found.warnings) if found.treated.size else [],
        "unlike_plain": [row.name for row in found.balance if not abs(row.plain) < BALANCED_BELOW],
        "limit": BALANCED_BELOW,
        "balance": [_row(asdict(row)) for row in found.balance] if found.treated.size else [],
    }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and np.isnan(value) else value for key, value in row.items()}
