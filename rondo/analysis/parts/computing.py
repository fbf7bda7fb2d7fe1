"""Every part by its name, and how it is computed: by a run of all customers, for one viewer of those they may see."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.db.models import QuerySet

from rondo.analysis.facts import Past, past
from rondo.analysis.facts.past import only
from rondo.analysis.leavers import cancelled
from rondo.analysis.models import Run, Score
from rondo.analysis.parts.buying import buying
from rondo.analysis.parts.changes import changes
from rondo.analysis.parts.cohorts import cohorts
from rondo.analysis.parts.worth import COLUMNS as WORTH_COLUMNS
from rondo.analysis.parts.worth import worth
from rondo.analysis.queries import columns_of
from rondo.warehouse.tables import Tables, is_there, open_tables

COLUMNS = (*WORTH_COLUMNS, "last_purchase", "change")
FROM_COPY: dict[str, Callable[[Tables, Past, Any], Any]] = {"cohorts": cohorts, "buying": buying}
FROM_SCORES: dict[str, Callable[[pa.Table, npt.NDArray[np.bool_], float], Any]] = {
    "worth": worth,
    "changes": lambda scores, _gone, margin_rate: changes(scores, margin_rate),
}


def from_copy(tables: Tables, known: Past) -> dict[str, Any]:
    """The parts that are computed from the columnar copy, of all customers, by name."""
    return {name: compute(tables, known, None) for name, compute in FROM_COPY.items()}


def from_scores(scores: pa.Table, gone: npt.NDArray[np.bool_], margin_rate: float) -> dict[str, Any]:
    """The parts that are computed from the scores, of all customers, by name; ``gone``: who has cancelled."""
    return {name: compute(scores, gone, margin_rate) for name, compute in FROM_SCORES.items()}


def compute_for(run: Run, name: str, whole: Any, scores: QuerySet[Score], seen: npt.NDArray[np.int64]) -> Any:
    """One part over the customers of ``scores``, whose keys are ``seen``, as of the day of ``run``, from the copy as it
    stands or from the scores; ``whole`` is that of all."""
    told = columns_of(scores, COLUMNS) if name in FROM_SCORES else None
    if told is not None and (name == "changes" or not is_there()):
        # After a restore the scores are there before the copy is; until then nobody is known to have cancelled.
        return FROM_SCORES[name](told, np.zeros(told.num_rows, np.bool_), run.config["margin_rate"])
    with open_tables() as tables:
        known = only(tables, past(tables, run.as_of, run.config["currency"]), seen)
        if told is not None:
            return FROM_SCORES[name](told, cancelled(tables, known, told), run.config["margin_rate"])
        return FROM_COPY[name](tables, known, whole)
