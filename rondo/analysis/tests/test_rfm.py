"""RFM is a partition: over random bases every buyer falls into one cell, and who is alike into the same."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rondo.analysis import portfolio, rfm
from rondo.analysis.actions import run_analysis
from rondo.analysis.models import Run, Score
from rondo.analysis.portfolio import whole
from rondo.analysis.tests.world import customer, seeded_base
from rondo.foundation.actors import system

# Few different values, so that ties abound; every tenth customer or so has not bought.
rows = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6), st.integers(-300, 900)), min_size=1, max_size=60)


def facts_of(base: list[tuple[int, int, int]]) -> pa.Table:
    recency, days, spend = (list(column) for column in zip(*base, strict=True))
    bought = [day > 0 for day in days]
    return pa.table(
        {
            "recency_days": pa.array([r if b else None for r, b in zip(recency, bought, strict=True)], pa.int64()),
            "purchase_days": pa.array(days, pa.int64()),
            "spend": pa.array([s if b else 0 for s, b in zip(spend, bought, strict=True)], pa.int64()),
        }
    )


@given(rows)
def test_every_buyer_falls_into_one_cell_and_the_alike_into_the_same(base: list[tuple[int, int, int]]) -> None:
    facts = facts_of(base)
    found = rfm.beside(facts).to_pylist()
    buyers = [row for row in found if row["purchase_days"]]
    assert all(row[name] is None for row in found if not row["purchase_days"] for name in rfm.SCORES)
    assert all(row[name] in range(1, 6) for row in buyers for name in rfm.SCORES)
    for name, source in rfm.SCORES.items():
        better = -1 if name == "rfm_recency" else 1
        ordered = sorted(buyers, key=lambda row: better * row[source])
        scores = [row[name] for row in ordered]
        assert scores == sorted(scores)  # who is better never scores less
        assert len({(row[source], row[name]) for row in buyers}) == len({row[source] for row in buyers})
        assert not buyers or max(scores) == 5


@given(rows)
def test_the_grid_counts_the_scores(base: list[tuple[int, int, int]]) -> None:
    facts = facts_of(base)
    found = [row for row in rfm.beside(facts).to_pylist() if row["purchase_days"]]
    bought = np.asarray(facts["purchase_days"].to_numpy() > 0)
    recency, days = whole(facts, "recency_days")[bought], whole(facts, "purchase_days")[bought]
    cells = portfolio.grid(recency, days, np.ones_like(days), portfolio.band_edges(recency), portfolio.band_edges(days))
    counted = Counter((row["rfm_recency"], row["rfm_frequency"]) for row in found)
    assert {(cell["recency"], cell["frequency"]): cell["customers"] for cell in cells if cell["customers"]} == counted
    assert len({(cell["recency"], cell["frequency"]) for cell in cells}) == len(cells) <= 25


@pytest.mark.django_db
def test_a_run_scores_its_buyers_and_stores_the_cuts() -> None:
    seeded_base(customers=50, days=200)
    nobody = customer("Nobody")
    run_analysis(system())
    edges = Run.objects.get(is_current=True).results["edges"]
    assert Score.objects.get(pk=nobody.pk).rfm_monetary is None
    scores = Score.objects.filter(purchase_days__gt=0)
    assert scores.count() == 50
    for score in scores:
        assert score.spend is not None and score.rfm_monetary is not None
        below = [edge for edge in edges["monetary"] if edge < score.spend]
        assert score.rfm_monetary == 5 - (len(edges["monetary"]) - 1 - len(below))
