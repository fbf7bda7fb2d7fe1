"""The science floor: models and measures as pure functions on NumPy arrays; no framework, no files, no clock.

Times are weeks (days / 7), days are whole numbers, money is whole minor units. In order of use::

    log = merge_days(customer, day, spend_minor)             # PurchaseDays: one row per customer and day
    base = summarise(log, as_of)                             # Summary: x, t_x, T, spend_days, mean_spend, customer
    often = bgnbd.fit(base.x, base.t_x, base.T)              # BgNbd; ConvergenceError, InputError
    much = gamma_gamma.fit(base.spend_days, base.mean_spend) # GammaGamma
    worth = value_customers(often, much, base.x, base.t_x, base.T, base.spend_days, base.mean_spend,
                            ValueConfig(months=12, annual_discount_rate=.1, margin_rate=.3))

``worth`` is a CustomerValues: per customer ``value``, ``low``, ``high`` (whole minor units), ``expected_purchases``,
``expected_spend``, ``probability_alive``; ``worth.total``.

:mod:`rondo.science.models` names the models of purchases there are (BG/NBD, MBG/NBD, Pareto/NBD, BG/BB) and the face
that they share: ``fit_base("paretonbd", base)`` instead of ``bgnbd.fit(...)``; all that follows takes any of them.

A fitted model has ``describe()`` for its card, ``to_dict()`` and ``from_dict(document, fingerprint=...)``, which
refuses other data; ``often.expected_purchases(weeks, x, t_x, T)``, ``often.probability_alive(x, t_x, T)``,
``often.expected_purchases_new(weeks)``, ``often.sample(weeks, x, t_x, T, rng, draws)``, ``often.dropout_identified``;
``much.expected_mean_spend(purchases, mean_spend)``.

The whole base, with intervals calibrated on earlier origins of the same log::

    base = forecast_base(log, as_of, often, much, ValueConfig(...))  # BaseForecast
    base.value, base.purchases          # Interval: expected, low, high, chance, parameters, model, calibrated
    base.value_groups, base.customers, base.holdouts, base.calibrated

How far apart the purchases of single customers lie, as the same origins taught::

    law = counts_from(often, summarise(log, as_of), weeks, base.counts_spread)   # CountLaw
    low, high = law.bounds(.9)

``compare(forecast, actual)`` is the hold-out check (HoldOutCheck: forecast, actual, mae, rmse, correlation, groups);
``lorenz(amounts)`` and ``top_share(amounts, .2)`` measure concentration. ``window(log, after, until)`` gives what
happened per customer code in a hold-out. docs/models.md has formulas, sources, worked tables and measured accuracy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rondo.science import bgbb, bgnbd, gamma_gamma, mbgnbd, models, paretonbd
    from rondo.science._btyd import FitConfig
    from rondo.science._newton import ConvergenceError
    from rondo.science.bgnbd import BgNbd
    from rondo.science.cells import Cells, reduce_to_cells
    from rondo.science.clv import CustomerValues, ValueConfig, value_customers
    from rondo.science.concentration import Lorenz, lorenz, top_share
    from rondo.science.counts import CountLaw
    from rondo.science.gamma_gamma import GammaGamma, SpendConfig
    from rondo.science.holdout import HoldOutCheck, compare, rank_groups
    from rondo.science.intervals import BaseForecast, CalibrationConfig, Interval, forecast_base, roll_holdouts
    from rondo.science.models import PurchaseModel, SpendModel, counts_from, expected_from, fit_base
    from rondo.science.summary import PurchaseDays, Summary, merge_days, summarise, window

_HOMES = {
    "BaseForecast": "rondo.science.intervals",
    "BgNbd": "rondo.science.bgnbd",
    "CalibrationConfig": "rondo.science.intervals",
    "Cells": "rondo.science.cells",
    "ConvergenceError": "rondo.science._newton",
    "CountLaw": "rondo.science.counts",
    "CustomerValues": "rondo.science.clv",
    "FitConfig": "rondo.science._btyd",
    "GammaGamma": "rondo.science.gamma_gamma",
    "HoldOutCheck": "rondo.science.holdout",
    "Interval": "rondo.science.intervals",
    "Lorenz": "rondo.science.concentration",
    "PurchaseDays": "rondo.science.summary",
    "PurchaseModel": "rondo.science.models",
    "SpendConfig": "rondo.science.gamma_gamma",
    "SpendModel": "rondo.science.models",
    "Summary": "rondo.science.summary",
    "ValueConfig": "rondo.science.clv",
    "bgbb": "rondo.science",
    "bgnbd": "rondo.science",
    "compare": "rondo.science.holdout",
    "counts_from": "rondo.science.models",
    "expected_from": "rondo.science.models",
    "fit_base": "rondo.science.models",
    "forecast_base": "rondo.science.intervals",
    "gamma_gamma": "rondo.science",
    "lorenz": "rondo.science.concentration",
    "mbgnbd": "rondo.science",
    "merge_days": "rondo.science.summary",
    "models": "rondo.science",
    "paretonbd": "rondo.science",
    "rank_groups": "rondo.science.holdout",
    "reduce_to_cells": "rondo.science.cells",
    "roll_holdouts": "rondo.science.intervals",
    "summarise": "rondo.science.summary",
    "top_share": "rondo.science.concentration",
    "value_customers": "rondo.science.clv",
    "window": "rondo.science.summary",
}
"""Where each public name lives. Each is imported when first asked for, since SciPy takes
seconds that a web page need not wait."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    if home == __name__:
        return import_module(f"{home}.{name}")
    return getattr(import_module(home), name)


__all__ = [
    "BaseForecast",
    "BgNbd",
    "CalibrationConfig",
    "Cells",
    "ConvergenceError",
    "CountLaw",
    "CustomerValues",
    "FitConfig",
    "GammaGamma",
    "HoldOutCheck",
    "Interval",
    "Lorenz",
    "PurchaseDays",
    "PurchaseModel",
    "SpendConfig",
    "SpendModel",
    "Summary",
    "ValueConfig",
    "bgbb",
    "bgnbd",
    "compare",
    "counts_from",
    "expected_from",
    "fit_base",
    "forecast_base",
    "gamma_gamma",
    "lorenz",
    "mbgnbd",
    "merge_days",
    "models",
    "paretonbd",
    "rank_groups",
    "reduce_to_cells",
    "roll_holdouts",
    "summarise",
    "top_share",
    "value_customers",
    "window",
]
