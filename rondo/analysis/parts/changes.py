"""What changed in the last weeks: how many customers in which way, and what they are worth."""

import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.parts.shapes import ChangeCount, Changes
from rondo.analysis.portfolio import whole
from rondo.analysis.ruled import CHANGE


def changes(scores: pa.Table, _margin_rate: float) -> Changes:
    """The figures of the customers in ``scores``; who could be judged is counted by the run alone."""
    counts = []
    for key, _label in CHANGE:
        here = scores.filter(pc.equal(scores["change"], key))
        if here.num_rows:
            counts.append(ChangeCount(change=key, customers=here.num_rows, value=int(whole(here, "value").sum())))
    return Changes(counts=counts, judged=0)
