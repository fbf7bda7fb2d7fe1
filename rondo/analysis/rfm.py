"""RFM: recency, frequency and monetary value of every buyer as scores from 1 to 5, cut at quantiles of the base.

Each score is cut where the base's own fifths end (Hughes 1994). A cut is a value, never a place in a list: customers
who are alike get the same score, so that every buyer falls into exactly one cell. Where many are alike there are fewer
than five scores; the best is always 5. The cuts are stored with the run.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.portfolio import BANDS, band_edges, whole

SCORES = {"rfm_recency": "recency_days", "rfm_frequency": "purchase_days", "rfm_monetary": "spend"}
"""The scores, and the fact each is cut from."""


def beside(facts: pa.Table) -> pa.Table:
    """The facts with the three scores; null for who has not bought."""
    bought = np.asarray(pc.greater(facts["purchase_days"], 0).fill_null(False))
    for name, source in SCORES.items():
        values = whole(facts, source)
        scores = score(values, band_edges(values[bought]), low_is_best=name == "rfm_recency")
        facts = facts.append_column(name, pa.array(scores, mask=~bought))
    return facts


def score(values: npt.NDArray[np.int64], edges: list[int], *, low_is_best: bool) -> npt.NDArray[np.int64]:
    """The score of each value: ``edges`` are the upper bounds of the bands, ascending; the last band is open."""
    band: Any = np.minimum(np.searchsorted(np.array(edges[:-1], np.int64), values, side="left"), BANDS - 1)
    return np.asarray(BANDS - band if low_is_best else BANDS - (len(edges) - 1 - band), np.int64)
