"""Where the worth of the base lies: by stage and risk, who carries four fifths of it, who is most worth saving."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.parts.shapes import Carrying, LeftOut, Saving, Worth, WorthCell
from rondo.analysis.portfolio import whole
from rondo.analysis.ruled import RISK, STAGE

COLUMNS = (
    *("customer_id", "stage", "risk", "value", "churn", "churn_usual", "at_stake", "spend", "spend_365"),
    "purchase_days",
)
"""What of the scores is read."""
SAVED = 10
_CARRIED = 0.8
_LEFT_IN_PEACE = ("abstinence",)
_DANGER = ("elevated", "high")
Choices = Sequence[tuple[str, Any]]


def at_stake(scores: pa.Table, gone: npt.NDArray[np.bool_], margin_rate: float) -> pa.Array:
    """The fact of that name, in minor units, null where no risk is known; ``gone``: who has cancelled and not bought
    since. They are known to be gone, and who has been gone for long is left in peace (see the life cycle): nothing of
    them is at stake. Who is only presumed gone may well be there.
    """
    peace = gone | np.isin(_codes(scores["stage"], STAGE), _places(STAGE, _LEFT_IN_PEACE))
    unknown: Any = scores["churn"].is_null().to_numpy()
    return pa.array(np.where(peace, 0, _lost(scores, margin_rate)), mask=unknown)


def worth(scores: pa.Table, margin_rate: float) -> Worth:
    """The figures of the customers in ``scores``, which has :data:`COLUMNS`."""
    value = whole(scores, "value")
    stages, risks = _codes(scores["stage"], STAGE), _codes(scores["risk"], RISK)
    cells = []
    for place, (stage, _label) in enumerate(STAGE):
        for level, (risk, _word) in enumerate(RISK):
            here = (stages == place) & (risks == level)
            if here.any():
                cells.append(WorthCell(stage=stage, risk=risk, customers=int(here.sum()), value=int(value[here].sum())))
    lost, stake = _stakes(scores, margin_rate)
    peace = (lost > 0) & (stake == 0)
    ids = whole(scores, "customer_id")
    order = np.lexsort((ids, -stake))[:SAVED]
    return Worth(
        cells=cells,
        saving=[Saving(customer=int(ids[place]), at_stake=int(stake[place])) for place in order if stake[place] > 0],
        at_stake=int(stake.sum()),
        in_danger=int((stake > 0).sum()),
        left_out=LeftOut(customers=int(peace.sum()), at_stake=int(lost[peace].sum())),
        carrying=_carrying(whole(scores, "spend")[whole(scores, "purchase_days") > 0]),
    )


def left_out(scores: pa.Table, margin_rate: float) -> npt.NDArray[np.int64]:
    """The customers that :func:`worth` counts as left out."""
    lost, stake = _stakes(scores, margin_rate)
    return np.asarray(whole(scores, "customer_id")[(lost > 0) & (stake == 0)])


def _stakes(scores: pa.Table, margin_rate: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """What silence costs of each customer, whoever has left, and what of it is at stake, in minor units."""
    lost = _lost(scores, margin_rate)
    # Scores of a run before there was that fact tell nothing of who has cancelled.
    if scores["at_stake"].null_count == scores.num_rows:
        return lost, np.where(np.isin(_codes(scores["stage"], STAGE), _places(STAGE, _LEFT_IN_PEACE)), 0, lost)
    return lost, whole(scores, "at_stake")


def _codes(column: pa.ChunkedArray, choices: Choices) -> npt.NDArray[np.int64]:
    """Each value's place among the choices, -1 where there is none."""
    found: Any = pc.index_in(column, pa.array([key for key, _label in choices])).fill_null(-1)
    return np.asarray(found.to_numpy(), np.int64)


def _places(choices: Choices, wanted: tuple[str, ...]) -> list[int]:
    return [place for place, (key, _label) in enumerate(choices) if key in wanted]


def _lost(scores: pa.Table, margin_rate: float) -> npt.NDArray[np.int64]:
    """Margin of the last 365 days times what the silence since the last purchase adds to the risk, in minor units.

    Everybody's risk rises a little day by day; in danger is whose risk is no longer low.
    """
    in_danger = np.isin(_codes(scores["risk"], RISK), _places(RISK, _DANGER))
    added = np.maximum(_shares(scores, "churn") - _shares(scores, "churn_usual"), 0)
    lost = np.rint(np.maximum(whole(scores, "spend_365"), 0) * margin_rate * added).astype(np.int64)
    return np.where(in_danger, lost, 0)


def _shares(scores: pa.Table, name: str) -> npt.NDArray[np.float64]:
    column: Any = scores[name].fill_null(0.0)
    return np.asarray(column.to_numpy(), np.float64)


def _carrying(spend: npt.NDArray[np.int64]) -> Carrying | None:
    """Who brings four fifths: with the last of them, all who spent as much."""
    best = np.sort(np.maximum(spend, 0))[::-1]
    if not best.size or not best[0]:
        return None
    last = int(best[np.searchsorted(np.cumsum(best), _CARRIED * int(best.sum()))])
    return Carrying(customers=int((spend >= last).sum()), of=int(spend.size), spend=last)
