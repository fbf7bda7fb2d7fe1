"""Scoring leads and interests of the run being served, and putting them in the place of what was there."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis import scores
from rondo.analysis.buying_stages.ruled import second_level
from rondo.analysis.facts import past
from rondo.analysis.following import once_for_current, put_in_place, write
from rondo.analysis.kept import Kept
from rondo.analysis.leads import shapes
from rondo.analysis.leads.bands import BANDS
from rondo.analysis.leads.reading import ReadInterests, ReadLeads, read_interests, read_leads, read_people
from rondo.analysis.leads.texts import LETTERS, reason_texts
from rondo.analysis.modelling import day_number, day_of
from rondo.analysis.models import InterestOf, LeadFound, LeadOf, Run
from rondo.foundation.actors import Actor
from rondo.science.discrimination import Calibration
from rondo.science.interest import InterestConfig, Interests, Likely, Why, score_interest
from rondo.science.leads import LeadConfig, LeadScores, score_leads
from rondo.warehouse.tables import open_tables

TABLES = ("leads", "interests")
"""The open tables that are written; docs/leads.md describes them."""
LEADS = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("lead_chance", pa.float64()),
        ("lead_reason", pa.string()),
        ("known_days", pa.int64()),
        ("contacts", pa.int64()),
    ]
)
INTERESTS = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("category_id", pa.int64()),
        ("category", pa.string()),
        ("place", pa.int64()),
        ("chance", pa.float64()),
        ("times", pa.float64()),
        ("why", pa.string()),
    ]
)
DIGITS = 4
TWICE = 2.0


def work_out_leads(
    actor: Actor, leads: LeadConfig | None = None, interest: InterestConfig | None = None
) -> LeadFound | None:
    """Score leads and interests as of the current run; None before the first analysis. Safe to run twice.

    ``leads``, ``interest``: what is asked of the data, where it is not what is usual.

    Raises PermissionRefused where the actor may not analyse, StateError where another process is at it for long.
    """

    def work(run: Run) -> LeadFound:
        as_of = day_number(run.as_of)
        with open_tables() as tables:
            cut = past(tables, run.as_of, run.config["currency"])
            base = read_people(tables, cut)
            people = read_leads(tables, cut, base)
            of_leads = score_leads(people.log, as_of, leads)
            shelves = read_interests(tables, cut, base)
        of_interests = score_interest(shelves.log, as_of, interest)
        return _store(run, people, of_leads, shelves, of_interests, actor)

    return once_for_current(actor, LeadFound, (LeadOf, InterestOf), work, "leads")


def _store(
    run: Run, people: ReadLeads, leads: LeadScores, shelves: ReadInterests, interests: Interests, actor: Actor
) -> LeadFound:
    lead_rows, open_leads = _lead_rows(people, leads)
    interest_rows, open_interests, categories = _interest_rows(shelves, interests)
    write("leads", open_leads, run)
    write("interests", open_interests, run)
    of_leads = lead_rows.table()
    prepared = [scores.prepare(run.pk, of_leads, LeadOf), scores.prepare(run.pk, interest_rows.table(), InterestOf)]
    results = shapes.Found(
        leads=_leads(people, leads, of_leads), interest=_interest(interests, interest_rows.count, categories)
    )
    return put_in_place(actor, run, LeadFound, prepared, results, "leads")


def _lead_rows(people: ReadLeads, found: LeadScores) -> tuple[Kept, Kept]:
    """Rows of the served table and of the open one."""
    served, opened = Kept(scores.schema(LeadOf)), Kept(LEADS)
    for chances in found.blocks(people.log):
        texts, firsts = reason_texts(chances)
        ids = pa.array(people.customers[chances.person])
        chance = pa.array(np.round(chances.chance, DIGITS))
        strongest = pa.array(firsts, pa.string())
        rows = [ids, chance, strongest, pa.array(texts, pa.string())]
        served.add(pa.record_batch(rows, schema=served.schema))
        evidence = chances.evidence
        known, theirs, ours = (evidence.total[:, evidence.themes.index(one)] for one in ("known", "contact", "sent"))
        opened.add(
            pa.record_batch([ids, chance, strongest, pa.array(known), pa.array(theirs + ours)], schema=opened.schema)
        )
    return served, opened


def _interest_rows(shelves: ReadInterests, found: Interests) -> tuple[Kept, Kept, list[shapes.CategoryInterest]]:
    """Rows of the served table and of the open one, and the figures by category."""
    width = len(shelves.paths)
    served, opened = Kept(scores.schema(InterestOf)), Kept(INTERESTS)
    open_, expected, kept = np.zeros(width, np.int64), np.zeros(width), np.zeros(width, np.int64)
    usual = found.usual(shelves.log)
    from_chance = np.round(TWICE * usual, DIGITS)
    for likely in found.blocks(shelves.log):
        open_ += likely.open
        expected += likely.expected
        if not likely.customer.size:
            continue
        # Certainty has no place in a text of four digits.
        chance = np.minimum(np.round(likely.chance, DIGITS), 1 - 10.0**-DIGITS)
        kept += np.bincount(likely.category[chance >= from_chance[likely.category]], minlength=width)
        served.add(_served(shelves, likely, chance))
        opened.add(_opened(shelves, likely, chance))
    of_rules = {key for key, _path, _name in second_level()}
    named = [at for at in np.flatnonzero(expected > 0).tolist() if int(shelves.keys[at]) in of_rules]
    judged = {one.category: one for one in found.judged.categories} if found.judged else {}
    categories = [
        shapes.CategoryInterest(
            category=int(shelves.keys[place]),
            path=shelves.paths[place],
            open=int(open_[place]),
            expected=round(float(expected[place]), 2),
            from_chance=float(from_chance[place]),
            likely=int(kept[place]),
            was_expected=round(judged[place].expected, 2) if place in judged else 0.0,
            came=judged[place].came if place in judged else 0,
            auc=_finite(judged[place].auc) if place in judged else None,
        )
        for place in sorted(named, key=lambda at: (-expected[at], shelves.paths[at]))
    ]
    return served, opened, categories


def _served(shelves: ReadInterests, likely: Likely, chance: Any) -> pa.RecordBatch:
    starts = np.flatnonzero(np.diff(likely.customer, prepend=-1))
    offsets = np.append(starts, likely.customer.size).astype(np.int32)
    names = pa.array([path.rpartition(" > ")[2][:120] for path in shelves.paths], pa.string())
    heads = pa.array([f"|{key}:0." for key in shelves.keys.tolist()], pa.string())
    digits: Any = pc.utf8_lpad(
        pa.array(np.rint(chance * 10**DIGITS).astype(np.int64)).cast(pa.string()), DIGITS, padding="0"
    )
    entries: Any = pc.binary_join_element_wise(
        heads.take(pa.array(likely.category)),
        digits,
        pa.array(list(LETTERS)).take(pa.array(likely.why)),
        pa.array(np.rint(10 * likely.times).astype(np.int64)).cast(pa.string()),
        "",
    )
    joined: Any = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), entries), "")
    return pa.record_batch(
        [
            pa.array(shelves.customers[likely.customer[starts]]),
            names.take(pa.array(likely.category[starts])),
            pa.array(chance[starts]),
            joined,
        ],
        schema=scores.schema(InterestOf),
    )


def _opened(shelves: ReadInterests, likely: Likely, chance: Any) -> pa.RecordBatch:
    return pa.record_batch(
        [
            pa.array(shelves.customers[likely.customer]),
            pa.array(shelves.keys[likely.category]),
            pa.array(shelves.paths, pa.string()).take(pa.array(likely.category)),
            pa.array(likely.place),
            pa.array(chance),
            pa.array(np.round(likely.times, 2)),
            pa.array([why.name.lower() for why in Why]).take(pa.array(likely.why)),
        ],
        schema=INTERESTS,
    )


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)


def _day(number: int) -> str:
    return day_of(number).isoformat()


def _bins(found: Calibration) -> list[shapes.Bin]:
    return [
        shapes.Bin(customers=one.customers, expected=one.expected, share=one.share, low=one.low, high=one.high)
        for one in found.bins
    ]


def _leads(people: ReadLeads, found: LeadScores, rows: pa.Table) -> shapes.Leads:
    chance = rows["lead_chance"].to_numpy()
    counts = np.histogram(chance, [*BANDS, 1.1])[0]
    judged = found.judged
    weights = sorted(found.weights().items(), key=lambda one: -one[1])
    return shapes.Leads(
        customers=people.everybody,
        people=people.people,
        undated=people.undated,
        before=people.before,
        reason=found.verdict.reason,
        have=found.verdict.have,
        need=found.verdict.need,
        horizon=found.verdict.horizon,
        average=float(chance.mean()) if chance.size else 0.0,
        bands=counts.tolist(),
        themes=[(theme, round(weight, 4)) for theme, weight in weights if weight > 0],
        landmarks=[_day(day) for day in found.landmarks],
        rows=found.rows,
        taught=found.taught,
        bought=found.bought,
        judged=None
        if judged is None
        else shapes.LeadsJudged(
            day=_day(judged.day),
            leads=judged.leads,
            bought=judged.bought,
            before=judged.before,
            expected=judged.calibration.expected,
            auc=judged.auc.value,
            auc_low=judged.auc.low,
            auc_high=judged.auc.high,
            points=judged.points.value,
            brier=judged.calibration.brier,
            brier_base=judged.calibration.brier_base,
            lift=judged.lift,
            skill=judged.skill,
            skill_low=judged.skill_low,
            skill_high=judged.skill_high,
            slope=judged.slope,
            level=judged.level,
            bins=_bins(judged.calibration),
        ),
    )


def _interest(found: Interests, people: int, categories: list[shapes.CategoryInterest]) -> shapes.Interest:
    judged = found.judged
    return shapes.Interest(
        reason=found.verdict.reason,
        have=found.verdict.have,
        need=found.verdict.need,
        horizon=found.config.horizon,
        people=people,
        pairs=found.pairs,
        firsts=found.firsts,
        landmarks=[_day(day) for day in found.landmarks],
        weights=found.describe().get("weights", {}),
        categories=categories,
        judged=None
        if judged is None
        else shapes.InterestJudged(
            day=_day(judged.day),
            customers=judged.customers,
            pairs=sum(one.customers for one in judged.calibration.bins),
            came=judged.calibration.happened,
            expected=judged.calibration.expected,
            base_expected=judged.base.expected,
            auc=judged.auc.value,
            auc_low=judged.auc.low,
            auc_high=judged.auc.high,
            base_auc=judged.base_auc.value,
            within=judged.within,
            brier=judged.calibration.brier,
            base_brier=judged.base.brier,
            lift=judged.lift,
            skill=judged.skill,
            skill_low=judged.skill_low,
            skill_high=judged.skill_high,
            slope=judged.slope,
            level=judged.level,
            inside=judged.inside,
            bins=_bins(judged.calibration),
        ),
    )
