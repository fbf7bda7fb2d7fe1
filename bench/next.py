"""What is bought next on the Complete Journey's last baskets, beside own frequency and popularity in the same run:
``python -m bench.next``; ``--due`` judges rhythms, ``--tiers`` price tiers and trading up.

Judged are the last baskets of the households with at least five. Every 28 days a model is fitted on what had happened
by then, and ranks for the households whose last basket came within the next 28 days; their own earlier baskets are
known up to it, its day is not. The baselines know all earlier baskets of everybody, as in FACTS.
"""

import argparse
import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science import due, price_tiers
from rondo.science.next_purchase import (
    BasketLog,
    Comparison,
    Ranking,
    Recall,
    fit,
    own_frequency,
    popularity,
    recall_at,
)
from rondo.science.tests.logs import complete_journey_baskets, complete_journey_paid

FEWEST_BASKETS = 5
STEP = 28


def ranked(held: BasketLog, log: BasketLog, judged: npt.NDArray[np.int64]) -> tuple[Ranking, int]:
    """The model's ranking for the last baskets of ``judged``; how many had to do with the baselines, since nothing
    could be learnt yet. ``held`` is the log without these baskets."""
    last = log.visit_day[log.first[judged + 1] - 1]
    parts, without = [], 0
    for origin in range(0, int(last.max()), STEP):
        coming = judged[(last > origin) & (last <= origin + STEP)]
        if not coming.size:
            continue
        part = held.chosen(coming)
        try:
            found = fit(log, origin).rank(part)
        except InputError:
            without += coming.size
            old, new = own_frequency(part), popularity(part, new=True)
            # The frequent first, then what sells.
            old.probability[:] += new.probability.max(initial=0)
            found = Ranking(*(np.concatenate((getattr(old, n), getattr(new, n))) for n in Ranking.__dataclass_fields__))
        found.customer[:] = coming[found.customer]
        parts.append(found)
    return Ranking(*(np.concatenate([getattr(p, n) for p in parts]) for n in Ranking.__dataclass_fields__)), without


def judge(log: BasketLog, title: str) -> dict[str, Recall]:
    """Print and return the recalls on the last baskets of ``log``: total and new, of the model and of the baselines."""
    held = log.until(np.maximum(log.visits - 1, 0))
    judged = np.flatnonzero(log.visits >= FEWEST_BASKETS)
    last = log.visit == log.visits[log.customer] - 1
    pairs = (log.customer * log.products + log.product)[last]
    pairs = pairs[np.isin(pairs // log.products, judged)]
    new = pairs[~np.isin(pairs, held.customer * log.products + held.product)]
    started = time.perf_counter()
    model, without = ranked(held, log, judged)
    seconds = time.perf_counter() - started
    rankings = {
        "total": {"next": model.best(10), "own frequency": own_frequency(held), "popularity": popularity(held)},
        "again": {"next": model.rows(~model.is_new).best(10), "own frequency": own_frequency(held)},
        "new": {"next": model.rows(model.is_new).best(10), "popularity": popularity(held, new=True)},
    }
    wanted = {"total": pairs, "again": np.setdiff1d(pairs, new), "new": new}
    print(f"{title}: {judged.size:,} households; {seconds:.0f} s; {without} before anything could be learnt")
    found: dict[str, Recall] = {}
    for part, of in rankings.items():
        for name, ranking in of.items():
            recall = recall_at(ranking.customer, ranking.product, wanted[part], judged, log.products)
            found[f"{part}, {name}"] = recall
            text = f"  {part:6} {name:14} Recall@10 {recall.value:.4f} ({recall.low:.4f} to {recall.high:.4f})"
            text += f", pooled {recall.pooled:.4f}, {recall.baskets:,} baskets"
            if name != "next":
                above = Comparison.of(found[f"{part}, next"], recall)
                text += f"; next is above by {above.value:.4f} ({above.low:.4f} to {above.high:.4f})"
            print(text, flush=True)
    return found


def judge_due(log: BasketLog) -> None:
    """Print how forecasts of the next purchase per category came true, from three days on."""
    category = log.family[log.product]
    for origin in (180, 240, 300):
        found = due.hold_out(log.customer, category, log.day, origin, int(log.visit_day.max()))
        spans = zip(found.days, found.expected, found.came, strict=True)
        words = ", ".join(f"{days} days {expected:.1%} promised {came:.1%} came" for days, expected, came in spans)
        print(
            f"from day {origin}: {found.pairs:,} intervals of 90 %: {found.inside:.1%} inside, "
            f"{found.early:.1%} earlier, {found.late:.1%} later or not; within {words}"
        )


def judge_tiers() -> None:
    """Print price tiers, who holds to them, tiers drawn by lot, and how chances of trading up came true."""
    paid, goods = complete_journey_paid()
    started = time.perf_counter()
    found = price_tiers.work_out(paid, goods, int(paid.day.max()))
    tiers, held, judged = found.state.tiers, found.state.held, found.judged
    assert judged is not None, found.reason
    two = (tiers.tier >= 0) & (tiers.count[tiers.category] > 1)
    covered = paid.paid[two[paid.product]].sum() / paid.paid.sum()
    print(f"{time.perf_counter() - started:.0f} s; categories with three, two, one tier: ", end="")
    print(", ".join(f"{int((tiers.count == count).sum()):,}" for count in (3, 2, 1)), end="; ")
    print(f"{int((tiers.by_size & (tiers.count > 1)).sum()):,} by size; {covered:.1%} of what was paid")
    tested = int((~np.isnan(held.p)).sum())
    print(f"held to: {int(held.called.sum())} of {tested} categories", end="")
    generator = np.random.default_rng(0)
    for _lot in range(3):
        tier = tiers.tier.copy()
        for code in range(len(tiers.paths)):
            rows = np.flatnonzero((tiers.category == code) & (tier >= 0))
            tier[rows] = generator.permutation(tier[rows])
        by_lot = price_tiers.held(paid.customer, paid.product, replace(tiers, tier=tier), shuffles=499)
        print(f"; tiers by lot: {int(by_lot.called.sum())}, p up to .05 {np.nanmean(by_lot.p <= 0.05):.1%}", end="")
    print(
        f"\n{judged.purchases:,} purchases, {judged.higher:,} of a higher tier ({judged.higher / judged.purchases:.1%})"
    )
    for name, value in (("chance", judged.auc), ("own share", judged.base)):
        print(f"  {name:10} AUC {value.value:.3f} ({value.low:.3f} to {value.high:.3f})")
    calibration = judged.calibration
    print(f"  Brier {calibration.brier:.4f}, own share {judged.base_brier:.4f}, all alike {calibration.brier_base:.4f}")
    print(
        f"  promised {calibration.expected:,.0f}, came {calibration.happened:,}; "
        f"first tenth {judged.top_tenth:.2f} times"
    )
    print("  by tenth: " + ", ".join(f"{one.expected:.1%} {one.share:.1%}" for one in calibration.bins))
    ratio = judged.came / judged.expected
    print(
        f"  money that came by what was expected {ratio:.3f} ({judged.ratio_low:.3f} to {judged.ratio_high:.3f})",
        end="",
    )
    print(f", categories {judged.kind_low:.2f} to {judged.kind_high:.2f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.next", description=__doc__)
    parser.add_argument("--earlier", type=int, default=0, help="judge on baskets so many before the last too")
    parser.add_argument("--due", action="store_true", help="judge when categories are due instead")
    parser.add_argument("--tiers", action="store_true", help="judge price tiers and trading up instead")
    given = parser.parse_args()
    if given.tiers:
        judge_tiers()
        return
    log = complete_journey_baskets()
    if given.due:
        judge_due(log)
        return
    for back in range(given.earlier, -1, -1):
        judge(log.until(np.maximum(log.visits - back, 0)), "last baskets" if not back else f"{back} before the last")


if __name__ == "__main__":
    main()
