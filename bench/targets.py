"""How well twins and propensities do on the Complete Journey, beside plain baselines: ``python -m bench.targets``.

*Twins*: half of the redeemers of campaign 18 are the seed, the other half is looked for, by what was known the day
before the campaign began; mean over random halves. Once among all households, once among those the campaign contacted.
*Propensity*: trained on campaigns 8 and 13, tested on 18; features of the day before each began.

``--home HOME`` reads a home that holds the demo already; ``--json`` prints the figures as JSON on the last line.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from rondo.analysis.features.table import Known

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
TRAINED, TESTED = ("8", "13"), "18"


def _before(number: str) -> tuple[Known, Ints, Ints]:
    """The feature table of the day before a campaign began, the households contacted, and those who answered."""
    from rondo.analysis.facts import past
    from rondo.analysis.features.table import read
    from rondo.warehouse.tables import open_tables

    with open_tables() as tables:
        campaigns = tables.arrow(tables.campaigns.filter(tables.campaigns.number == number)).to_pylist()
        key, start = campaigns[0]["id"], campaigns[0]["starts_on"]
        sent = tables.exposures.filter(tables.exposures.campaign_id == key)
        answers = tables.interactions.filter(tables.interactions.direction == "inbound")
        answers = answers.select(to="in_response_to")
        answered = sent.join(answers, sent.interaction_id == answers.to)
        known = read(tables, past(tables, start - timedelta(days=1), "USD"))
        return (
            known,
            np.unique(tables.arrow(sent.select("customer_id"))["customer_id"].to_numpy()),
            np.unique(tables.arrow(answered.select("customer_id"))["customer_id"].to_numpy()),
        )


def _neighbours(known: Known, seed: Mask, nearest: int = 5) -> npt.NDArray[np.float64]:
    """Minus the mean distance to the nearest members of the seed, in standard scores."""
    from rondo.science.features import Scaling

    scores = Scaling.of(known.features).scores(known.features)
    found = np.empty(seed.size)
    for row in range(seed.size):
        away = np.sqrt(((scores[seed] - scores[row]) ** 2).sum(axis=1))
        found[row] = -float(np.partition(away, nearest)[:nearest].mean())
    return found


def twins(halves: int) -> dict[str, Any]:
    """Areas under the curve: positive-unlabelled model and nearest neighbours, among all and among those contacted."""
    from rondo.science.discrimination import auc
    from rondo.science.lookalikes import rank_by_resemblance

    whole, contacted, answered = _before(TESTED)
    told: dict[str, Any] = {"halves": halves}
    for name in ("all", "contacted"):
        known = whole
        if name == "contacted":
            rows = whole.places(contacted)
            known = type(whole)(whole.customers[rows], whole.features.rows(rows))
        did = known.mask(answered)
        figures: dict[str, list[float]] = {"model": [], "neighbours": [], "hidden": []}
        for turn in range(halves):
            drawn = np.random.default_rng(turn).permutation(np.flatnonzero(did))
            seed = np.zeros(did.size, bool)
            seed[drawn[: drawn.size // 2]] = True
            found = rank_by_resemblance(known.features, seed)
            figures["model"].append(auc(did[~seed], found.score[~seed]).value)
            figures["neighbours"].append(auc(did[~seed], _neighbours(known, seed)[~seed]).value)
            figures["hidden"].append(found.found.value)
        told[name] = {
            "customers": int(did.size),
            "sought": int(did.sum()) - int(did.sum()) // 2,
            **{key: float(np.mean(values)) for key, values in figures.items()},
        }
    return told


def propensity() -> dict[str, Any]:
    """Area, lift and calibration on campaign 18, beside ranking by earlier answers and by spend alone."""
    from rondo.science.discrimination import auc, calibrate, top_lift
    from rondo.science.features import Features
    from rondo.science.propensity import fit

    parts, outcome, occasion = [], [], []
    for number in TRAINED:
        known, contacted, answered = _before(number)
        rows = known.places(contacted)
        parts.append(known.features.rows(rows))
        outcome.append(known.mask(answered)[rows])
        occasion.append(np.full(rows.size, int(number)))
    model = fit(Features.stack(parts), np.concatenate(outcome), np.concatenate(occasion))
    known, contacted, answered = _before(TESTED)
    rows = known.places(contacted)
    features, did = known.features.rows(rows), known.mask(answered)[rows]
    promised = model.probability(features)
    area, held = auc(did, promised), calibrate(did, promised)
    column = features.names.index
    return {
        "contacted": int(did.size),
        "answered": int(did.sum()),
        "auc": area.value,
        "low": area.low,
        "high": area.high,
        "by_answers": auc(did, features.values[:, column("answered")]).value,
        "by_spend": auc(did, features.values[:, column("spend_90")]).value,
        "lift": top_lift(did, promised),
        "expected": held.expected,
        "brier": held.brier,
        "brier_base": held.brier_base,
        "bins_held": sum(one.low <= one.expected <= one.high for one in held.bins),
        "bins": len(held.bins),
    }


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.targets", description=__doc__)
    parser.add_argument("--home", type=Path, help="a home that holds the demo")
    parser.add_argument("--halves", type=int, default=10, help="random halves of the seed")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON alone")
    chosen = parser.parse_args()
    if chosen.home is None:
        return _on_a_demo(chosen.halves, chosen.json)
    os.environ.update(RONDO_HOME=str(chosen.home.resolve()), DJANGO_SETTINGS_MODULE="rondo.settings")
    import django

    django.setup()
    told = {"twins": twins(chosen.halves), "propensity": propensity()}
    if chosen.json:
        print(json.dumps(told))
        return 0
    print(f"twins, mean of {told['twins']['halves']} halves   model   nearest neighbours   by hiding within the seed")
    for name in ("all", "contacted"):
        one = told["twins"][name]
        print(
            f"  among {name} ({one['customers']})".ljust(32),
            f"{one['model']:.3f}   {one['neighbours']:.3f}                {one['hidden']:.3f}",
        )
    one = told["propensity"]
    print(f"propensity on campaign {TESTED}: AUC {one['auc']:.3f} ({one['low']:.3f} to {one['high']:.3f}),")
    print(f"  by earlier answers alone {one['by_answers']:.3f}, by spend of 90 days {one['by_spend']:.3f}")
    print(f"  lift of the best tenth {one['lift']:.2f}; expected {one['expected']:.0f}, answered {one['answered']}")
    print(
        f"  Brier {one['brier']:.4f} (of the mean {one['brier_base']:.4f}); bins held {one['bins_held']}/{one['bins']}"
    )
    return 0


def _on_a_demo(halves: int, as_json: bool) -> int:
    from bench.homes import empty_home, environment

    with empty_home() as home:
        subprocess.run(
            [sys.executable, "-m", "rondo.cli", "demo", "--no-serve"],
            env=environment(home),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        more = ["--json"] if as_json else []
        command = [sys.executable, "-m", "bench.targets", "--home", str(home), "--halves", str(halves), *more]
        return subprocess.run(command, env=environment(home)).returncode


if __name__ == "__main__":
    sys.exit(main())
