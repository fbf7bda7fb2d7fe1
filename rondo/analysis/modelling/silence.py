"""The risk of falling silent: per customer by the path that suits it, and how it did in a hold-out."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.analysis.modelling.log import day_of
from rondo.analysis.results import ChurnBin, ChurnCheck, ChurnLevel, ChurnPath
from rondo.errors import InputError
from rondo.science import churn, risks
from rondo.science._newton import ConvergenceError
from rondo.science.churn import ChurnRisk, SecondPurchase
from rondo.science.hybrid import Bases, Covariates, Hybrid
from rondo.science.models import PurchaseModel
from rondo.science.risks import UNCORRECTED, Correction
from rondo.science.summary import PurchaseDays, Summary

CHURN_DAYS = 91
"""Days without a purchase that count as the end of a relationship (c)."""
ELEVATED, HIGH = 0.2, 0.5
"""Risks from which on a customer counts as at elevated and at high risk (c)."""
LEVELS = ("low", "elevated", "high")
DRIVERS = ("rhythm", "silence", "once")
_JUDGED = 100_000
_SEED = 20_170_104


def second_purchase(log: PurchaseDays, as_of: int) -> SecondPurchase | None:
    """When customers come back for the first time; None where too few ever did."""
    try:
        return churn.fit_second(log, as_of)
    except (InputError, ConvergenceError):
        return None  # one-time buyers are then judged by the model; the card of the models says so


def risk(
    model: PurchaseModel,
    second: SecondPurchase | None,
    log: PurchaseDays,
    base: Summary,
    alive: npt.NDArray[np.float64],
    corrected: Correction = UNCORRECTED,
) -> ChurnRisk:
    """Chance of no purchase in the next :data:`CHURN_DAYS`, for every customer of ``base``; ``alive``: P(alive) of them
    by the model."""
    return corrected(churn.churn_risk(model, second, log, base, CHURN_DAYS, alive))


def correction(
    log: PurchaseDays,
    as_of: int,
    model: str,
    bases: Bases | None,
    covariates: Covariates | None,
    horizon_days: float = CHURN_DAYS,
) -> Correction:
    """What earlier windows of :data:`CHURN_DAYS` say of the chances that the model of that name tells, fitted to
    forecast ``horizon_days``."""
    return risks.learn_correction(log, as_of, CHURN_DAYS, model, bases, covariates, horizon_days)


def columns(found: ChurnRisk) -> dict[str, pa.Array]:
    """The facts of the risk: chance, usual chance, level, and what drives it where the level is not low."""
    level = np.searchsorted([ELEVATED, HIGH], found.silent, side="right")
    driver = np.where(found.once, 2, (found.silent - found.usual > found.usual).astype(np.int64))
    return {
        "churn": pa.array(found.silent),
        "churn_usual": pa.array(found.usual),
        "risk": _words(LEVELS, level),
        "risk_driver": _words(DRIVERS, driver, level == 0),
    }


def check(
    log: PurchaseDays,
    origin: int,
    fitted: PurchaseModel,
    corrected: Correction,
    covariates: Covariates | None = None,
) -> ChurnCheck:
    """Forecast at ``origin`` of who stays silent, by a model ``fitted`` to what was known then, against what came.

    A large base is judged on a random part of it. ``corrected``: what was known then of the model's chances;
    ``covariates``: those that a hybrid was fitted with.
    """
    log, known = judged_part(log, fitted, covariates)
    found = churn.check_churn(log, origin, CHURN_DAYS, fitted.kind, known, corrected, (ELEVATED, HIGH))
    return ChurnCheck(
        origin=day_of(found.origin).isoformat(),
        end=day_of(found.until).isoformat(),
        paths=[_path(path) for path in found.paths],
        levels=[
            ChurnLevel(level=level, customers=one.customers, expected=one.expected, silent=one.silent)
            for level, one in zip(LEVELS, found.levels, strict=True)
        ],
    )


def judged_part(
    log: PurchaseDays, fitted: PurchaseModel, covariates: Covariates | None = None
) -> tuple[PurchaseDays, PurchaseModel]:
    """The log that single customers are judged on, a random part of that of a large base, and the model of it."""
    taken = drawn(log)
    if taken is None:
        return log, fitted
    rows = taken[log.customer]
    log = PurchaseDays(log.customer[rows], log.day[rows], log.spend[rows], log.n_customers)
    # A hybrid speaks of the customers that it is bound to alone.
    return log, fitted.bound(log, covariates) if isinstance(fitted, Hybrid) else fitted


def drawn(log: PurchaseDays) -> npt.NDArray[np.bool_] | None:
    """Which customers of a log single ones are judged on; None: all."""
    if log.n_customers <= _JUDGED:
        return None
    return np.asarray(np.random.default_rng(_SEED).random(log.n_customers) < _JUDGED / log.n_customers)


def _path(found: churn.PathCheck) -> ChurnPath:
    bins = [
        ChurnBin(customers=one.customers, expected=one.expected, share=one.share, low=one.low, high=one.high)
        for one in found.calibration.bins
    ]
    return ChurnPath(
        path=found.path,
        customers=sum(one["customers"] for one in bins),
        expected=found.calibration.expected,
        silent=found.calibration.happened,
        brier=found.calibration.brier,
        brier_base=found.calibration.brier_base,
        area=None if found.area is None else found.area.value,
        area_low=None if found.area is None else found.area.low,
        area_high=None if found.area is None else found.area.high,
        by_recency=None if found.by_recency is None else found.by_recency.value,
        bins=bins,
    )


def _words(names: tuple[str, ...], codes: npt.NDArray[Any], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    indices = pa.array(codes.astype(np.int8), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names)).cast(pa.string())
