"""What the page Models says of each model of a run: parameters, fit, warnings, and what moved since the run before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import exp, log
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from rondo.analysis.models import Run
from rondo.analysis.results import Selection
from rondo.web import formats

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_SURE = 1.645
"""Standard errors to either side of a 90 % interval."""

REASONS: dict[str, "_StrOrPromise"] = {
    "pinned": _("An analyst pinned it; the errors of all are shown all the same."),
    "best": _("It had the lowest error in the hold-outs, by more than one standard error."),
    "incumbent": _("It is the model in use, and no other was better by more than one standard error."),
    "preferred": _(
        "No model was better by more than one standard error; this one is first in the order of preference."
    ),
    "no_holdout": _("The data are too short for hold-outs, so the first model is taken."),
}
"""Why a model was chosen, by the codes of the science floor."""

WARNINGS: dict[str, "_StrOrPromise"] = {
    "on_bound": _(
        "A parameter ran to the edge of what can be told apart: the model has reached a limiting case, for example "
        "that all customers are alike or that nobody leaves."
    ),
    "parameter_unsure": _(
        "At least one parameter is known only up to a factor of 2 or more. Totals may still be sound; do not read the "
        "parameter itself."
    ),
    "one_time_buyers": _(
        "This model calls everybody active who bought only once, however long ago. Their probability of being active "
        "is left empty, and their risk comes from another path."
    ),
    "spend_depends_on_frequency": _(
        "Frequent buyers spend differently per purchase than others (correlation above .2 or below -.2), which the "
        "model takes to be unrelated; the value of frequent buyers is off in that direction."
    ),
}
"""What a fit warns of, by the codes of the science floor; of dropout that is not identified the notes of a run tell."""

_RATES = _("how often customers buy: mean r / alpha a week; the smaller r, the more they differ")
_LEAVES = _("chance to leave after a purchase: mean a / (a + b); the smaller both, the more customers differ")
_LEAVES_ANY_TIME = _("how fast customers leave: mean s / beta a week; the smaller s, the more they differ")
_MEANINGS: dict[str, list[tuple[str, "_StrOrPromise"]]] = {
    "bgnbd": [("r, alpha", _RATES), ("a, b", _LEAVES)],
    "mbgnbd": [("r, alpha", _RATES), ("a, b", _LEAVES)],
    "paretonbd": [
        ("r, alpha", _RATES),
        ("s, beta", _LEAVES_ANY_TIME),
    ],
    "hybrid": [
        ("r, alpha", _RATES),
        ("s, beta", _LEAVES_ANY_TIME),
    ],
    "bgbb": [
        (
            "alpha, beta",
            _("chance to buy on a day: mean alpha / (alpha + beta); the smaller, the more they differ"),
        ),
        ("gamma, delta", _("chance to leave before a day: mean gamma / (gamma + delta)")),
    ],
    "gamma_gamma": [
        ("p", _("how alike the purchases of one customer are: the larger, the more alike")),
        ("q", _("how alike customers are in what they spend: the larger, the more alike")),
        ("gamma", _("scale of spend, in minor units")),
    ],
}


EFFECTS: dict[str, "_StrOrPromise"] = {
    "rate": _("rate of buying that the history tells"),
    "alive": _("doubt of the Pareto/NBD that the customer is there"),
    "once": _("bought on one day only"),
    "twice": _("bought on two days"),
    "age": _("time since the first purchase"),
    "pause": _("time since the last purchase"),
    "pause_expected": _("purchases missed since the last one"),
    "regularity": _("irregular gaps between purchases"),
    "longest": _("pause against the longest one before"),
    "last_gap": _("last gap against the usual one"),
    "spend": _("spend per purchase day"),
    "spend_last": _("last purchase above the usual"),
    "spend_first": _("first purchase above the usual"),
    "recent_14": _("purchases of 14 days against those expected"),
    "recent_28": _("purchases of 28 days against those expected"),
    "recent_56": _("purchases of 56 days against those expected"),
    "recent_91": _("purchases of 91 days against those expected"),
    "recent_182": _("purchases of 182 days against those expected"),
}
"""What a hybrid weighs, by the names of the science floor."""

COVARIATES: dict[str, "_StrOrPromise"] = {
    "received_91": _("campaigns received in 91 days"),
    "nearness_91": _("a campaign received lately"),
    "kinds_91": _("different categories in 91 days"),
    "lines_91": _("lines bought in 91 days"),
}
"""What it may weigh beside purchases, by the names of the analysis."""

OFFERED: dict[str, "_StrOrPromise"] = {
    "campaigns": _("Campaigns received"),
    "mix": _("Mix of categories"),
}
"""Groups of these, by the names of the analysis."""

SHARE = "share:"
"""What the name of a category's share begins with."""


@dataclass(frozen=True)
class Tried:
    """A group that a hybrid was offered: by which share of the error its forecasts of others were better at an earlier
    date, and the standard error of that (empty: too little past to try it)."""

    label: "_StrOrPromise"
    taken: bool
    gain: str
    error: str


@dataclass(frozen=True)
class Effect:
    """What a hybrid adds to the forecast of a customer who has one standard deviation more of something, as a share,
    with its 90 % interval."""

    label: "_StrOrPromise"
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Parameter:
    """A parameter with its 90 % interval, and its value in the run before (empty: not known). ``moved``: the two
    differ by more than their uncertainty."""

    name: str
    value: str
    low: str
    high: str
    before: str
    moved: bool


@dataclass(frozen=True)
class ModelCard:
    """A fitted model as its card shows it; ``meanings``: names of parameters that go together, and what they say."""

    key: str
    title: str
    customers: int
    cells: int
    parameters: list[Parameter]
    meanings: list[tuple[str, "_StrOrPromise"]]
    log_likelihood: str
    before_likelihood: str
    fingerprint: str
    warnings: list["_StrOrPromise"]
    details: dict[str, Any]

    @property
    def unit(self) -> str:
        """The unit of time of the model's parameters, in words."""
        units = {"week": gettext("week"), "day": gettext("day")}
        unit = str(self.details["time_unit"])
        return units.get(unit, unit)


@dataclass(frozen=True)
class Drift:
    """What differs from the run before: its key and day; whether data, settings, model and parameters are the same."""

    run: int
    as_of: Any
    same_data: bool
    same_day: bool
    same_config: bool
    model_before: str
    same_model: bool
    moved: list[str]


def previous_run(run: Run) -> Run | None:
    """The last run before this one that was completed."""
    return Run.objects.filter(status=Run.Status.DONE, pk__lt=run.pk).order_by("-pk").first()


def model_card(run: Run, before: Run | None, role: str) -> ModelCard | None:
    """The card of the model of ``role`` (purchases or spend); None where the run fitted none."""
    card = _described(run, role)
    if card is None:
        return None
    old = _described(before, role) if before else None
    if old is not None and old["kind"] != card["kind"]:
        old = None
    return ModelCard(
        key=card["kind"],
        title=card["model"],
        customers=round(card["n_customers"]),
        cells=card["n_cells"],
        parameters=[_parameter(card, old, name) for name in card["parameters"]],
        meanings=_MEANINGS.get(card["kind"], []),
        log_likelihood=formats.number(card["log_likelihood"], 2),
        before_likelihood=formats.number(old["log_likelihood"], 2) if old else "",
        fingerprint=card["fingerprint"][:12],
        warnings=[WARNINGS[one["code"]] for one in card["warnings"] if one["code"] in WARNINGS],
        details=dict(card),
    )


def effects(card: ModelCard) -> list[Effect]:
    """What a hybrid learnt, the strongest first; empty for other models, and where it learnt nothing."""
    found = [
        Effect(
            label=_weighed(one["name"]),
            share=exp(one["weight"]) - 1,
            low=exp(one["weight"] - _SURE * one["error"]) - 1,
            high=exp(one["weight"] + _SURE * one["error"]) - 1,
        )
        for one in card.details.get("effects", [])
    ]
    return sorted(found, key=lambda one: -abs(log(1 + one.share)))


def tried(card: ModelCard) -> list[Tried]:
    """What a hybrid was offered beside purchases; empty for other models, and where there was nothing to offer."""
    return [
        Tried(
            label=OFFERED.get(one["name"], one["name"]),
            taken=one["taken"],
            gain="" if one["gain"] is None else formats.signed(one["gain"], _finely),
            error="" if one["error"] is None else _finely(one["error"]),
        )
        for one in card.details.get("tried", [])
    ]


def taken_at(selection: Selection) -> dict[str, list["_StrOrPromise"]]:
    """What the hybrid took beside purchases at each date that models were tried at, by date; without what is empty."""
    trials = [trial for one in selection["candidates"] for trial in one["trials"]]
    return {
        trial["origin"]: [OFFERED.get(name, name) for name in names]
        for trial in trials
        if (names := trial.get("taken"))
    }


def _finely(share: float) -> str:
    return formats.share(share, 2)


def _weighed(name: str) -> "_StrOrPromise":
    if name.startswith(SHARE):
        return gettext("share of %(category)s in the lines of 91 days") % {"category": name.removeprefix(SHARE)}
    return EFFECTS.get(name) or COVARIATES.get(name, name)


def learnt_from(card: ModelCard) -> list[date]:
    """The days at which a hybrid learnt; empty for other models."""
    return [date(1970, 1, 1) + timedelta(days=day) for day in card.details.get("origins", [])]


def carried_over(card: ModelCard) -> float | None:
    """By which share earlier dates move the total of a hybrid; None where they agree on nothing, and for others."""
    carried = (card.details.get("level") or {}).get("carried")
    return exp(carried) - 1 if carried else None


def drift(run: Run, before: Run | None) -> Drift | None:
    """What moved since the run before; None where there is none, or it knew no models."""
    now, then = _described(run, "purchases"), _described(before, "purchases") if before else None
    if before is None or now is None or then is None:
        return None
    cards = [model_card(run, before, role) for role in ("purchases", "spend")]
    return Drift(
        run=before.pk,
        as_of=before.as_of,
        same_data=before.fingerprint == run.fingerprint,
        same_day=before.as_of == run.as_of,
        same_config=before.config == run.config,
        model_before=then["model"],
        same_model=then["kind"] == now["kind"],
        moved=[one.name for card in cards if card for one in card.parameters if one.moved],
    )


def _described(run: Run | None, role: str) -> Mapping[str, Any] | None:
    return None if run is None else run.models_json.get("cards", {}).get(role)


def _parameter(card: Mapping[str, Any], old: Mapping[str, Any] | None, name: str) -> Parameter:
    value, error = card["parameters"][name], card["log_standard_errors"][name]
    was = old["parameters"][name] if old else None
    unsure = _SURE * (error**2 + (old["log_standard_errors"][name] if old else 0.0) ** 2) ** 0.5
    return Parameter(
        name=name,
        value=_figure(value),
        low=_figure(value * exp(-_SURE * error)),
        high=_figure(value * exp(_SURE * error)),
        before="" if was is None else _figure(was),
        moved=was is not None and abs(log(value / was)) > unsure,
    )


def _figure(value: float) -> str:
    """About four digits, whatever the size."""
    digits = next((3 - power for power in range(4) if abs(value) < 10**power), 0)
    return formats.number(value, digits)
