"""Every part by its name, and how it is computed: by a run of all customers, for one viewer of those they may see."""

from collections.abc import Callable, Iterable
from typing import Any

from rondo.analysis.facts import Past, past
from rondo.analysis.facts.past import only
from rondo.analysis.models import Run
from rondo.analysis.parts.buying import buying
from rondo.analysis.parts.cohorts import cohorts
from rondo.warehouse.tables import Tables, open_tables

PARTS: dict[str, Callable[[Tables, Past, Any], Any]] = {"cohorts": cohorts, "buying": buying}


def compute_all(tables: Tables, known: Past) -> dict[str, Any]:
    """Every part, of all customers, by name."""
    return {name: compute(tables, known, None) for name, compute in PARTS.items()}


def compute_for(run: Run, name: str, whole: Any, customers: Iterable[int]) -> Any:
    """One part over some customers, as of the day of ``run``, from the copy as it stands; ``whole`` is that of all."""
    with open_tables() as tables:
        known = only(tables, past(tables, run.as_of, run.config["currency"]), customers)
        return PARTS[name](tables, known, whole)
