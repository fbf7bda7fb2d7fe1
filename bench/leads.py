"""Interest by category on the Complete Journey beside the categories' rates, and leads in worlds with planted effects
beside the truth and plain points: ``python -m bench.leads [--leads]``."""

import argparse
import time

import numpy as np

from rondo.science.discrimination import auc
from rondo.science.interest import InterestLog, score_interest
from rondo.science.leads import LeadConfig, score_leads
from rondo.science.tests.lead_worlds import lead_world
from rondo.science.tests.logs import complete_journey_baskets, complete_journey_families

TODAY = 364
WORLDS = (1, 2, 3)


def complete_journey() -> InterestLog:
    """Purchase days by household and category of the second level; there are no contacts that name one."""
    log = complete_journey_baskets()
    width = int(log.family.max()) + 1
    cells = np.unique((log.customer * width + log.family[log.product]) * (TODAY + 1) + log.day)
    pair, day = np.divmod(cells, TODAY + 1)
    customer, category = np.divmod(pair, width)
    known = np.full(log.customers, TODAY)
    np.minimum.at(known, customer, day)
    none = np.empty(0, np.int64)
    return InterestLog(known, complete_journey_families(), customer, category, day, none, none, none, np.empty(0, bool))


def judge_interest() -> None:
    """Print the hold-out of interest, as the table of docs/leads.md has it."""
    log = complete_journey()
    started = time.perf_counter()
    found = score_interest(log, TODAY)
    taught = time.perf_counter() - started
    judged = found.judged
    assert judged is not None
    started = time.perf_counter()
    kept = sum(likely.customer.size for likely in found.blocks(log))
    scored = time.perf_counter() - started
    print(f"interest: {judged.customers:,} households, {log.categories} categories, judged from day {judged.day} on")
    print(f"  taught and judged in {taught:.1f} s, all scored in {scored:.1f} s ({kept:,} pairs kept)")
    print("| forecast | AUC (90 %) | within a category | Brier score | promised | came |")
    print("|---|---|---|---|---|---|")
    for name, area, within, told in (
        ("score of interest", judged.auc, judged.within, judged.calibration),
        ("rate of the category", judged.base_auc, 0.5, judged.base),
    ):
        print(
            f"| {name} | {area.value:.4f} ({area.low:.4f} – {area.high:.4f}) | {within:.3f} | {told.brier:.6f} | "
            f"{told.expected:,.0f} | {told.happened:,} |"
        )
    print(
        f"  squared error of the rates that is gone: {judged.skill:.2%} ({judged.skill_low:.2%} to "
        f"{judged.skill_high:.2%}, 98 %); slope {judged.slope:.3f}, level {judged.level:.3f}; best tenth "
        f"{judged.lift:.1f} times as often; {judged.inside:.0%} of the categories within their 90 % interval"
    )
    for one in judged.calibration.bins:
        print(f"    {one.customers:,} pairs: promised {one.expected:.3%}, came {one.share:.3%}")


def judge_leads() -> None:
    """Print the hold-outs of leads in planted worlds, as the table of docs/leads.md has them, and those by lot."""
    print("| world | area of the true odds | of the score | of plain points | promised | came | slope |")
    print("|---|---|---|---|---|---|---|")
    for seed in WORLDS:
        world = lead_world(seed=seed)
        found = score_leads(world.log, 419)
        judged = found.judged
        assert judged is not None
        open_ = np.flatnonzero(world.log.at_risk(judged.day))
        did = world.log.bought[open_] <= judged.day + found.verdict.horizon
        truth = auc(did, world.truth[judged.day][open_])
        print(
            f"| {seed} | {truth.value:.3f} | {judged.auc.value:.3f} | {judged.points.value:.3f} | "
            f"{judged.calibration.expected:.0f} | {judged.bought} | {judged.slope:.2f} |",
            flush=True,
        )
    quick = LeadConfig(horizons=(91,), landmarks=5)
    given = sum(
        not score_leads(lead_world(1200, seed=100 + seed, effect=0.0, base=-6.4).log, 419, quick).verdict.reason
        for seed in range(20)
    )
    print(f"outcomes by lot: a score in {given} of 20 worlds")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.leads", description=__doc__)
    parser.add_argument("--leads", action="store_true", help="judge leads in worlds with planted effects instead")
    if parser.parse_args().leads:
        judge_leads()
    else:
        judge_interest()


if __name__ == "__main__":
    main()
