"""Working out the buying stages of the run being served, and putting them in the place of what was there."""

import numpy as np
import pyarrow as pa

from rondo.analysis import scores
from rondo.analysis.buying_stages import thresholds
from rondo.analysis.buying_stages.shapes import CategoryStages, Check, Found
from rondo.analysis.buying_stages.working import MOVED, STOOD, Read, Stages, first_day, read, work_out
from rondo.analysis.facts import past
from rondo.analysis.following import once_for_current, put_in_place, write
from rondo.analysis.modelling import day_of
from rondo.analysis.models import Run, StageFound, StageOf
from rondo.foundation.actors import Actor
from rondo.science.buying_stages import BuyingStageRules, what_came
from rondo.warehouse import delta
from rondo.warehouse.tables import open_tables

TABLES = ("buying_stages", "buying_moves")
"""The open tables that are written; docs/stages.md describes them."""
CHECKED_DAYS = 28
_LEAST_HISTORY = 3 * CHECKED_DAYS


def work_out_stages(actor: Actor) -> StageFound | None:
    """Work out the buying stages as of the current run; None before the first analysis. Safe to run twice.

    Raises PermissionRefused where the actor may not analyse, StateError where another process is at it for long.
    """

    def work(run: Run) -> StageFound:
        now = thresholds.in_force()
        with open_tables() as tables:
            found = read(tables, past(tables, run.as_of, run.config["currency"]))
            customers = int(tables.arrow(tables.customers.count().as_table())[0][0].as_py())
        return _store(run, work_out(found, run.as_of, now.rules), now, customers, actor)

    return once_for_current(actor, StageFound, (StageOf,), work, "buying-stages")


def _store(run: Run, stages: Stages, now: "thresholds.InForce", customers: int, actor: Actor) -> StageFound:
    served = stages.served()
    prepared = scores.prepare(run.pk, served, StageOf)
    stood = pa.RecordBatchReader.from_batches(STOOD, stages.stood())
    moved = pa.RecordBatchReader.from_batches(MOVED, stages.moved())
    write("buying_stages", delta.Rows(stood, stages.read.who.size), run)
    write("buying_moves", delta.Rows(moved, stages.ledger.pair.size), run)
    names = served.schema.names[2:]
    results = Found(
        customers=customers,
        known=served.num_rows,
        per_stage=[int((served[name].to_numpy() > 0).sum()) for name in names],
        pairs=[int(served[name].to_numpy().sum()) for name in names],
        categories=_categories(stages),
        signals=stages.read.counts,
        check=_check(stages.read, stages.as_of, now.rules),
        first=first_day(stages),
        rules=now.rules.to_dict(),
        version=now.version,
    )
    return put_in_place(actor, run, StageFound, [prepared], results, "stages")


def _categories(stages: Stages) -> list[CategoryStages]:
    """Categories in which anybody stands, those of most customers first."""
    counts = stages.counts()
    paths, keys = stages.read.paths, stages.read.keys
    order = sorted(np.flatnonzero(counts.sum(axis=1)), key=lambda place: (-int(counts[place].sum()), paths[place]))
    return [CategoryStages(category=int(keys[n]), path=paths[n], customers=counts[n].tolist()) for n in order]


def _check(found: Read, as_of: int, rules: BuyingStageRules) -> Check | None:
    """What became of the stages of four weeks before; None where the data are too short to tell."""
    signals = found.signals
    if not signals.day.size or as_of - int(signals.day.min()) < _LEAST_HISTORY:
        return None
    came = what_came(signals, rules, len(found.paths), as_of - CHECKED_DAYS, CHECKED_DAYS)
    return Check(
        day=day_of(came.day).isoformat(), days=came.days, pairs=came.pairs.tolist(), bought=came.bought.tolist()
    )
