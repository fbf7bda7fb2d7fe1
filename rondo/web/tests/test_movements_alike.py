"""A/A of Movements: of buyers who go on as ever as many come back as fall, and who stopped is among the fallen."""

import numpy as np
import numpy.typing as npt
import pytest

from rondo.science import PurchaseDays, merge_days
from rondo.science.standing import Signs, Spans, Stage, live, rhythm_of, weekly_grid
from rondo.science.standing.history import NEVER
from rondo.web.charts.scales import SCALES

BASES, EACH = 60, 200
"""So many bases of so many customers, looked at one by one."""
FIRST, DAYS, APART = 17_167, 728, 13
"""Two years, and the quarter between the two dates, in weeks."""
NAMES = [stage.name.lower() for stage in Stage]


def steady(seed: int, stopped: float = 0.0) -> PurchaseDays:
    """Buyers at constant rates, every 6 to 31 days on average; a share of them stops 60 days before the end."""
    rng = np.random.default_rng(seed)
    size = BASES * EACH
    gaps = 1 + rng.exponential(1, (size, DAYS // 2)) * rng.uniform(5, 30, size)[:, None]
    days = np.cumsum(gaps, axis=1) - rng.uniform(0, 30, size)[:, None]
    last = np.where(np.arange(size) % EACH < stopped * EACH, DAYS - 60, DAYS)
    bought = (days >= 0) & (days < last[:, None])
    who = np.nonzero(bought)[0]
    return merge_days(who, days[bought].astype(np.int64) + FIRST, rng.integers(1000, 3000, who.size), size)


def between(log: PurchaseDays) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Who fell into danger within the last quarter, and who came back, as the page counts them."""
    never = np.full(log.n_customers, NEVER)
    nothing = Signs(never, never, Spans.none(), Spans.none(), Spans.none(), np.zeros(log.n_customers, bool))
    stages = live(log, rhythm_of(log), nothing, weekly_grid(FIRST, FIRST + DAYS - 1))
    scale = SCALES["stage"]
    fell, rose = (
        np.array([[how(before, after) for after in NAMES] for before in NAMES]) for how in (scale.falls, scale.rises)
    )
    before, after = stages[-1 - APART], stages[-1]
    return fell[before, after], rose[before, after]


def claimed(fell: npt.NDArray[np.bool_], rose: npt.NDArray[np.bool_]) -> float:
    """The share of bases in which more fall than come back, or fewer, by the sign test at 10 %."""
    down, up = (one.reshape(BASES, EACH).sum(axis=1) for one in (fell, rose))
    return float(np.mean(np.abs(down - up) > 1.645 * np.sqrt(down + up)))


@pytest.mark.parametrize("seed", [1, 2])
def test_where_all_go_on_as_ever_falls_and_returns_are_even(seed: int) -> None:
    """One in five falls within a quarter and one in five comes back, which is waiting for longer than usual by chance;
    that the one is more than the other is claimed of a tenth of the bases (of 60, ten and more come once in 20)."""
    fell, rose = between(steady(seed))
    assert fell.mean() == pytest.approx(rose.mean(), abs=0.03)
    assert 0.15 < fell.mean() < 0.25
    assert claimed(fell, rose) <= 10 / BASES


def test_who_stopped_has_fallen() -> None:
    log = steady(3, stopped=0.25)
    fell, rose = between(log)
    stopped = np.arange(log.n_customers) % EACH < 0.25 * EACH
    assert claimed(fell, rose) > 0.95
    assert fell[stopped].mean() > 3 * fell[~stopped].mean() and not rose[stopped].mean() > 0.02
