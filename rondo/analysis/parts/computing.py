"""Every part by its name, and how it is computed: by a run of all customers, for one viewer of those they may see."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.db.models import QuerySet

from rondo.analysis.facts import Past, past
from rondo.analysis.facts.past import only
from rondo.analysis.models import Run, Score
from rondo.analysis.parts.buying import buying
from rondo.analysis.parts.changes import changes
from rondo.analysis.parts.cohorts import cohorts
from rondo.analysis.parts.worth import COLUMNS as WORTH_COLUMNS
from rondo.analysis.parts.worth import worth
from rondo.analysis.queries import columns_of
from rondo.warehouse.tables import Tables, open_tables

COLUMNS = (*WORTH_COLUMNS, "change")
FROM_COPY: dict[str, Callable[[Tables, Past, Any], Any]] = {"cohorts": cohorts, "buying": buying}
FROM_SCORES: dict[str, Callable[[pa.Table, float], Any]] = {"worth": worth, "changes": changes}


def from_copy(tables: Tables, known: Past) -> dict[str, Any]:
    """The parts that are computed from the columnar copy, of all customers, by name."""
    return {name: compute(tables, known, None) for name, compute in FROM_COPY.items()}


def from_scores(scores: pa.Table, margin_rate: float) -> dict[str, Any]:
    """The parts that are computed from the scores, of all customers, by name."""
    return {name: compute(scores, margin_rate) for name, compute in FROM_SCORES.items()}


def compute_for(run: Run, name: str, whole: Any, scores: QuerySet[Score], seen: npt.NDArray[np.int64]) -> Any:
    """One part over the customers of ``scores``, whose keys are ``seen``, as of the day of ``run``, from the copy as it
    stands or from the scores; ``whole`` is that of all."""
    if name in FROM_SCORES:
        return FROM_SCORES[name](columns_of(scores, COLUMNS), run.config["margin_rate"])
    with open_tables() as tables:
        return FROM_COPY[name](tables, only(tables, past(tables, run.as_of, run.config["currency"]), seen), whole)
