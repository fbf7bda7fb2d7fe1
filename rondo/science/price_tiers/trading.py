"""Trading up: the chance that a customer's next purchase in a category is of a higher tier than usual, and what it
would bring.

Learnt on teaching days: what was known on the day has to tell the next purchase in the category that came within the
horizon. Only categories to whose tiers customers hold are learnt from and forecast (:mod:`.holding`). A pooled logistic
regression (:mod:`rondo.science.propensity`): one category alone has too few who traded up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import logit

from rondo.errors import InputError
from rondo.science import propensity
from rondo.science._checks import FloatArray, IntArray
from rondo.science.discrimination import Auc, Calibration, auc, calibrate, top_lift
from rondo.science.features import Features
from rondo.science.price_tiers.grading import Goods, Paid, TierConfig, Tiers, grade
from rondo.science.price_tiers.habits import Days, Drawn, Habits, drawn
from rondo.science.price_tiers.holding import Held, held

HORIZONS = (28, 91, 364)
"""Days within which the next purchase has to come, to teach: the shortest with enough of them."""
OCCASIONS = 3
ENOUGH = 500
"""Purchases to learn from, over all teaching days."""
FEWEST_DAYS = 2
TEACHING = 150_000
"""Most rows of a teaching day; where there are more, every so-manyth customer teaches."""
ELSEWHERE = 10.0
KIND_PURCHASES, KINDS = 30, 10
"""Purchases judged by which a category's ratio of what came to what was expected counts, and categories needed."""
SIGNALS = (
    "above",
    "lately",
    "last above",
    "tried",
    "elsewhere",
    "usual",
    "days",
    "silent",
    "spend",
    "basket",
    "saved",
    "saved elsewhere",
    "step",
)
"""``above``, ``lately``, ``usual``: logits of the share of days above the usual tier: own (drawn), lately (drawn) and
of customers alike; ``tried``: such days; ``elsewhere``: how much higher the tiers bought in other categories are than
others' there (0 to 1, drawn); ``silent``: days since the last purchase in the category; ``spend``: in the 91 days
before, per day; ``basket``: per purchase day, over all; ``saved``: share of the shelf price taken off by discounts in
the category and in all; ``step``: how many times dearer the next tier is, as a logarithm."""


class Reason(StrEnum):
    """Why there are no chances: no category has two tiers; customers hold to no category's tiers more than chance would
    have it; nobody bought twice in such a category below its highest tier; too few purchases to learn from, or that
    teach nothing that holds."""

    NONE = ""
    NO_TIERS = "no_tiers"
    NOT_HELD = "not_held"
    NOBODY = "nobody"
    FEW = "few"
    NO_SIGNAL = "no_signal"


@dataclass(frozen=True)
class State:
    """What is known at the end of a day: tiers, which of them are held to, and the habits of all customers."""

    day: int
    tiers: Tiers
    held: Held
    habits: Habits
    features: Features
    drawn: Drawn
    jump: FloatArray
    units: FloatArray
    units_spread: FloatArray
    candidate: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """How forecasts of the latest horizon came true, from a model taught on earlier ones alone. ``base``: AUC of the
    own share alone, drawn to that of customers alike. ``expected``, ``came``: extra money at the next purchase in minor
    units, forecast and at the tiers' prices, summed; ``ratio_low`` to ``ratio_high``: 90 % interval of came / expected
    over customers; ``kind_low`` to ``kind_high``: where nine in ten categories have it (nan: too few to tell).
    ``scale``: what forecasts of money of earlier teaching days had to be multiplied by."""

    purchases: int
    higher: int
    auc: Auc
    base: Auc
    calibration: Calibration
    base_brier: float
    top_tenth: float
    expected: float
    came: float
    ratio_low: float
    ratio_high: float
    kind_low: float
    kind_high: float
    scale: float


@dataclass(frozen=True)
class Teaching:
    """Rows of a state whose next purchase came within the horizon; ``higher``: of a higher tier than usual; ``extra``:
    what that day's units cost above the usual tier's price, in minor units."""

    rows: IntArray
    higher: npt.NDArray[np.bool_]
    extra: FloatArray


@dataclass(frozen=True)
class TradingUp:
    """A fitted run: the state on its day, the model with how it was judged (None: ``reason`` says why), and per row of
    the habits ``chance`` of a higher tier at the next purchase with ``chance_low`` to ``chance_high``, and ``gain``:
    extra minor units expected at it, with an interval; all nan for rows that are no candidates."""

    state: State
    horizon: int
    model: propensity.Propensity | None
    judged: Judged | None
    reason: Reason
    chance: FloatArray
    chance_low: FloatArray
    chance_high: FloatArray
    gain: FloatArray
    gain_low: FloatArray
    gain_high: FloatArray

    def describe(self) -> dict[str, Any]:
        """The card: the model and how it was judged, as JSON."""
        return {
            "horizon": self.horizon,
            "reason": self.reason.value,
            "model": None if self.model is None else self.model.describe(),
            "judged": None if self.judged is None else asdict(self.judged),
        }


def state_of(paid: Paid, goods: Goods, day: int, config: TierConfig | None = None) -> State:
    """What is known at the end of ``day``; later rows are not looked at."""
    known = paid.rows(paid.day <= day)
    tiers = grade(known, goods, config)
    calls = held(known.customer, known.product, tiers)
    return known_state(known, tiers, calls, day)


def known_state(known: Paid, tiers: Tiers, calls: Held, day: int) -> State:
    """The state of rows up to ``day`` with tiers that are given."""
    habits = Habits.of(Days.of(known, tiers))
    group = habits.category * 3 + habits.usual
    groups = max(len(tiers.paths), 1) * 3
    own = drawn(habits.above, habits.count, group, groups)
    jump = _jump(habits, tiers, group, groups)
    units, spread = _units(habits, max(len(tiers.paths), 1))
    count = habits.count
    gap = (habits.last - habits.first) / np.maximum(count - 1, 1)
    candidate = (count >= FEWEST_DAYS) & (habits.usual < tiers.count[habits.category] - 1)
    candidate &= calls.called[habits.category]
    candidate &= (day - habits.last) <= np.maximum(HORIZONS[0], 3 * gap)
    features = _features(known, tiers, habits, own, jump, day)
    return State(day, tiers, calls, habits, features, own, jump, units, spread, candidate)


def _features(known: Paid, tiers: Tiers, habits: Habits, own: Drawn, jump: FloatArray, day: int) -> Features:
    customers = int(known.customer.max(initial=-1)) + 1
    who, count = habits.customer, habits.count
    # Height of the tiers bought, against that of all customers in the category.
    top = np.maximum(tiers.count[habits.category] - 1, 1)
    height = (habits.days * np.arange(3)).sum(axis=1) / top
    kinds = len(tiers.paths)
    days_of_kind = np.bincount(habits.category, count, minlength=kinds)
    usual_height = np.bincount(habits.category, height, minlength=kinds) / np.maximum(days_of_kind, 1)
    above_others = height - count * usual_height[habits.category]
    all_above, all_days = (np.bincount(who, part, minlength=customers) for part in (above_others, count))
    elsewhere = (all_above[who] - above_others) / (all_days[who] - count + ELSEWHERE)
    recent = known.day > day - 91
    spend = np.bincount(known.customer[recent], known.paid[recent], minlength=customers) / 91
    total, saved = (np.bincount(known.customer, part, minlength=customers) for part in (known.paid, known.saved))
    span = int(known.day.max(initial=0)) - int(known.day.min(initial=0)) + 1
    visits = np.bincount(
        np.unique(known.customer * span + known.day - int(known.day.min(initial=0))) // span, minlength=customers
    )
    basket = total / np.maximum(visits, 1)
    lately = (count * habits.lately + own.prior * 2) / (count + 2)
    price = tiers.prices[habits.category, habits.usual]
    values = np.column_stack(
        [
            logit(np.clip(own.mean, 1e-4, 1 - 1e-4)),
            logit(np.clip(lately, 1e-4, 1 - 1e-4)),
            habits.last_above,
            habits.above,
            elsewhere * 10,
            logit(np.clip(own.prior, 1e-4, 1 - 1e-4)),
            count,
            day - habits.last,
            spend[who],
            basket[who],
            habits.saved * 10,
            (saved / np.maximum(total + saved, 1))[who] * 10,
            np.log(np.maximum(1 + jump / np.maximum(price, 1), 1e-3)) * 10,
        ]
    )
    return Features(SIGNALS, values.astype(np.float64))


def _jump(habits: Habits, tiers: Tiers, group: IntArray, groups: int) -> FloatArray:
    """Per row what a day above the usual tier costs more per usual pack, as customers alike have spread over tiers."""
    prices = np.nan_to_num(tiers.prices[habits.category])
    higher = habits.days * (np.arange(3) > habits.usual[:, None])
    days = np.column_stack([np.bincount(group, higher[:, tier], minlength=groups) for tier in range(3)])
    # As if one more day had been of the next tier, so that there is an answer where nobody went up yet.
    next_up = np.zeros((groups, 3))
    next_up[np.arange(groups), np.minimum(np.arange(groups) % 3 + 1, 2)] = 1
    weights = (days + next_up)[group]
    mean = (weights * prices).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12)
    found: FloatArray = mean - np.take_along_axis(prices, habits.usual[:, None], 1)[:, 0]
    return np.maximum(found, 0.0)


def _units(habits: Habits, kinds: int) -> tuple[FloatArray, FloatArray]:
    """Usual packs per purchase day, drawn towards the category's (Bühlmann 1967), and their relative deviation."""
    count = habits.count
    days = np.bincount(habits.category, count, minlength=kinds)
    of_kind = np.bincount(habits.category, habits.units * count, minlength=kinds) / np.maximum(days, 1)
    mean = np.maximum(of_kind[habits.category], 1e-9)
    several = count > 1
    if not several.any():
        return mean.astype(np.float64), np.zeros(count.size)
    n = count[several].astype(np.float64)
    square = mean[several] ** 2
    within = float(
        (n * np.maximum(habits.units_square - habits.units**2, 0)[several] / square).sum()
        / np.maximum((n - 1).sum(), 1)
    )
    total = float(((habits.units[several] - mean[several]) ** 2 / square).mean())
    between = max(total - within * float((1 / n).mean()), 1e-6)
    weight = count / (count + within / between)
    found = weight * habits.units + (1 - weight) * mean
    deviation = np.sqrt(between * (1 - weight)) * mean / np.maximum(found, 1e-9)
    return found, deviation


def teach(state: State, log: Days, horizon: int) -> Teaching:
    """The candidates whose next purchase day came within the ``horizon``; ``log``: days by the state's tiers."""
    after = np.flatnonzero((log.day > state.day) & (log.day <= state.day + horizon))
    kinds = max(len(state.tiers.paths), 1)
    keys = log.customer[after] * kinds + log.category[after]
    wanted = state.habits.customer * kinds + state.habits.category
    at = np.searchsorted(keys, wanted)
    here = state.candidate & (at < keys.size)
    here[here] = keys[at[here]] == wanted[here]
    rows = np.flatnonzero(here)
    first = after[at[rows]]
    usual = state.habits.usual[rows]
    tier = log.tier[first]
    prices = state.tiers.prices[state.habits.category[rows]]
    place = np.arange(rows.size)
    dearer = np.nan_to_num(prices[place, tier] - prices[place, usual])
    return Teaching(rows, tier > usual, np.where(tier > usual, dearer * log.units[first], 0.0))


def work_out(
    paid: Paid,
    goods: Goods,
    day: int,
    config: TierConfig | None = None,
    *,
    state: Callable[[int], State] | None = None,
) -> TradingUp:
    """Grade, learn and forecast as of the end of ``day``; later rows are not looked at."""
    known = paid.rows(paid.day <= day)
    of = state or (lambda when: state_of(known, goods, when, config))
    now = of(day)
    if not now.tiers.paths or not (now.tiers.count > 1).any():
        return _nothing(now, Reason.NO_TIERS)
    if not now.held.called.any():
        return _nothing(now, Reason.NOT_HELD)
    if not now.candidate.any():
        return _nothing(now, Reason.NOBODY)
    first = int(known.day.min())
    horizon, occasions = 0, []
    for horizon in HORIZONS:
        teaching_days = [
            day - horizon * back for back in range(OCCASIONS, 0, -1) if day - horizon * back > first + horizon
        ]
        occasions = [_occasion(of(when), known, horizon) for when in teaching_days]
        if sum(taught.rows.size for _state, taught in occasions) >= ENOUGH:
            break
    else:
        return _nothing(now, Reason.FEW)
    try:
        judged = _judge(occasions) if len(occasions) > 1 else None
        if judged is not None and judged.auc.low <= 0.5:
            raise propensity.NoSignal("features: a model of earlier purchases told the latest no better than chance")
        model, scale = _learn(occasions)
    except propensity.NoSignal:
        return _nothing(now, Reason.NO_SIGNAL, horizon)
    except InputError:
        return _nothing(now, Reason.FEW, horizon)
    rows = now.candidate
    chance = np.full(rows.size, np.nan)
    chance[rows] = model.probability(now.features.rows(rows))
    low, high = _chances(chance, now.drawn.strength)
    gain, gain_low, gain_high = (part * scale for part in _gains(chance, now))
    return TradingUp(now, horizon, model, judged, Reason.NONE, chance, low, high, gain, gain_low, gain_high)


def _nothing(state: State, reason: Reason, horizon: int = 0) -> TradingUp:
    none = np.full(state.candidate.size, np.nan)
    return TradingUp(state, horizon, None, None, reason, none, none, none, none, none, none)


def _occasion(state: State, known: Paid, horizon: int) -> tuple[State, Teaching]:
    taught = teach(state, Days.of(known, state.tiers), horizon)
    if taught.rows.size > TEACHING:
        step = -(-taught.rows.size // TEACHING)
        some = state.habits.customer[taught.rows] % step == 0
        taught = Teaching(taught.rows[some], taught.higher[some], taught.extra[some])
    return state, taught


def _stacked(occasions: list[tuple[State, Teaching]]) -> tuple[Features, npt.NDArray[np.bool_], IntArray]:
    features = Features.stack([state.features.rows(taught.rows) for state, taught in occasions])
    higher = np.concatenate([taught.higher for _state, taught in occasions])
    number = np.repeat(np.arange(len(occasions)), [taught.rows.size for _state, taught in occasions])
    return features, higher, number


def _learn(occasions: list[tuple[State, Teaching]]) -> tuple[propensity.Propensity, float]:
    """The model, and what its forecasts of money have to be multiplied by: who goes up takes fewer packs, or a nearer
    tier, than chance × units × step says."""
    features, higher, number = _stacked(occasions)
    model = propensity.fit(features, higher, number)
    expected = came = 0.0
    for state, taught in occasions:
        expected += float(_forecast(model, state, taught)[1].sum())
        came += float(taught.extra.sum())
    return model, came / expected if expected > 0 else 1.0


def _forecast(model: propensity.Propensity, state: State, taught: Teaching) -> tuple[FloatArray, FloatArray]:
    """Chance and unscaled gain of the rows taught."""
    chance = np.full(state.candidate.size, np.nan)
    chance[taught.rows] = model.probability(state.features.rows(taught.rows))
    return chance[taught.rows], _gains(chance, state)[0][taught.rows]


def _judge(occasions: list[tuple[State, Teaching]]) -> Judged:
    """The last occasion, by a model that knows the earlier ones alone."""
    model, scale = _learn(occasions[:-1])
    state, taught = occasions[-1]
    p, gain = _forecast(model, state, taught)
    base, expected = state.drawn.mean[taught.rows], gain * scale
    who = np.unique(state.habits.customer[taught.rows], return_inverse=True)[1]
    hoped, came = np.bincount(who, expected), np.bincount(who, taught.extra)
    generator = np.random.default_rng(0)
    ratios = [
        came[some].sum() / max(hoped[some].sum(), 1e-9)
        for some in (generator.integers(0, hoped.size, hoped.size) for _ in range(200))
    ]
    kind = state.habits.category[taught.rows]
    many = np.flatnonzero(np.bincount(kind) >= KIND_PURCHASES)
    of_kind = np.bincount(kind, taught.extra)[many] / np.maximum(np.bincount(kind, expected)[many], 1e-9)
    kinds = np.quantile(of_kind, (0.05, 0.95)) if many.size >= KINDS else np.full(2, np.nan)
    return Judged(
        int(taught.rows.size),
        int(taught.higher.sum()),
        auc(taught.higher, p),
        auc(taught.higher, base),
        calibrate(taught.higher, p),
        float(np.mean((base - taught.higher) ** 2)),
        top_lift(taught.higher, p),
        float(expected.sum()),
        float(taught.extra.sum()),
        float(np.quantile(ratios, 0.05)),
        float(np.quantile(ratios, 0.95)),
        float(kinds[0]),
        float(kinds[1]),
        scale,
    )


def _chances(chance: FloatArray, strength: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where 90 % of customers with this history have their own share: the Beta with the forecast as its mean."""
    low, high = np.full(chance.size, np.nan), np.full(chance.size, np.nan)
    known = ~np.isnan(chance)
    p = np.clip(chance[known], 1e-4, 1 - 1e-4)
    a, b = p * strength[known], (1 - p) * strength[known]
    low[known], high[known] = stats.beta.ppf(0.05, a, b), stats.beta.ppf(0.95, a, b)
    return low, high


def _gains(chance: FloatArray, state: State) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Chance × units × price step, and an interval on the logarithm's scale from the spread of chance and units."""
    gain = chance * state.units * state.jump
    p = np.clip(chance, 1e-4, 1 - 1e-4)
    spread = np.sqrt((1 - p) / p / (state.drawn.strength + 1) + state.units_spread**2)
    reach = 1.6449 * spread
    return gain, gain * np.exp(-reach), gain * np.exp(reach)
