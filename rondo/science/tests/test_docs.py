"""The worked tables of docs/models.md, computed again figure by figure to the digits printed there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.special import xlogy

from rondo import science
from rondo.science import BgNbd, FitConfig, GammaGamma, bgbb, bgnbd, fit_base, gamma_gamma
from rondo.science._checks import FloatArray, IntArray
from rondo.science.churn import ChurnCheck, check_churn, churn_risk, fit_second
from rondo.science.models import PurchaseModel, alive_of, fit_at, median_from, silent_from
from rondo.science.risks import Correction, learn_correction
from rondo.science.selection import Selection, select_model
from rondo.science.served import Served, lifted
from rondo.science.tests.logs import cdnow, cdnow_sample, complete_journey, donations

PAGE = Path(__file__).parents[3] / "docs" / "models.md"
LOGS: dict[str, Callable[[], science.PurchaseDays]] = {
    "CDNOW sample": cdnow_sample,
    "CDNOW full": cdnow,
    "Complete Journey": complete_journey,
}
OFTEN = BgNbd(
    r=0.243, alpha=4.414, a=0.793, b=2.426, n_customers=1, log_likelihood=0, log_likelihood_without_dropout=0,
    log_covariance=((0.0,) * 4,) * 4, fingerprint="",
)  # fmt: skip
MUCH = GammaGamma(
    p=6.25, q=3.74, gamma=15.44, n_customers=1, log_likelihood=0, frequency_correlation=0,
    log_covariance=((0.0,) * 3,) * 3, fingerprint="",
)  # fmt: skip

Row = dict[str, str]
Figures = dict[str, float | str]


@cache
def base_and_models(log: str, day: int) -> tuple[science.Summary, BgNbd, GammaGamma]:
    base = science.summarise(LOGS[log](), day)
    return base, bgnbd.fit(base.x, base.t_x, base.T), gamma_gamma.fit(base.spend_days, base.mean_spend)


def bgnbd_fit(row: Row) -> Figures:
    _, model, _ = base_and_models(row["log"], int(row["to"]))
    return {
        "customers": model.n_customers,
        **dict(zip(("r", "alpha", "a", "b"), model.parameters.tolist(), strict=True)),
        "log-likelihood": model.log_likelihood,
        "dropout identified": "yes" if model.dropout_identified else "no",
    }


def bgnbd_worked(row: Row) -> Figures:
    x, t_x, T, t = (float(row[name]) for name in ("x", "t_x", "T", "t"))
    return {
        "expected purchases": OFTEN.expected_purchases(t, x, t_x, T)[0],
        "P(alive)": OFTEN.probability_alive(x, t_x, T)[0],
    }


def gamma_gamma_fit(row: Row) -> Figures:
    base = science.summarise(LOGS[row["log"]](), int(row["to"]), first_spend=False)
    model = gamma_gamma.fit(base.spend_days, base.mean_spend / 100)
    return {
        "customers": model.n_customers,
        **dict(zip(("p", "q", "gamma"), model.parameters.tolist(), strict=True)),
        "log-likelihood": model.log_likelihood,
        "correlation": model.frequency_correlation,
    }


def gamma_gamma_worked(row: Row) -> Figures:
    return {"expected spend": MUCH.expected_mean_spend(float(row["purchases"]), float(row["mean spend"]))[0]}


def clv_worked(row: Row) -> Figures:
    x, t_x, T, days, mean = (float(row[name]) for name in ("x", "t_x", "T", "spend days", "mean spend"))
    cents = replace(MUCH, gamma=1544.0)
    config = science.ValueConfig(months=12, annual_discount_rate=0.15, margin_rate=0.3)
    worth = science.value_customers(OFTEN, cents, x, t_x, T, days, mean, config)
    return {
        "expected purchases": worth.expected_purchases[0],
        "expected spend": worth.expected_spend[0],
        "value": int(worth.value[0]),
    }


@cache
def forecast(log: str, day: int, months: int) -> science.BaseForecast:
    _, often, much = base_and_models(log, day)
    config = science.ValueConfig(months=months, annual_discount_rate=0.0)
    return science.forecast_base(LOGS[log](), day, often, much, config)


def interval(row: Row) -> Figures:
    log, day, months = row["log"], int(row["at"]), int(row["months"])
    base, _, _ = base_and_models(log, day)
    made = forecast(log, day, months)
    came, money = (c[base.customer] for c in science.window(LOGS[log](), day, day + round(months * 365.25 / 12)))
    total, happened, unit = (made.purchases, came, 1) if row["what"] == "purchases" else (made.value, money, 100)
    return {
        **{name: getattr(total, name) for name in ("chance", "parameters", "model")},
        **{name: getattr(total, name) / unit for name in ("low", "expected", "high")},
        "happened": int(happened.sum()) / unit,
    }


def holdout(row: Row) -> Figures:
    origin, until = int(row["from"]), int(row["to"])
    base, often, much = base_and_models(row["log"], origin)
    expected = often.expected_purchases((until - origin) / 7, base.x, base.t_x, base.T)
    came, money = (column[base.customer] for column in science.window(LOGS[row["log"]](), origin, until))
    if row["what"] == "purchases":
        check = science.compare(expected, came)
    else:
        each = much.expected_mean_spend(base.spend_days, base.mean_spend)
        check = science.compare(expected * each / 100, money / 100)
    return {
        "customers": check.customers,
        "forecast": check.forecast,
        "happened": check.actual,
        "MAE": check.mae,
        "RMSE": check.rmse,
        "correlation": check.correlation or 0.0,
    }


@cache
def any_model(name: str, log: str, day: int) -> PurchaseModel:
    if log == "donations":
        return bgbb.fit(*donations(), config=FitConfig(time_unit="year"))
    return fit_base(name, science.summarise(LOGS[log](), day))


def models_fit(row: Row) -> Figures:
    model = any_model(row["model"], row["log"], int(row["to"]))
    return {
        "customers": model.n_customers,
        **{f"{place}.": float(value) for place, value in enumerate(model.parameters, start=1)},
        "log-likelihood": model.log_likelihood,
        "dropout identified": "yes" if model.dropout_identified else "no",
    }


def models_worked(row: Row) -> Figures:
    model = any_model(row["model"], row["log"], 272)
    x, t_x, observed, t = (float(row[name]) for name in ("x", "t_x", "T", "t"))
    return {
        "expected": model.expected_purchases(t, x, t_x, observed)[0],
        "P(alive)": model.probability_alive(x, t_x, observed)[0],
        "P(silent)": model.probability_silent(t, x, t_x, observed)[0],
        "P(alive after)": model.probability_alive_after(t, x, t_x, observed)[0],
    }


def models_holdout(row: Row) -> Figures:
    origin, until = int(row["from"]), int(row["to"])
    log = LOGS[row["log"]]()
    base = science.summarise(log, origin)
    hybrid = row["model"] == "hybrid"
    model = fit_at("hybrid", log, origin, until - origin) if hybrid else any_model(row["model"], row["log"], origin)
    expected = science.expected_from(model, base, (until - origin) / 7)
    came = science.window(log, origin, until)[0][base.customer]
    check = science.compare(expected, came)
    return {
        "forecast": check.forecast,
        "happened": check.actual,
        "MAE": check.mae,
        "MAE, medians": abs(median_from(model, base, (until - origin) / 7) - came).mean(),
        "RMSE": check.rmse,
        "correlation": check.correlation or 0.0,
    }


@cache
def selected(log: str, day: int, days: int) -> Selection:
    return select_model(LOGS[log](), day, days, incumbent="bgnbd")


def selection(row: Row) -> Figures:
    found = selected(row["log"], int(row["at"]), int(row["days"]))
    errors = next(candidate for candidate in found.candidates if candidate.model == row["model"])
    return {
        "total error": errors.total_error or 0.0,
        "MAE": errors.mae or 0.0,
        "MAE, medians": errors.median_mae or 0.0,
        "RMSE": errors.rmse or 0.0,
        "deviance": errors.deviance or 0.0,
        "log score": errors.log_score or 0.0,
        "excess": errors.excess or 0.0,
        "its error": errors.excess_error or 0.0,
        "chosen": "yes" if found.chosen == row["model"] else "no",
    }


@cache
def churned(log: str, day: int, days: int, model: str) -> ChurnCheck:
    return check_churn(LOGS[log](), day, days, model)


def churn(row: Row) -> Figures:
    check = churned(row["log"], int(row["at"]), int(row["days"]), row["model"])
    path = next(path for path in check.paths if path.path == row["path"])
    assert path.area is not None and path.by_recency is not None and path.by_alive is not None
    bins = path.calibration.bins
    return {
        "customers": sum(bin.customers for bin in bins),
        "AUC": path.area.value,
        "low": path.area.low,
        "high": path.area.high,
        "by recency": path.by_recency.value,
        "by P(alive)": path.by_alive.value,
        "Brier": path.calibration.brier,
        "of the mean": path.calibration.brier_base,
        "expected": path.calibration.expected,
        "silent": path.calibration.happened,
        "bins held": f"{sum(bin.low <= bin.expected <= bin.high for bin in bins)} of {len(bins)}",
    }


@cache
def corrected(log: str, day: int, days: int, model: str) -> tuple[Correction, ChurnCheck]:
    found = learn_correction(LOGS[log](), day, days, model)
    return found, check_churn(LOGS[log](), day, days, model, corrected=found)


def churn_corrected(row: Row) -> Figures:
    asked = row["log"], int(row["at"]), int(row["days"]), row["model"]
    found, check = corrected(*asked)
    before, after = (
        next(path for path in one.paths if path.path == row["path"]).calibration for one in (churned(*asked), check)
    )
    curve = found.once if row["path"] == "once" else found.repeat
    return {
        "Brier": before.brier,
        "corrected": after.brier,
        "of the mean": after.brier_base,
        "expected": before.expected,
        "expected, corrected": after.expected,
        "silent": after.happened,
        "taken": "none" if curve is None else f"{curve.share:.2f}",
    }


@cache
def of_one_silence(log: str, day: int, days: int, kind: str) -> tuple[list[FloatArray], IntArray]:
    """Purchases expected by the model alone, and with the silence served over 91 days; those that came."""
    base = science.summarise(LOGS[log](), day)
    model = fit_at(kind, LOGS[log](), day, 365.25, base=base)
    alive, weeks = alive_of(model, base), days / 7
    risk = learn_correction(LOGS[log](), day, 91, kind, horizon_days=365.25)(
        churn_risk(model, fit_second(LOGS[log](), day), LOGS[log](), base, 91, alive)
    )
    soon = lifted(science.expected_from(model, base, 13, alive), 1 - risk.silent)
    told = Served(13.0, risk.silent, risk.model, soon)
    expected = science.expected_from(model, base, weeks, alive)
    nothing = told.nothing(silent_from(model, base, weeks, alive=alive), weeks)
    came = science.window(LOGS[log](), day, day + days)[0][base.customer]
    return [expected, lifted(expected, told.least(nothing, weeks))], came


def one_silence(row: Row) -> Figures:
    (before, after), came = of_one_silence(row["log"], int(row["at"]), int(row["days"]), row["model"])
    found: Figures = {"raised": int((after > before * (1 + 1e-9)).sum()), "total": after.sum(), "happened": came.sum()}
    for name, expected in (("", before), (", served", after)):
        found[f"MAE{name}"] = np.abs(expected - came).mean()
        found[f"RMSE{name}"] = np.sqrt(((expected - came) ** 2).mean())
        found[f"deviance{name}"] = 2 * (xlogy(came, came / expected) - (came - expected)).mean()
    return found


def doubtful(row: Row) -> Figures:
    """Customers who were silent for longer than a time and of whom more is forecast in a year than some times all that
    they bought: what was forecast of them together, and what came."""
    log, day, days = LOGS[row["log"]](), int(row["at"]), int(row["days"])
    base = science.summarise(log, day)
    expected = science.expected_from(fit_at("hybrid", log, day, days, base=base), base, days / 7)
    bold = expected * 365 / days > float(row["times"]) * (base.x + 1)
    rows = bold & (base.age_days - base.recency_days > int(row["silent for"]))
    came = science.window(log, day, day + days)[0][base.customer]
    return {"customers": int(rows.sum()), "forecast": expected[rows].sum(), "happened": came[rows].sum()}


def lorenz(row: Row) -> Figures:
    amounts = [int(amount) for amount in row["amounts"].split(",")]
    return {
        "Gini": science.lorenz(amounts).gini,
        "top 25 %": science.top_share(amounts, 0.25),
        "top 10 %": science.top_share(amounts, 0.10),
    }


TABLES: dict[str, Callable[[Row], Figures]] = {
    "bgnbd-fit": bgnbd_fit,
    "bgnbd-worked": bgnbd_worked,
    "gamma-gamma-fit": gamma_gamma_fit,
    "gamma-gamma-worked": gamma_gamma_worked,
    "clv-worked": clv_worked,
    "interval": interval,
    "holdout": holdout,
    "lorenz": lorenz,
    "models-fit": models_fit,
    "models-worked": models_worked,
    "models-holdout": models_holdout,
    "selection": selection,
    "churn": churn,
    "churn-corrected": churn_corrected,
    "one-silence": one_silence,
    "doubtful": doubtful,
}


def tables() -> Iterator[tuple[str, Row]]:
    """Every row of every table that the page marks as recomputed."""
    text = PAGE.read_text(encoding="utf-8")
    for found in re.finditer(r"<!-- recomputed: ([\w-]+) -->\n((?:\|.*\n)+)", text):
        lines = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in found[2].splitlines()]
        for cells in lines[2:]:
            yield found[1], dict(zip(lines[0], cells, strict=True))


def test_every_table_is_there() -> None:
    assert {name for name, _ in tables()} == set(TABLES)


def _name(value: str | Row) -> str:
    return value if isinstance(value, str) else " ".join([*value.values()][:4])


@pytest.mark.parametrize(("table", "row"), [*tables()], ids=_name)
def test_row_is_what_the_code_computes(table: str, row: Row) -> None:
    for column, figure in TABLES[table](row).items():
        printed = row[column]
        if isinstance(figure, str):
            assert printed == figure, column
        else:
            digits = len(printed.partition(".")[2])
            assert float(printed) == pytest.approx(float(figure), abs=0.5001 * 10**-digits), column


@pytest.mark.parametrize("log", ["CDNOW full", "Complete Journey"])
@pytest.mark.parametrize("table", ["models-holdout", "selection"])
def test_the_hybrid_has_the_lowest_errors_of_both_kinds(table: str, log: str) -> None:
    """Medians by absolute error, means by squared error, as the tables that are computed again above print them."""
    rows = {row["model"]: row for name, row in tables() if name == table and row["log"] == log}
    for column in ("MAE, medians", "RMSE"):
        assert all(float(row[column]) > float(rows["hybrid"][column]) for key, row in rows.items() if key != "hybrid")
    others = [float(row["MAE"]) for row in rows.values()]
    assert float(rows["hybrid"]["MAE, medians"]) < min(others)
