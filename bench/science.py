"""Speed and accuracy of the customer-base models: ``python -m bench.science``.

Speed: BG/NBD on simulated customers, fit and score, beside ``lifetimes`` on the same customers in the same run; the
other models of purchases on them too (MBG/NBD beside ``lifetimes``, which takes too long with the rest); BG/NBD on ten
times as many alone. Purchases are simulated in continuous time and then recorded by the day, as a log holds them: times
are whole days, in weeks as the models take them.

``--accuracy``: hold-outs on the CDNOW log and the Complete Journey, a table of docs/models.md; ``--model KEY`` does it
for another model of purchases than BG/NBD.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from rondo import science
from rondo.science import gamma_gamma, models
from rondo.science._beta_geometric import Likelihood
from rondo.science.cells import reduce_to_cells
from rondo.science.tests.logs import cdnow, cdnow_sample, complete_journey

Floats = npt.NDArray[np.float64]
HORIZON = 52.0


def simulate(customers: int, seed: int = 1) -> tuple[Floats, Floats, Floats]:
    """x, t_x, T of customers who behave as the CDNOW fit says, acquired over a year and observed for 26 to 78 weeks."""
    rng = np.random.default_rng(seed)
    age = rng.integers(26 * 7, 78 * 7, customers)
    rate = rng.gamma(0.243, 1 / 4.414, customers) / 7
    leave = rng.beta(0.793, 2.426, customers)
    x, last = np.zeros(customers, np.int64), np.zeros(customers, np.int64)
    who, now = np.arange(customers), np.zeros(customers)
    while who.size:
        now = now + rng.standard_exponential(who.size) / np.maximum(rate[who], 1e-12)
        inside = now <= age[who]
        who, now = who[inside], now[inside]
        day = np.floor(now).astype(np.int64)
        new_day = day > last[who]
        x[who] += new_day
        last[who] = np.maximum(last[who], day)
        stays = rng.random(who.size) >= leave[who]
        who, now = who[stays], now[stays]
    return x.astype(np.float64), last / 7, age / 7


def ours(x: Floats, t_x: Floats, T: Floats, name: str = "bgnbd") -> dict[str, Any]:
    """Reduce, fit, score; seconds of each."""
    kind = models.PURCHASE_MODELS[name]
    x_, t_, T_ = models.in_units(kind.time_unit, x, t_x, T)
    horizon = models.weeks_in_units(kind.time_unit, HORIZON)
    start = time.perf_counter()
    cells = reduce_to_cells(x_, t_, T_)
    reduced = time.perf_counter()
    model: models.PurchaseModel = kind.module.fit_cells(cells)
    fitted = time.perf_counter()
    expected = model.expected_purchases(horizon, x_, t_, T_)
    alive = model.probability_alive(x_, t_, T_)
    scored = time.perf_counter()
    return {
        "fit_s": fitted - start,
        "reduce_s": reduced - start,
        "score_s": scored - fitted,
        "cells": len(cells),
        "log_likelihood": model.log_likelihood,
        "parameters": [round(v, 4) for v in model.parameters.tolist()],
        "expected": float(expected.sum()),
        "alive": float(alive.mean()),
    }


def theirs(x: Floats, t_x: Floats, T: Floats, name: str = "bgnbd") -> dict[str, Any]:
    """The same by ``lifetimes``."""
    warnings.simplefilter("ignore")  # it warns of its own use of old interfaces; figures are not touched
    import lifetimes

    fitter = {"bgnbd": lifetimes.BetaGeoFitter, "mbgnbd": lifetimes.ModifiedBetaGeoFitter}[name]
    likelihood = Likelihood(x, t_x, T, np.ones(x.size), first_coin=int(name == "mbgnbd"))
    start = time.perf_counter()
    model = fitter().fit(x, t_x, T)
    fitted = time.perf_counter()
    expected = model.conditional_expected_number_of_purchases_up_to_time(HORIZON, x, t_x, T)
    alive = model.conditional_probability_alive(x, t_x, T)
    scored = time.perf_counter()
    return {
        "fit_s": fitted - start,
        "score_s": scored - fitted,
        # its own figure is of rescaled times; the same formula for both makes them comparable
        "log_likelihood": likelihood(np.log(model.params_.to_numpy()))[0],
        "parameters": [round(float(v), 4) for v in model.params_],
        "expected": float(np.sum(expected)),
        "alive": float(np.mean(alive)),
    }


def measure(which: str, customers: int, repeat: int, name: str = "bgnbd") -> dict[str, Any]:
    """One side in a process of its own, so that peak memory is its own."""
    command = [sys.executable, "-m", "bench.science", "--child", which, "--customers", str(customers)]
    command += ["--repeat", str(repeat), "--model", name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def child(which: str, customers: int, repeat: int, name: str) -> None:
    """One side's figures as JSON on the last line."""
    data = simulate(customers)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = {"ours": ours, "theirs": theirs}[which]
    # The best of a few: other work on the machine only ever adds time.
    result = min((run(*data, name) for _ in range(repeat)), key=lambda r: float(r["fit_s"] + r["score_s"]))
    result["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    result["data_mb"] = before // 1024
    print(json.dumps(result))


def speed(customers: int, alone: int, repeat: int) -> None:
    """Both sides at one size, and ours alone at another."""
    mine, other = measure("ours", customers, repeat), measure("theirs", customers, repeat)
    print(f"BG/NBD, {customers:,} simulated customers, times in whole days, {mine['cells']:,} distinct histories")
    print(f"{'':22}{'rondo':>14}{'lifetimes':>14}{'ratio':>9}")
    for label, key in (("fit, s", "fit_s"), ("score, s", "score_s")):
        print(f"{label:22}{mine[key]:14.2f}{other[key]:14.2f}{other[key] / mine[key]:8.1f}x")
    both = [side["fit_s"] + side["score_s"] for side in (mine, other)]
    print(f"{'fit and score, s':22}{both[0]:14.2f}{both[1]:14.2f}{both[1] / both[0]:8.1f}x  (aim 20x)")
    for label, key, form in (
        ("log-likelihood", "log_likelihood", "14.2f"),
        ("expected purchases", "expected", "14.1f"),
        ("mean P(alive)", "alive", "14.5f"),
        ("peak memory, MB", "peak_mb", "14d"),
    ):
        print(f"{label:22}{mine[key]:{form}}{other[key]:{form}}")
    print(f"{'parameters':22}{mine['parameters']} {other['parameters']}")
    others = {name: measure("ours", customers, 1, name) for name in models.PURCHASE_MODELS if name != "bgnbd"}
    print(f"\n{'the same customers':14}{'fit, s':>10}{'score, s':>10}{'to BG/NBD':>11}{'MB':>7}  parameters")
    for name, side in {"bgnbd": mine, **others}.items():
        took = side["fit_s"] + side["score_s"]
        print(
            f"{models.PURCHASE_MODELS[name].title:18}{side['fit_s']:10.2f}{side['score_s']:10.2f}"
            f"{took / both[0]:10.1f}x{side['peak_mb']:7d}  {side['parameters']}"
        )
    peer = measure("theirs", customers, 1, "mbgnbd")
    print(
        f"{'MBG/NBD, lifetimes':18}{peer['fit_s']:10.2f}{peer['score_s']:10.2f}"
        f"{(peer['fit_s'] + peer['score_s']) / both[0]:10.1f}x{peer['peak_mb']:7d}  {peer['parameters']}"
    )
    if alone:
        big = measure("ours", alone, 1)
        print(f"\n{alone:,} customers alone, {big['cells']:,} distinct histories")
        print(f"reduce {big['reduce_s']:.2f} s, fit with reduction {big['fit_s']:.2f} s, score {big['score_s']:.2f} s")
        print(f"peak memory {big['peak_mb']} MB, of which {big['data_mb']} MB to simulate")


def check_holdout(log: science.PurchaseDays, origin: int, until: int, name: str) -> tuple[Any, Any]:
    """Purchases and spend forecast at ``origin`` for the days to ``until``, against what happened."""
    base = science.summarise(log, origin)
    often = models.fit_at(name, log, origin, until - origin, base=base)
    much = gamma_gamma.fit(base.spend_days, base.mean_spend)
    expected = models.expected_from(often, base, (until - origin) / 7)
    each = much.expected_mean_spend(base.spend_days, base.mean_spend)
    came, money = (column[base.customer] for column in science.window(log, origin, until))
    return science.compare(expected, came), science.compare(expected * each / 100, money / 100)


def accuracy(model: str) -> None:
    """The table of hold-outs of docs/models.md, for one model of purchases."""
    logs: dict[str, tuple[science.PurchaseDays, int, int]] = {
        "CDNOW sample": (cdnow_sample(), 272, 545),
        "CDNOW full": (cdnow(), 272, 545),
        "Complete Journey": (complete_journey(), 182, 364),
    }
    print("| hold-out | what | customers | forecast | happened | MAE | RMSE | correlation |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (log, origin, until) in logs.items():
        for what, check in zip(("purchases", "spend"), check_holdout(log, origin, until, model), strict=True):
            print(
                f"| {name} | {what} | {check.customers:,} | {check.forecast:,.1f} | {check.actual:,.1f} "
                f"| {check.mae:.4f} | {check.rmse:.3f} | {check.correlation:.4f} |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--alone", type=int, default=10_000_000, help="customers without the baseline; 0 to leave out")
    parser.add_argument("--repeat", type=int, default=3, help="runs per side, of which the fastest is shown")
    parser.add_argument("--accuracy", action="store_true", help="hold-outs on real logs instead of speed")
    parser.add_argument("--model", choices=models.CANDIDATES, default="bgnbd", help="of --accuracy")
    parser.add_argument("--child", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.customers, given.repeat, given.model)
    elif given.accuracy:
        accuracy(given.model)
    else:
        speed(given.customers, given.alone, given.repeat)


if __name__ == "__main__":
    main()
