"""How often one customer will buy in the days of the risk: expected, between which numbers, and how that did in a
hold-out.

An interval of a total says nothing of one customer: what many do evens out. This one is of a single customer, and its
chance of nothing is the risk of silence as it is served, so that neither says what the other denies.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.analysis.modelling import silence
from rondo.analysis.modelling.silence import CHURN_DAYS
from rondo.analysis.results import Singles, SinglesTenth
from rondo.science.churn import ChurnRisk, churn_risk
from rondo.science.counts import count_bounds, count_law, fit_spread
from rondo.science.holdout import rank_groups
from rondo.science.hybrid import Covariates
from rondo.science.intervals import CalibrationConfig, RolledHoldOut
from rondo.science.models import PurchaseModel, alive_of, expected_from
from rondo.science.risks import Correction
from rondo.science.served import Served, lifted
from rondo.science.summary import DAYS_PER_WEEK, PurchaseDays, Summary, summarise, window

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ahead:
    """Purchases of each customer in the next :data:`CHURN_DAYS`: ``expected``, and the ends of the interval of one."""

    expected: Floats
    low: Whole
    high: Whole

    def columns(self) -> dict[str, pa.Array]:
        """The facts."""
        return {
            "purchases_ahead": pa.array(self.expected),
            "purchases_ahead_low": pa.array(self.low),
            "purchases_ahead_high": pa.array(self.high),
        }


def served(model: PurchaseModel, base: Summary, alive: Floats, risk: ChurnRisk) -> Served:
    """What forecasts of ``base`` must not deny: the risk as it is served, and the purchases expected while it lasts.
    ``alive``: P(alive) by the model."""
    expected = _expected(model, base, CHURN_DAYS, alive, risk.silent)
    return Served(CHURN_DAYS / DAYS_PER_WEEK, risk.silent, risk.model, expected)


def ahead(model: PurchaseModel, base: Summary, told: Served, holdouts: tuple[RolledHoldOut, ...]) -> Ahead:
    """Purchases of ``base`` in the next :data:`CHURN_DAYS`; ``holdouts``: what the spread of counts is learnt from."""
    level = CalibrationConfig.level
    spread = fit_spread([one.counts for one in holdouts], CHURN_DAYS, level)
    shape = model.rate_shape + base.x
    return Ahead(told.expected, *count_bounds(told.expected, told.silent, shape, spread, level))


def judge_singles(
    log: PurchaseDays,
    origin: int,
    days: int,
    fitted: PurchaseModel,
    corrected: Correction,
    holdouts: tuple[RolledHoldOut, ...],
    covariates: Covariates | None = None,
) -> Singles:
    """How many customers bought as often, in ``days`` after ``origin``, as their own intervals had said then.

    ``fitted``, ``corrected``, ``holdouts``: what was known at ``origin``. A large base is judged on a random part.
    """
    log, known = silence.judged_part(log, fitted, covariates)
    base, level = summarise(log, origin), CalibrationConfig.level
    alive = alive_of(known, base)
    silent = corrected(churn_risk(known, silence.second_purchase(log, origin), log, base, days, alive)).silent
    expected = _expected(known, base, days, alive, silent)
    spread = fit_spread([one.counts for one in holdouts], days, level)
    shape = known.rate_shape + base.x
    came = window(log, origin, origin + days)[0][base.customer]
    low, high = count_bounds(expected, silent, shape, spread, level)
    plainly = (low <= came) & (came <= high)
    randomised = count_law(expected, silent, shape, spread).held(came, level)
    rank = rank_groups(expected)
    tenths = [
        SinglesTenth(
            decile=number + 1,
            customers=int(of.sum()),
            expected=float(expected[of].mean()),
            low=float(low[of].mean()),
            high=float(high[of].mean()),
            held=float(plainly[of].mean()),
            randomised=float(randomised[of].mean()),
        )
        for number in range(int(rank.max()) + 1)
        if (of := rank == number).any()
    ]
    return Singles(
        level=level,
        customers=len(base),
        held=float(plainly.mean()),
        randomised=float(randomised.mean()),
        tenths=tenths,
    )


def _expected(model: PurchaseModel, base: Summary, days: int, alive: Floats, silent: Floats) -> Floats:
    """Expected purchases, never fewer than the chance that there are any; the sum is the model's."""
    return lifted(expected_from(model, base, days / DAYS_PER_WEEK, alive), 1 - silent)


__all__ = ["Ahead", "ahead", "judge_singles", "served"]
