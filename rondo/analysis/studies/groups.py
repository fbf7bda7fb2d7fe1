"""Groups of customers who are alike, found without being told what to look for; each with a rule that comes near it."""

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.analysis.beside import one_thread
from rondo.analysis.facts import past
from rondo.analysis.features import feature_of
from rondo.analysis.features.table import Known, read
from rondo.analysis.studies.groups_key import SERIES
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.outcome import Found, Outcome, Published, Report, present_run
from rondo.analysis.studies.telling import apart, average, median
from rondo.foundation.installation import installation
from rondo.foundation.money import Money
from rondo.foundation.registry import registries
from rondo.rules import Context, compile_ibis, parse, schema
from rondo.science.boxes import Box, describe
from rondo.science.clusters import ClusterConfig, Clusters, find, fit_sizes
from rondo.science.features import Features, Scaling
from rondo.science.propensity import FEWEST
from rondo.science.proportions import wilson
from rondo.warehouse.tables import Tables, open_tables

TRAITS = 4
LEVEL = 0.9
_FIGURES = ("money", "count", "days", "share", "number")
_LEFT_OUT = frozenset({"value_low", "value_high", "purchases_ahead", "purchases_ahead_low", "purchases_ahead_high"})
"""Ends of intervals, and what ``expected_purchases`` says of a longer time: a figure told twice weighs twice."""

Mask = npt.NDArray[np.bool_]


def answer(study: Study, report: Report) -> Outcome:
    """Find groups among all who have bought, as of the present run.

    Raises:
        InputError: fewer than 100 buyers. StateError: no analysis yet.
    """
    run = present_run()
    report("features", 0, 1)
    with open_tables() as tables:
        everybody = read(tables, past(tables, run.as_of, installation().currency))
        bought = ~np.isnan(everybody.features.values[:, everybody.features.names.index("recency_days")])
        known = Known(everybody.customers[bought], everybody.features.rows(bought))
        config = ClusterConfig()
        with one_thread():
            found = find(known.features, config, progress=lambda done, sizes: report("groups", done, sizes))
        report("rules", 0, 1)
        rules = _rules(tables, known, found) if found.stable else []
    order = np.lexsort((known.customers, found.group))
    return Outcome(
        results=_told(known, found, rules, int((~bought).sum()), config),
        config=asdict(config) | {"features": list(known.features.names)},
        fingerprint=known.fingerprint,
        run=run,
        as_of=run.as_of,
        found=Found(known.customers[order], found.group[order].astype(np.float64)) if found.stable else Found(),
        published=Published(SERIES, len(found.differences) if found.stable else 0) if found.stable else None,
        counted={"without": everybody.customers[~bought]},
    )


def _told(
    known: Known, found: Clusters, rules: list[dict[str, Any]], without: int, config: ClusterConfig
) -> dict[str, Any]:
    scores = Scaling.of(known.features).scores(known.features)
    groups: list[dict[str, Any]] = []
    first = 1
    for number, size in enumerate(found.sizes.tolist() if found.stable else []):
        inside = found.group == number
        groups.append(
            {
                "customers": size,
                "share": size / found.group.size,
                "first": first,
                "last": first + size - 1,
                "traits": _traits(known.features, scores, inside),
                "medians": [median(known.features, column, inside) for column in range(len(known.features.names))],
                "means": [average(known.features, column, inside) for column in range(len(known.features.names))],
                "rule": rules[number],
            }
        )
        first += size
    everybody = np.ones(found.group.size, bool)
    return {
        "stable": found.stable,
        "buyers": int(found.group.size),
        "without": without,
        "threshold": config.stable,
        "rounds": config.rounds,
        "stability": [
            {"groups": size, "agreed": agreed, "fit": size in fit_sizes(found.stability, config.stable)}
            for size, agreed in sorted(found.stability.items())
        ],
        "groups": groups,
        "features": list(known.features.names),
        "medians": [median(known.features, column, everybody) for column in range(len(known.features.names))],
        "means": [average(known.features, column, everybody) for column in range(len(known.features.names))],
    }


def _traits(features: Features, scores: npt.NDArray[np.float64], inside: Mask) -> list[dict[str, Any]]:
    """The strongest differences of a group from all buyers, one per theme: ``feature``, ``high``, the mean standard
    ``score``, and what :func:`~rondo.analysis.studies.telling.apart` tells of the group and of all (``outside``)."""
    means = scores[inside].mean(axis=0)
    everybody = np.ones(inside.size, bool)
    seen: dict[str, dict[str, Any]] = {}
    for column in np.argsort(-np.abs(means), kind="stable").tolist():
        name = features.names[column]
        feature = feature_of(name)
        theme = feature.theme if feature else name
        if theme not in seen and len(seen) < TRAITS:
            high = bool(means[column] > 0)
            figures = apart(features, column, inside, everybody, high)
            if figures is not None:
                seen[theme] = {"feature": name, "high": high, "score": float(means[column])} | figures
    return list(seen.values())


# Rules


def _rules(tables: Tables, known: Known, found: Clusters) -> list[dict[str, Any]]:
    """Per group a rule over facts: found on every second buyer, judged on the others by asking the rule itself."""
    facts = tables.arrow(tables.scores.order_by("customer_id"))
    ids = facts["customer_id"].to_numpy()
    names = [
        fact.key
        for fact in registries.facts
        if fact.type in _FIGURES and fact.key in facts.schema.names and not fact.of_others
    ]
    names = [name for name in names if name not in _LEFT_OUT]
    values = np.column_stack([_figures(facts, name) for name in names])
    at = np.clip(np.searchsorted(ids, known.customers), 0, ids.size - 1)
    present = ids[at] == known.customers
    values = np.where(present[:, None], values[at], np.nan)
    learnt = np.random.default_rng(0).random(known.customers.size) < 0.5
    told = []
    for number in range(len(found.differences)):
        inside = found.group == number
        enough = min(int((inside & learnt).sum()), int((~inside & learnt).sum())) >= FEWEST
        boxes = describe(values[learnt], inside[learnt]) if enough else ()
        text = _text(boxes, names)
        told.append(_judged(tables, known, text, inside, ~learnt))
    return told


def _figures(facts: pa.Table, name: str) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = facts[name].cast(pa.float64()).to_numpy()
    return found


def _text(boxes: tuple[Box, ...], names: list[str]) -> str:
    """Boxes as a rule in its text form."""
    parts = []
    for box in boxes:
        bounds = []
        for bound in box:
            key = names[bound.column]
            if bound.low is not None:
                bounds.append(f"{key} > {_written(key, bound.low)}")
            if bound.high is not None:
                bounds.append(f"{key} <= {_written(key, bound.high)}")
        parts.append(" and ".join(bounds))
    return " or ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts)


def _written(key: str, value: float) -> str:
    """A bound as rules write it: money in major units, shares in per cent, counts and days whole."""
    kind = registries.facts[key].type
    if kind == "money":
        return f"{Money(round(value), installation().currency).major:f}"
    if kind == "share":
        return f"{value * 100:.10g}%"
    return str(int(np.floor(value))) if kind in ("count", "days") else f"{value:.10g}"


def _judged(tables: Tables, known: Known, text: str, inside: Mask, kept: Mask) -> dict[str, Any]:
    """The rule with precision (share of those it finds who are of the group) and recall (share of the group that it
    finds), each with its interval, among customers whom it was not found on."""
    if not text:
        return {"text": "", "found": 0}
    schema_now = schema()
    node = parse(text, schema_now)
    rows = tables.arrow(compile_ibis(node, schema_now, Context(present_run().as_of, None), tables))
    told = known.mask(rows["customer_id"].to_numpy().astype(np.int64))
    hits = int((told & inside & kept).sum())
    # Whom it finds beside the buyers is of no group, and was not learnt from.
    beside = rows.num_rows - int(told.sum())
    return {
        "text": text,
        "found": rows.num_rows,
        "precision": _share(hits, int((told & kept).sum()) + beside),
        "recall": _share(hits, int((inside & kept).sum())),
        "tested": int(kept.sum()),
    }


def _share(hits: int, trials: int) -> dict[str, float] | None:
    found = wilson(hits, trials, LEVEL)
    return None if found is None else {"value": found.value, "low": found.low, "high": found.high}
