"""Who is likely to answer a campaign of a type: learnt from earlier campaigns, tested on later ones, told of everybody.

The rows are customers that a campaign contacted; what is known of each is what was known on the day before it began;
the outcome is whether they answered while it ran. A campaign is foretold only by campaigns that had ended before it.
"""

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from rondo.analysis.facts import past
from rondo.analysis.features.table import Known, read, restricted
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.outcome import Found, Outcome, Published, Report, present_run
from rondo.analysis.studies.telling import drivers
from rondo.campaigns.types import series_key
from rondo.errors import InputError
from rondo.foundation.installation import installation
from rondo.interactions.queries import traces
from rondo.science import propensity
from rondo.science.discrimination import auc, calibrate, top_lift
from rondo.science.features import Features
from rondo.science.propensity import FEWEST, NoSignal, Propensity, PropensityConfig
from rondo.warehouse.tables import Tables, open_tables

MOST = 10
"""So many of the latest campaigns of a type are learnt from."""
PAST_DAYS = 28
"""A campaign counts if there was so much of a log before it began."""
FOLDS = 5
ROWS = 200_000
"""So many contacts a fit looks at, drawn at random."""
_FEWEST_TESTED = 5
_CLASSES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Told:
    """A campaign that can be learnt from: what was known of its contacts, and who answered."""

    key: int
    name: str
    starts_on: date
    ends_on: date
    features: Features
    did: Bools
    fingerprint: str


def answer(study: Study, report: Report) -> Outcome:
    """Learn the type of campaigns that is the study's subject.

    Raises:
        InputError: too few campaigns of the type ended, or too few contacts answered. StateError: no analysis yet.
    """
    run = present_run()
    with open_tables() as tables:
        rows = _ended(tables, study.subject, run)
        report("features", 0, len(rows) + 1)
        told = []
        for number, row in enumerate(rows):
            told.append(_told(tables, row))
            report("features", number + 1, len(rows) + 1)
        _enough(study.subject, told)
        everybody = read(tables, past(tables, run.as_of, installation().currency))
    report("features", len(rows) + 1, len(rows) + 1)
    tests = [(one, [other for other in told if other.ends_on < one.starts_on]) for one in told]
    tests = [(one, earlier) for one, earlier in tests if _testable(one, earlier)]
    tested = []
    for number, (one, earlier) in enumerate(tests):
        report("model", number, len(tests) + 1)
        found = _test(one, earlier)
        if found is not None:
            tested.append(found)
    report("model", len(tests), len(tests) + 1)
    model = _fit(told)
    if model is None:
        raise InputError(
            _(
                "From the campaigns of type %(kind)s nothing can be learnt that would hold for another one: forecasts "
                "for a campaign that was left out ranked its contacts no better than chance."
            )
            % {"kind": study.subject}
        )
    results, customers = _results(study.subject, told, tested, model, everybody)
    return Outcome(
        results=results,
        config=asdict(PropensityConfig())
        | {"features": list(everybody.features.names), "campaigns": [one.key for one in told], "rows": ROWS},
        fingerprint=everybody.fingerprint,
        run=run,
        as_of=run.as_of,
        found=customers,
        published=Published(series_key(study.subject)),
    )


def _ended(tables: Tables, kind: str, run: Any) -> list[dict[str, Any]]:
    """The latest campaigns of a type that ended by the day of the run and began when there was a past, oldest first."""
    first = run.results["totals"]["first_day"]
    if not first:
        return []
    since = date.fromisoformat(first) + timedelta(days=PAST_DAYS)
    t = tables.campaigns
    rows = tables.arrow(t.filter(t.type == kind).select("id", "name", "starts_on", "ends_on")).to_pylist()
    rows = [row for row in rows if row["starts_on"] >= since and row["ends_on"] <= run.as_of]
    return sorted(rows, key=lambda row: (row["starts_on"], row["id"]))[-MOST:]


def _told(tables: Tables, row: dict[str, Any]) -> Told:
    t = tables.exposures
    sent = t.filter((t.campaign_id == row["id"]) & t.eligible & (t.suppressed == "") & (t.arm != "control"))
    known = restricted(
        past(tables, row["starts_on"] - timedelta(days=1), installation().currency), sent.select(chosen="customer_id")
    )
    table = read(tables, known)
    answers = tables.interactions
    inbound = (answers.direction == "inbound") & ~answers.kind.isin(traces())
    answers = answers.filter(inbound & (answers.business_date <= row["ends_on"]))
    answered = sent.filter(sent.interaction_id.isin(answers.in_response_to)).select("customer_id").distinct()
    did = table.mask(tables.arrow(answered)["customer_id"].to_numpy().astype(np.int64))
    return Told(row["id"], row["name"], row["starts_on"], row["ends_on"], table.features, did, table.fingerprint)


def _counts(told: list[Told]) -> tuple[int, int]:
    did = sum(int(one.did.sum()) for one in told)
    return did, sum(one.did.size for one in told) - did


def _enough(kind: str, told: list[Told]) -> None:
    did, did_not = _counts(told)
    if min(did, did_not) < FEWEST:
        raise InputError(
            _(
                "Campaigns of type %(kind)s that have ended and began with a past of %(days)d days: %(campaigns)d, "
                "with %(did)d contacts answered and %(did_not)d not; at least %(fewest)d of each are needed to learn "
                "from."
            )
            % {
                "kind": kind,
                "days": PAST_DAYS,
                "campaigns": len(told),
                "did": did,
                "did_not": did_not,
                "fewest": FEWEST,
            }
        )


def _testable(one: Told, earlier: list[Told]) -> bool:
    return min(_counts(earlier)) >= FEWEST and min(_counts([one])) >= _FEWEST_TESTED


def _fit(told: list[Told]) -> Propensity | None:
    """The model of these campaigns; None where there is no signal."""
    features, did = Features.stack([one.features for one in told]), np.concatenate([one.did for one in told])
    # Neighbouring campaigns are left out together where there are many: five folds say as much as twenty.
    place = np.concatenate([np.full(one.did.size, number * FOLDS // len(told)) for number, one in enumerate(told)])
    occasion = place if len(told) <= FOLDS or len(set(place.tolist())) > 1 else None
    if did.size > ROWS:
        chosen = np.sort(np.random.default_rng(0).choice(did.size, ROWS, replace=False))
        features, did = features.rows(chosen), did[chosen]
        occasion = occasion[chosen] if occasion is not None else None
    try:
        return propensity.fit(features, did, occasion)
    except NoSignal:
        return None


def _test(one: Told, earlier: list[Told]) -> dict[str, Any] | None:
    """How a model of the earlier campaigns foretold this one, beside ranking by earlier answers alone; None where they
    teach nothing."""
    model = _fit(earlier)
    if model is None:
        return None
    promised = model.probability(one.features)
    held = calibrate(one.did, promised)
    plain = one.features.values[:, one.features.names.index("answered")]
    return {
        "campaign": one.key,
        "trained": [other.key for other in earlier],
        "contacted": int(one.did.size),
        "answered": int(one.did.sum()),
        "auc": _area(auc(one.did, promised)),
        "by_answers": auc(one.did, plain).value,
        "lift": top_lift(one.did, promised),
        "expected": held.expected,
        "brier": held.brier,
        "brier_base": held.brier_base,
        "bins": [asdict(row) for row in held.bins],
    }


def _area(found: Any) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}


def _results(
    kind: str, told: list[Told], tested: list[dict[str, Any]], model: Propensity, everybody: Known
) -> tuple[dict[str, Any], Found]:
    chance = model.probability(everybody.features)
    order = np.argsort(-chance, kind="stable")
    best = np.zeros(chance.size, bool)
    best[order[: max(chance.size // 10, 1)]] = True
    scores = model.scaling.scores(everybody.features)
    place = np.searchsorted(_CLASSES, chance, side="right") - 1
    results = {
        "type": kind,
        "campaigns": [
            {"campaign": one.key, "contacted": int(one.did.size), "answered": int(one.did.sum())} for one in told
        ],
        "tested": tested,
        "cross": _area(model.cross_auc),
        "penalty": model.penalty,
        "slope": model.slope,
        "drivers": drivers(everybody.features, scores, model.weights, best, ~best) if not best.all() else [],
        "classes": [
            {"low": low, "customers": int((place == number).sum()), "expected": float(chance[place == number].sum())}
            for number, low in enumerate(_CLASSES)
        ],
    }
    customers = Found(everybody.customers[order], np.round(chance[order], 9))
    return results, customers
