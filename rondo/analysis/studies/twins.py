"""Statistical twins of a segment's members: everybody outside ranked by how much they resemble them."""

from dataclasses import asdict
from typing import Any

import numpy as np

from rondo.analysis.features.table import Known
from rondo.analysis.studies.members import read_members
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.outcome import Found, Outcome, Report
from rondo.analysis.studies.telling import drivers, reasons
from rondo.science.lookalikes import LookalikeConfig, Lookalikes, rank_by_resemblance
from rondo.science.proportions import wilson

KEPT = 100_000
"""So many of the closest are kept by name."""
EXPLAINED = 50
"""For so many of the closest it is told why."""
SHARES = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
"""Points of the curve: the closest part of everybody outside."""


def answer(study: Study, report: Report) -> Outcome:
    """Rank everybody outside the segment, by what was known on the day that ``config["as_of"]`` names.

    Raises:
        InputError: fewer than 20 members, fewer than 20 others, or no such day. StateError: no analysis yet.
    """
    report("features", 0, 1)
    start = read_members(study)
    known = start.known
    report("features", 1, 1)
    config = LookalikeConfig()
    ranked = rank_by_resemblance(known.features, start.inside, config, lambda done, fits: report("model", done, fits))
    results, customers = _told(known, start.inside, ranked)
    return Outcome(
        results=results,
        config=study.config | asdict(config) | {"features": list(known.features.names), "kept": KEPT},
        fingerprint=known.fingerprint,
        run=start.run,
        as_of=start.as_of,
        found=customers,
        counted={"members": known.customers[start.inside], "outside": known.customers[~start.inside]},
    )


def _told(known: Known, inside: Any, found: Lookalikes) -> tuple[dict[str, Any], Found]:
    outside = np.flatnonzero(~inside)
    order = outside[np.argsort(found.rank[outside], kind="stable")]
    behind = np.sort(found.places)  # of hidden members, the share of the others above them
    similarity = 1 - np.searchsorted(behind, np.arange(1, order.size + 1) / order.size, side="right") / behind.size
    closest = np.zeros(known.customers.size, bool)
    # As alike as the median member, at least as many as there are members: a group that can be told of.
    closest[order[: max(int((similarity >= 0.5).sum()), min(int(inside.sum()), order.size))]] = True
    scores = found.scaling.scores(known.features)
    rest = ~inside & ~closest
    kept = order[:KEPT]
    results = {
        "members": int(inside.sum()),
        "others": int(order.size),
        "kept": int(kept.size),
        "auc": {"value": found.found.value, "low": found.found.low, "high": found.found.high},
        "as_median": int((similarity >= 0.5).sum()),
        "curve": _curve(order.size, similarity, found),
        "drivers": drivers(known.features, scores, found.weights, closest, rest) if rest.any() else [],
        "closest": [
            {"customer": int(known.customers[row]), "similarity": float(similarity[number]), "why": why}
            for number, (row, why) in enumerate(
                zip(
                    order[:EXPLAINED],
                    reasons(known.features, scores[order[:EXPLAINED]], found.weights),
                    strict=True,
                )
            )
        ],
    }
    customers = Found(known.customers[kept], np.round(similarity[: kept.size], 6))
    return results, customers


def _curve(others: int, similarity: Any, found: Lookalikes) -> list[dict[str, Any]]:
    """How far one reaches and how alike the last one reached is; the share of hidden members found, with its interval,
    and how many times more often than by chance."""
    points, before = [], 0
    for share in SHARES:
        reached = max(round(share * others), 1)
        if reached == before:
            continue
        before = reached
        hits = wilson(round((1 - float(similarity[reached - 1])) * found.places.size), found.places.size, 0.9)
        assert hits is not None
        points.append(
            {
                "customers": reached,
                "share": reached / others,
                "similarity": float(similarity[reached - 1]),
                "found": hits.value,
                "low": hits.low,
                "high": hits.high,
                "lift": hits.value / (reached / others),
            }
        )
    return points
