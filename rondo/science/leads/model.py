"""Teaching, judging and applying the score of leads.

At days in the past (landmarks) everybody who was known and had not bought is a row: the signals up to that day, and
whether the first purchase came within the horizon. A penalised logistic regression (:mod:`rondo.science.propensity`)
learns from them; its penalty and calibration come from leaving out people, each with all their landmarks. Judged is on
the latest landmark whose horizon has passed, by a model taught on what was known on that day alone. Where it does not
tell better than the share that buys anyhow, there is no score.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.discrimination import Auc, Calibration, auc, calibrate, top_lift
from rondo.science.features import Features
from rondo.science.leads.log import NEVER, LeadLog
from rondo.science.leads.signals import CONTACT, Evidence, evidence_of, signals_of, themes
from rondo.science.propensity import NoSignal, Propensity, PropensityConfig, fit

Reason = Literal[
    "", "nobody", "too_short", "too_few_leads", "too_few_taught", "too_few_buyers", "no_signal", "no_better"
]


@dataclass(frozen=True)
class LeadConfig:
    """``horizons``: days within which the first purchase counts, the first that the data support is taken. ``step``:
    days between landmarks, at most ``landmarks`` of them. ``history``: days of data that must lie before one.
    ``leads``, ``buyers``: fewest people judged, and fewest of them (and of those taught) who bought. ``people``: most
    that are taught, drawn at random. ``sure``: level at which a score has to be better than none. ``penalties``,
    ``folds``, ``seed``: of the regression. ``block``: people scored at once."""

    horizons: tuple[int, ...] = (91, 56, 28)
    step: int = 28
    landmarks: int = 12
    history: int = 28
    leads: int = 200
    buyers: int = 30
    people: int = 20_000
    sure: float = 0.99
    penalties: tuple[float, ...] = (0.003, 0.03, 0.3)
    folds: int = 5
    seed: int = 0
    block: int = 20_000

    def __post_init__(self) -> None:
        if not self.horizons or min(self.horizons) < 1:
            raise InputError(f"horizons: {self.horizons}; name one or more, of 1 day or more")


@dataclass(frozen=True)
class Judged:
    """How a model taught before landmark ``day`` did on the ``leads`` of that day, of whom ``bought`` did within the
    horizon. ``before``: the share that did at the landmarks taught. ``points``: the area of plain points, one for each
    contact of theirs, faded. ``lift``: of the best tenth. ``skill``: part of the squared error of the mean that is gone
    (1: all), with its interval. ``slope``, ``level``: of the line from promised to true log odds (1 and 0 are right).
    """

    day: int
    leads: int
    bought: int
    before: float
    auc: Auc
    points: Auc
    calibration: Calibration
    lift: float
    skill: float
    skill_low: float
    skill_high: float
    slope: float
    level: float


@dataclass(frozen=True)
class Verdict:
    """Whether there is a score, and if not why: of what there are ``have`` and ``need``. ``horizon`` in days."""

    reason: Reason
    horizon: int
    have: int = 0
    need: int = 0


@dataclass(frozen=True)
class Chances:
    """A block of leads. ``person``: codes in the log, ascending; ``chance`` of a first purchase within the horizon;
    ``parts``: what each theme of ``evidence`` adds to the log odds against the average lead, (person, theme)."""

    person: IntArray
    chance: FloatArray
    parts: FloatArray
    evidence: Evidence


@dataclass(frozen=True)
class LeadScores:
    """The verdict; where there is a score, the ``model`` and how it was ``judged``. ``rows``, ``taught``: landmarks'
    rows and people that it was taught on; ``landmarks``: their days; ``leads``: who has not bought on ``as_of``."""

    as_of: int
    verdict: Verdict
    leads: int
    model: Propensity | None = None
    judged: Judged | None = None
    rows: int = 0
    taught: int = 0
    bought: int = 0
    landmarks: tuple[int, ...] = ()
    config: LeadConfig = LeadConfig()

    def blocks(self, log: LeadLog) -> Iterator[Chances]:
        """Everybody who has not bought, block by block; nothing where there is no score."""
        if self.model is None:
            return
        open_ = np.flatnonzero(log.at_risk(self.as_of))
        names = themes(self.model.scaling.names)
        spread = _spread(self.model.scaling.names, names)
        for start in range(0, open_.size, self.config.block):
            people = open_[start : start + self.config.block]
            part = log.chosen(people)
            signals = signals_of(part, self.as_of)
            yield Chances(
                people,
                self.model.probability(signals),
                self.model.contributions(signals) @ spread,
                evidence_of(part, self.as_of, names),
            )

    def weights(self) -> dict[str, float]:
        """How much each theme tells apart: the deviation of its part in the log odds, were its signals unrelated."""
        if self.model is None:
            return {}
        names = themes(self.model.scaling.names)
        squares = self.model.weights**2 @ _spread(self.model.scaling.names, names)
        return dict(zip(names, np.sqrt(squares).tolist(), strict=True))

    def describe(self) -> dict[str, Any]:
        """The card of the model; empty where there is none."""
        return {} if self.model is None else self.model.describe()


def score_leads(log: LeadLog, as_of: int, config: LeadConfig | None = None) -> LeadScores:
    """Teach and judge a score of leads on what was known by the end of day ``as_of``; later rows are not looked at.

    Where the data do not support one, the verdict says what is missing. Of several horizons the first that is
    supported is taken; if none is, the verdict is that on the first.
    """
    config = config or LeadConfig()
    log = _until(log, as_of)
    leads = int(log.at_risk(as_of).sum())
    tried: list[LeadScores] = []
    for horizon in config.horizons:
        tried.append(_with_horizon(log, as_of, horizon, leads, config))
        if not tried[-1].verdict.reason:
            return tried[-1]
    return max(tried, key=lambda one: _ORDER.index(one.verdict.reason))


_ORDER: tuple[Reason, ...] = (
    "nobody",
    "too_short",
    "too_few_leads",
    "too_few_taught",
    "too_few_buyers",
    "no_signal",
    "no_better",
)
"""How far a trial came, so that what is said is missing is what is missing last."""


def _until(log: LeadLog, as_of: int) -> LeadLog:
    """What happens after the day is not known on it: purchases, contacts, people."""
    return replace(log, bought=np.where(log.bought <= as_of, log.bought, NEVER))


def _with_horizon(log: LeadLog, as_of: int, horizon: int, leads: int, config: LeadConfig) -> LeadScores:
    def nothing(reason: Reason, have: int = 0, need: int = 0, **more: Any) -> LeadScores:
        return LeadScores(as_of, Verdict(reason, horizon, have, need), leads, config=config, **more)

    known = log.known[log.known <= as_of]
    judged_on = as_of - horizon
    before_purchase = int(((log.known < log.bought) & (log.known <= as_of)).sum())
    if not before_purchase:
        return nothing("nobody", 0, config.leads)
    begins = int(known.min())
    need = 2 * horizon + config.history
    if as_of - begins < need:
        return nothing("too_short", as_of - begins, need)
    days = [
        judged_on - number * config.step
        for number in range(config.landmarks + -(-horizon // config.step))
        if judged_on - number * config.step >= begins + config.history
    ]
    people = _people(log, as_of, config)
    told = log.chosen(people)
    open_ = told.at_risk(judged_on)
    count, came = int(open_.sum()), int((told.bought[open_] <= as_of).sum())
    if count < config.leads:
        return nothing("too_few_leads", count, config.leads)
    if came < config.buyers:
        return nothing("too_few_buyers", came, config.buyers)
    earlier = _rows(told, [day for day in days if day + horizon <= judged_on], horizon)
    # Those who did not buy teach as well as those who did.
    stayed = int(np.unique(earlier.person[~earlier.did]).size)
    if stayed < config.leads // 2:
        return nothing("too_few_taught", stayed, config.leads // 2)
    buyers = int(np.unique(earlier.person[earlier.did]).size)
    if buyers < config.buyers:
        return nothing("too_few_buyers", buyers, config.buyers)
    try:
        judged = _judge(told, earlier, judged_on, horizon, config)
    except NoSignal:
        return nothing("no_signal")
    if judged.auc.low <= 0.5 or judged.skill_low <= 0:
        return nothing("no_better", judged=judged)
    rows = _rows(told, days[: config.landmarks], horizon)
    try:
        model = _taught(rows, config)
    except NoSignal:
        return nothing("no_signal", judged=judged)
    return LeadScores(
        as_of,
        Verdict("", horizon),
        leads,
        model,
        judged,
        rows.person.size,
        int(np.unique(rows.person).size),
        int(np.unique(rows.person[rows.did]).size),
        tuple(days[: config.landmarks]),
        config,
    )


def _people(log: LeadLog, as_of: int, config: LeadConfig) -> IntArray:
    """The people who are taught and judged: all who were known before they bought, or a draw of them."""
    able = np.flatnonzero((log.known < log.bought) & (log.known <= as_of))
    if able.size <= config.people:
        return able
    drawn = np.random.default_rng(config.seed).choice(able, config.people, replace=False)
    found: IntArray = np.sort(drawn)
    return found


@dataclass(frozen=True)
class _Rows:
    """People at landmarks, landmark by landmark."""

    signals: Features
    person: IntArray
    did: npt.NDArray[np.bool_]


def _rows(log: LeadLog, days: list[int], horizon: int) -> _Rows:
    parts, people, did = [], [], []
    for day in days:
        open_ = np.flatnonzero(log.at_risk(day))
        if not open_.size:
            continue
        some = log.chosen(open_)
        parts.append(signals_of(some, day))
        people.append(open_)
        did.append(some.bought <= day + horizon)
    if not parts:
        none = np.empty(0, np.int64)
        return _Rows(Features((), np.empty((0, 0))), none, np.empty(0, bool))
    return _Rows(Features.stack(parts), np.concatenate(people), np.concatenate(did))


def _taught(rows: _Rows, config: LeadConfig) -> Propensity:
    """Fitted with people left out as a whole: somebody at one landmark must not teach about herself at another."""
    draw = np.random.default_rng(config.seed).permutation(int(rows.person.max()) + 1)
    fold = draw[rows.person] % config.folds
    return fit(rows.signals, rows.did, fold, PropensityConfig(config.penalties, config.folds, config.seed))


def _judge(log: LeadLog, earlier: _Rows, day: int, horizon: int, config: LeadConfig) -> Judged:
    model = _taught(earlier, config)
    coming = _rows(log, [day], horizon)
    chance, did = model.probability(coming.signals), coming.did
    points = coming.signals.values[:, coming.signals.names.index(f"{CONTACT}:fading 28")]
    calibration = calibrate(did, chance)
    # Against the share that bought, as if it had been known before: a harder measure than the share before.
    gain = (did.mean() - did) ** 2 - (chance - did) ** 2
    reach = NormalDist().inv_cdf(config.sure) * float(gain.std(ddof=1)) / np.sqrt(gain.size)
    line = LogisticRegression(C=1e6, max_iter=1000).fit(logit(np.clip(chance, 1e-9, 1 - 1e-9))[:, None], did)
    return Judged(
        day=day,
        leads=int(did.size),
        bought=int(did.sum()),
        before=float(earlier.did.mean()),
        auc=auc(did, chance, 2 * config.sure - 1),
        points=auc(did, points, 2 * config.sure - 1),
        calibration=calibration,
        lift=top_lift(did, chance),
        skill=float(gain.mean()) / calibration.brier_base,
        skill_low=(float(gain.mean()) - reach) / calibration.brier_base,
        skill_high=(float(gain.mean()) + reach) / calibration.brier_base,
        slope=float(line.coef_[0, 0]),
        level=float(line.intercept_[0]),
    )


def _spread(names: tuple[str, ...], wanted: tuple[str, ...]) -> FloatArray:
    """Which signal belongs to which theme, as a matrix of ones and zeros."""
    found = np.zeros((len(names), len(wanted)))
    for row, name in enumerate(names):
        found[row, wanted.index(name.partition(":")[0])] = 1.0
    return found
