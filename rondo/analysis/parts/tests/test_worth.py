"""The map holds all worth, four fifths are four fifths, and the most worth saving are those with most at stake."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from django.core.cache import cache
from django.db.models import QuerySet

from rondo.analysis.actions import run_analysis
from rondo.analysis.leavers import still_gone
from rondo.analysis.models import RunPart, Score
from rondo.analysis.movements import moves
from rondo.analysis.parts.computing import FROM_COPY, FROM_SCORES
from rondo.analysis.parts.shapes import Worth
from rondo.analysis.parts.worth import COLUMNS, SAVED, at_stake
from rondo.analysis.parts.worth import worth as of_scores
from rondo.analysis.queries import figures, part
from rondo.analysis.scores import schema
from rondo.analysis.tests.world import seeded_base
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.models import User
from rondo.interactions.models import Interaction


def scores(rows: list[dict[str, object]]) -> pa.Table:
    plain = {
        "stage": "maturity", "risk": "low", "value": 100, "churn": 0.1, "churn_usual": 0.1, "spend": 1000,
        "at_stake": None, "spend_365": 1000, "purchase_days": 5,
    }  # fmt: skip
    made = [{"customer_id": number, **plain, **row} for number, row in enumerate(rows, start=1)]
    kinds = schema()
    return pa.table({name: pa.array([row[name] for row in made], kinds.field(name).type) for name in COLUMNS})


def worth(table: pa.Table, gone: list[int] | None = None) -> Worth:
    """The figures of a table with what is at stake beside it, at a margin of a quarter; ``gone``: places of who has
    cancelled."""
    cancelled = np.isin(np.arange(table.num_rows), gone or [])
    place = table.schema.get_field_index("at_stake")
    return of_scores(table.set_column(place, "at_stake", at_stake(table, cancelled, 0.25)), 0.25)


def test_at_stake_is_margin_times_what_silence_adds() -> None:
    found = worth(
        scores(
            [
                {"risk": "high", "churn": 0.9, "churn_usual": 0.1, "spend_365": 10_000},
                {"risk": "high", "churn": 0.9, "churn_usual": 0.8, "spend_365": 90_000},  # buys rarely as it is
                {"risk": "elevated", "churn": 0.4, "churn_usual": 0.1, "spend_365": -500},  # only returned
                {"risk": "low", "churn": 0.15, "churn_usual": 0.0, "spend_365": 999_999},
                {"stage": "abstinence", "risk": "elevated", "churn": 0.4, "churn_usual": 0.0, "spend_365": 50_000},
            ]
        ),
    )
    assert [(one["customer"], one["at_stake"]) for one in found["saving"]] == [(2, 2250), (1, 2000)]
    assert (found["at_stake"], found["in_danger"]) == (4250, 2)
    assert found["left_out"] == {"customers": 1, "at_stake": 5000}


def test_who_is_only_presumed_gone_is_to_be_saved_and_the_rest_is_told() -> None:
    """Whatever the base: all that is in danger is either to be saved or said to be left out, by word or for long."""
    rng = np.random.default_rng(8)
    size = 400
    drawn = {
        "stage": rng.choice(["growth", "decline", "termination", "abstinence"], size),
        "risk": rng.choice(["low", "elevated", "high"], size),
        "churn": rng.random(size),
        "churn_usual": rng.random(size) / 4,
        "spend_365": rng.integers(0, 90_000, size),
    }
    gone = rng.random(size) < 0.1
    table = scores([{name: column[row] for name, column in drawn.items()} for row in range(size)])
    found = worth(table, np.flatnonzero(gone).tolist())
    lost = np.rint(drawn["spend_365"] * 0.25 * np.maximum(drawn["churn"] - drawn["churn_usual"], 0)).astype(int)
    lost[drawn["risk"] == "low"] = 0
    peace = gone | (drawn["stage"] == "abstinence")
    assert (drawn["stage"] == "termination")[~peace & (lost > 0)].any()
    assert found["at_stake"] == lost[~peace].sum() and found["in_danger"] == (lost[~peace] > 0).sum()
    assert found["left_out"] == {"customers": (lost[peace] > 0).sum(), "at_stake": lost[peace].sum()}
    assert not {one["customer"] - 1 for one in found["saving"]} & set(np.flatnonzero(peace).tolist())


def test_a_cancellation_holds_until_a_purchase_on_a_later_day() -> None:
    last = pa.chunked_array([pa.array([100, 100, 100, 100, None], pa.int32()).cast(pa.date32())])
    told = np.array([0, 1, 2, 2, 4]), np.array([99, 100, 40, 120, 70])
    assert still_gone(*told, last).tolist() == [False, True, True, False, True]


def test_scores_from_before_the_fact_say_nothing_of_cancellations() -> None:
    """A run before this version has no such fact: until the next one those gone for long are left out."""
    row = {"risk": "high", "churn": 0.9, "churn_usual": 0.1, "spend_365": 10_000}
    found = of_scores(scores([row, row | {"stage": "abstinence"}]), 0.25)
    assert found["saving"] == [{"customer": 1, "at_stake": 2000}]
    assert found["left_out"] == {"customers": 1, "at_stake": 2000}


def test_who_carries_four_fifths_includes_all_who_spent_as_much() -> None:
    spend = [500, 200, 100, 100, 50, 50]  # 800 of 1,000 are three customers, and a fourth spent as much as the third
    found = worth(scores([{"spend": amount} for amount in spend]))
    assert found["carrying"] == {"customers": 4, "of": 6, "spend": 100}
    assert worth(scores([{"spend": -5}, {"spend": 0}]))["carrying"] is None
    assert worth(scores([]))["carrying"] is None


def test_the_cells_hold_all_value_over_random_bases() -> None:
    rng = np.random.default_rng(6)
    rows: list[dict[str, object]] = [
        {
            "stage": str(rng.choice(["growth", "maturity", "decline", "before"])),
            "risk": None if rng.random() < 0.1 else str(rng.choice(["low", "elevated", "high"])),
            "value": int(rng.integers(0, 5000)),
        }
        for _number in range(300)
    ]
    for row in rows:
        row["value"] = row["value"] if row["risk"] else None
    found = worth(scores(rows))
    assert sum(cell["value"] for cell in found["cells"]) == sum(int(str(row["value"] or 0)) for row in rows)
    assert len({(cell["stage"], cell["risk"]) for cell in found["cells"]}) == len(found["cells"])


@pytest.mark.django_db
def test_the_run_keeps_it_and_owners_get_their_part(make_user: Callable[..., User], alice: User) -> None:
    people = seeded_base(customers=40, days=250)
    dora = make_user("dora", role="sales", reach="own")
    Customer.objects.filter(pk__in=[one.pk for one in people[:15]]).update(owner=dora)
    run = run_analysis(system())
    whole, own = part(alice, run.pk, "worth"), part(dora, run.pk, "worth")
    assert whole == RunPart.objects.get(run=run, name="worth").figures
    assert sum(cell["value"] for cell in whole["cells"]) == run.results["visible_value"] > 0
    mine = {one.pk for one in people[:15]}
    assert sum(cell["value"] for cell in own["cells"]) == sum(
        value or 0 for value in Score.objects.filter(pk__in=mine).values_list("value", flat=True)
    )
    assert {one["customer"] for one in own["saving"]} <= mine
    assert 0 < len(whole["saving"]) <= SAVED


@pytest.mark.django_db
def test_who_cancels_is_left_out_of_those_to_save_and_told(make_user: Callable[..., User], alice: User) -> None:
    people = seeded_base(customers=40, days=250)
    dora = make_user("dora", role="sales", reach="own")
    Customer.objects.filter(pk__in=[one.pk for one in people]).update(owner=dora)
    run = run_analysis(system())
    first = part(alice, run.pk, "worth")
    best, before = first["saving"][0], first["left_out"]
    Interaction.objects.create(
        customer_id=best["customer"],
        kind="cancellation",
        direction="inbound",
        initiative="pull",
        medium="owned",
        occurred_at=f"{run.as_of}T12:00:00Z",
        business_date=run.as_of,
    )
    again = run_analysis(system())
    for viewer in (alice, dora):  # the run's own figures, and those computed for one viewer
        found = part(viewer, again.pk, "worth")
        assert best["customer"] not in {saved["customer"] for saved in found["saving"]}
        assert found["left_out"] == {
            "customers": before["customers"] + 1,
            "at_stake": before["at_stake"] + best["at_stake"],
        }


@pytest.mark.django_db
def test_for_who_sees_some_nothing_lists_all_their_customers(
    make_user: Callable[..., User], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is computed for them alone is read in blocks: no query's rows are held at once that are as many as their
    customers, and the blocks say the same as the whole."""
    people = seeded_base(customers=40, days=120)
    dora = make_user("dora", role="sales", reach="own")
    mine = [one.pk for one in people[:30]]
    Customer.objects.filter(pk__in=mine).update(owner=dora)
    run = run_analysis(system())

    def computed() -> list[Any]:
        cache.clear()
        parts = [part(dora, run.pk, name) for name in (*FROM_COPY, *FROM_SCORES)]
        return [*parts, figures(dora), moves(dora, run, run.as_of - timedelta(days=30), run.as_of)]

    whole = computed()
    held: list[int] = []
    fetch = QuerySet._fetch_all

    def watched(rows: Any) -> None:
        fetch(rows)
        held.append(len(rows._result_cache))

    monkeypatch.setattr(QuerySet, "_fetch_all", watched)
    monkeypatch.setattr("rondo.analysis.queries.BLOCK", 7)
    assert computed() == whole
    assert held and max(held) < len(mine)
