"""Whom a run counts in numbers that no fact tells."""

from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.analysis.between import placed
from rondo.analysis.modelling import Fitted, Log, day_number, silence
from rondo.analysis.parts.worth import left_out
from rondo.analysis.results import Results
from rondo.science.hybrid import Bases

Keys = npt.NDArray[np.int64]


def of_run(
    table: pa.Table, log: Log, bases: Bases, fitted: Fitted | None, results: Results, able: Keys, margin_rate: float
) -> dict[str, Keys]:
    """Customers by the name of the number that counts them; ``table``: the facts, ``able``: who could be judged for
    changes."""
    found = {"judged": able, "left_out": left_out(table, margin_rate)}
    if fitted is not None:
        ids = table["customer_id"].to_numpy()
        # A purchase may belong to a record that is no longer shown (its load was taken back).
        found |= {name: keys[placed(keys, ids)[1]] for name, keys in _of_models(log, bases, fitted, results).items()}
    return found


def _of_models(log: Log, bases: Bases, fitted: Fitted, results: Results) -> dict[str, Keys]:
    """On whom models were tried at the latest of the earlier dates, which has most, and the risk was checked."""
    first = np.full(log.customers.size, np.iinfo(np.int64).max)
    first[fitted.base.customer] = fitted.base.as_of - fitted.base.age_days
    found = {}
    origins, check = results["selection"]["origins"], results["churn"]["check"]
    if origins:
        tried = np.zeros(log.customers.size, bool)
        tried[bases.log.customer] = True
        found["tried"] = log.customers[tried & (first <= _number(max(origins)))]
    if check:
        known, drawn = first <= _number(check["origin"]), silence.drawn(log.days)
        found["checked"] = log.customers[known if drawn is None else known & drawn]
    return found


def _number(day: str) -> int:
    return day_number(date.fromisoformat(day))
