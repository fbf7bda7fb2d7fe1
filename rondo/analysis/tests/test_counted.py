"""Customers behind numbers that no fact tells: kept as they were counted, found by rules, told when they are gone."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from rondo.analysis.actions import run_analysis
from rondo.analysis.counted import behind, name_in, pack, unpack
from rondo.analysis.modelling import silence
from rondo.analysis.models import Counted, Run, RunPart, Score, Study
from rondo.analysis.segments.actions import add_members, create_segment
from rondo.analysis.studies.actions import answer_study, request_study
from rondo.analysis.studies.tests.test_groups import shoppers
from rondo.analysis.tests.world import START, purchases
from rondo.customers.actions.binning import put_into_bin
from rondo.customers.actions.merging import merge
from rondo.customers.models import Customer
from rondo.customers.queries import visible
from rondo.foundation.actors import system
from rondo.foundation.models import User
from rondo.rules import Context, compile_ibis, compile_q, evaluate, load_record, parse, schema
from rondo.science import selection
from rondo.science.hybrid import model
from rondo.warehouse.tables import open_tables

pytestmark = pytest.mark.django_db
ACTOR = system()


@pytest.mark.parametrize("keys", [[], [1], [1, 2, 3, 900], list(range(5, 5000, 3)), [2**40, 2**40 + 1, 2**62]], ids=len)
def test_keys_come_back_as_they_were(keys: list[int]) -> None:
    assert unpack(pack(np.array(keys, np.int64))).tolist() == keys


def test_those_of_a_million_stay_small() -> None:
    drawn, everybody = np.random.default_rng(7).random(1_000_000), np.arange(1, 1_000_001)
    sizes = [len(pack(everybody[drawn < share])) for share in (0.1, 0.5, 0.9, 1.0)]
    assert max(sizes) < 250_000 and sizes[-1] < 12_000


@pytest.fixture(scope="module")
def base(module_world: Path) -> None:
    """Two kinds of buyers, and so long a log that what is said of silence is checked by 91 days."""
    people = shoppers(50, 70)
    purchases(
        (row, START + timedelta(days=day), 700)
        for number, row in enumerate(people[:40])
        for day in range(205 + number % 14, 290, 14)
    )
    run_analysis(ACTOR)


@pytest.fixture
def run(base: None, world_copy: Path) -> Run:
    return Run.objects.get(is_current=True)


def found(name: str) -> list[int]:
    """Whom a rule finds, by both compilers, and by looking at each customer."""
    known = schema()
    context = Context(Run.objects.get(is_current=True).as_of, None)
    rule = parse(f"counted.{name} = yes", known)
    with open_tables() as tables:
        copied = sorted(tables.arrow(compile_ibis(rule, known, context, tables))["customer_id"].to_pylist())
    everybody = visible(None).order_by("pk")
    for as_set in (True, False):
        listed = list(everybody.filter(compile_q(rule, known, context, as_set=as_set)).values_list("pk", flat=True))
        assert listed == copied
    some = everybody.values_list("pk", flat=True)[::9]
    assert [key for key in some if evaluate(rule, load_record([key], rule, known, context), known, context).holds] == [
        key for key in some if key in copied
    ]
    without = parse(f"not counted.{name} = yes", known)
    assert everybody.filter(compile_q(without, known, context)).count() == everybody.count() - len(copied)
    return copied


def test_a_run_keeps_whom_it_counted_in_place_of_the_run_before(run: Run) -> None:
    results = run.results
    tried, checked = found("tried"), found("checked")
    assert len(tried) == results["selection"]["customers"]
    assert tried == list(
        Score.objects.filter(first_purchase__lte=max(results["selection"]["origins"]))
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    check = results["churn"]["check"]
    assert len(checked) == check["paths"][0]["customers"] > 0
    assert len(found("judged")) == RunPart.objects.get(run=run, name="changes").figures["judged"] > 0
    run_analysis(ACTOR)
    assert not Counted.objects.filter(run=run).exists()
    assert found("tried") == tried


def test_a_large_base_keeps_those_drawn(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "_JUDGED", 60)
    for module in (model, selection):
        draw = module.sampled
        monkeypatch.setattr(module, "sampled", lambda log, _customers, seed, draw=draw: draw(log, 90, seed))
    again = run_analysis(ACTOR)
    tried, checked = found("tried"), found("checked")
    assert 60 < len(tried) == again.results["selection"]["customers"] < 110
    assert 30 < len(checked) == again.results["churn"]["check"]["paths"][0]["customers"] < 90
    assert tried != checked


def test_who_has_gone_since_is_told(run: Run) -> None:
    before = found("tried")
    assert (seen := behind("tried")) is not None
    assert (seen.customers, seen.gone) == (len(before), 0)
    one, other, third, *_rest = Customer.objects.filter(pk__in=before).order_by("pk")
    merge(ACTOR, one, other)
    put_into_bin(ACTOR, [third])
    assert (seen := behind("tried")) is not None
    assert (seen.customers, seen.gone) == (len(before), 2)
    rule = compile_q(parse("counted.tried = yes", schema()), schema(), Context(run.as_of, None))
    assert visible(None).filter(rule).count() == len(before) - 2
    assert behind("nothing") is None


def test_those_of_a_study_are_for_who_sees_all_and_the_latest_has_them(run: Run, alice: User, bob: User) -> None:
    people = list(Customer.objects.order_by("pk"))
    segment = create_segment(ACTOR, name="Some", kind="static")
    add_members(ACTOR, segment.key, [row.public_id for row in people[:40]])
    study = answer_study(request_study(ACTOR, "twins", segment=segment).pk)
    members = name_in(study, "members")
    assert found(members) == [row.pk for row in people[:40]]
    assert found(name_in(study, "outside")) == [row.pk for row in people[40:]]
    assert f"counted.{members}" in schema(alice).fields
    assert f"counted.{members}" not in schema(bob).fields
    again = answer_study(request_study(ACTOR, "twins", segment=segment).pk)
    kept = set(Counted.objects.filter(study__isnull=False).values_list("study", flat=True))
    assert kept == {again.pk} and Study.objects.count() == 2
