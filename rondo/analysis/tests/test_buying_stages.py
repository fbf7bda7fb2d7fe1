"""Buying stages from the chain to the open tables, the rows that rules read, the ledger, and thresholds tried."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from rondo.analysis.actions import run_analysis
from rondo.analysis.buying_stages import thresholds
from rondo.analysis.buying_stages.actions import TABLES, work_out_stages
from rondo.analysis.buying_stages.jobs import stages_job
from rondo.analysis.buying_stages.queries import NO_SIGN, found_for, moves, stages_of
from rondo.analysis.buying_stages.ruled import rule_of
from rondo.analysis.buying_stages.texts import STAGES
from rondo.analysis.models import StageFound, StageOf, Study
from rondo.analysis.ruled_moves import stood_in_buying
from rondo.analysis.tests.world import customer, product, purchase
from rondo.catalogue.models import Category
from rondo.customers.models import Customer
from rondo.customers.queries import visible
from rondo.errors import InputError, PermissionRefused, StateError
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import Installation, User
from rondo.interactions.models import About, Interaction, Retraction
from rondo.rules import Context, compile_q, parse, schema
from rondo.science.buying_stages import BuyingStageRules
from rondo.warehouse.tables import open_tables

pytestmark = pytest.mark.django_db
START = date(2024, 1, 1)
LAST = START + timedelta(days=100)
COFFEE, TEA, SOAP = "FOOD > COFFEE", "FOOD > TEA", "HOME > SOAP"


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    Installation.objects.update(currency="EUR")


def contact(who: Customer, day: int, kind: str, category: str = "", number: str = "") -> Interaction:
    """A contact, about a category or a product where one is given."""
    when = START + timedelta(days=day)
    row = Interaction.objects.create(
        customer=who, kind=kind, channel="web", direction="inbound", initiative="pull", medium="owned",
        occurred_at=datetime.combine(when, time(9), UTC), business_date=when,
    )  # fmt: skip
    if category or number:
        About.objects.create(
            interaction=row,
            category=Category.objects.get(path=category) if category else None,
            product=product(number) if number else None,
        )
    return row


def world() -> dict[str, Customer]:
    """Coffee every ten days by six households; one is due, one stays away; others look at tea and at soap."""
    coffee, tea = product("c1", f"{COFFEE} > BEANS"), product("t1", TEA)
    product("s1", SOAP)
    people = {name: customer(name) for name in ("ann", "bob", "cem", "dan", "eva", "fay", "gus", "hal")}
    for name in ("ann", "bob", "cem", "dan", "eva", "fay"):
        for day in range(0, {"ann": 89, "bob": 40}.get(name, 101), 10):
            purchase(people[name], START + timedelta(days=day), 500, lines=[(coffee, 500, 0)])
    purchase(people["cem"], LAST, 500, lines=[(tea, 500, 0)])
    contact(people["gus"], 95, "product_view", number="t1")
    contact(people["dan"], 99, "comparison", category=SOAP)
    contact(people["hal"], 98, "web_visit")
    taken_back = contact(people["hal"], 99, "basket", category=TEA)
    Retraction.objects.create(interaction=taken_back, reason="mistake")
    return people


def where(one: Customer) -> dict[str, str]:
    found = stages_of(one.pk)
    return {line.path: line.entry.stage for line in found.lines} if found else {}


def test_signals_of_the_chain_place_customers_and_everything_agrees() -> None:
    people = world()
    assert work_out_stages(system()) is None
    run = run_analysis(system())
    assert stages_job.call() == run.pk
    assert where(people["ann"]) == {COFFEE: "need_recognised"}
    assert where(people["bob"]) == {COFFEE: "unaware"}
    assert where(people["cem"]) == {COFFEE: "purchase", TEA: "purchase"}
    assert where(people["dan"]) == {COFFEE: "purchase", SOAP: "evaluation"}
    assert where(people["gus"]) == {TEA: "information_search"}
    assert where(people["hal"]) == {}, "a visit that names nothing, and a contact that was retracted, are no signs"
    ann = next(line.entry for line in stages_of(people["ann"].pk).lines)  # type: ignore[union-attr]
    assert (ann.bought, ann.rhythm, ann.since) == (START + timedelta(days=80), 10, START + timedelta(days=88))
    results = StageFound.objects.get().results
    with open_tables() as tables:
        assert set(TABLES) <= set(tables.names)
        rows = tables.arrow(tables.buying_stages).to_pylist()
        ledger = tables.arrow(tables.buying_moves.order_by("customer_id", "category_id", "day")).to_pylist()
    assert results["customers"] == len(people) and results["known"] == len({row["customer_id"] for row in rows})
    ends: dict[tuple[int, int], str] = {}
    for entry in ledger:
        key = entry["customer_id"], entry["category_id"]
        assert entry["before"] == ends.get(key) != entry["after"]
        ends[key] = entry["after"]
    assert ends == {(row["customer_id"], row["category_id"]): row["stage"] for row in rows}
    known = schema()
    for category in results["categories"]:
        for place, stage in enumerate(STAGES):
            rule = parse(rule_of(category["path"], stage), known)
            here = visible(None).filter(compile_q(rule, known, Context(run.as_of)))
            assert here.count() == category["customers"][place], (category["path"], stage)
    told = {one["kind"]: (one["all"], one["named"]) for one in results["signals"] if one["all"]}
    assert told == {"product_view": (1, 1), "comparison": (1, 1), "web_visit": (1, 0)}
    again = work_out_stages(system())
    assert again is not None and again.run_id == run.pk


def behind(path: str, since: date, before: str, after: str) -> list[int]:
    """The customers that the rule of a move finds."""
    known = schema()
    rule = parse(f"{stood_in_buying(path, before, since)} and {stood_in_buying(path, after, LAST)}", known)
    return list(visible(None).filter(compile_q(rule, known, Context(LAST))).order_by("pk").values_list("pk", flat=True))


def test_between_two_days_the_ledger_tells_who_moved_and_a_viewer_sees_their_own(make_user: Any) -> None:
    people = world()
    dora: User = make_user("dora", role="sales", reach="own")
    Customer.objects.filter(pk__in=[people["ann"].pk, people["gus"].pk]).update(owner=dora)
    run_analysis(system())
    work_out_stages(system())
    coffee, tea = (Category.objects.get(path=path).pk for path in (COFFEE, TEA))
    since = date(2024, 3, 24)
    found = {(move.before, move.after): move.customers for move in moves(None, coffee, since, LAST)}
    assert found == {("purchase", "need_recognised"): 1, ("purchase", "purchase"): 4, ("unaware", "unaware"): 1}
    assert behind(COFFEE, since, "purchase", "need_recognised") == [people["ann"].pk]
    assert behind(TEA, since, "", "information_search") == [people["gus"].pk]
    assert [(m.before, m.after) for m in moves(dora, tea, since, LAST)] == [(NO_SIGN, "information_search")]
    part = found_for(dora)
    assert part is not None
    assert (part.results["customers"], part.results["known"]) == (2, 2)
    assert {row["path"]: sum(row["customers"]) for row in part.results["categories"]} == {COFFEE: 1, TEA: 1}
    with pytest.raises(PermissionRefused):
        work_out_stages(Actor(dora, "web"))


def test_thresholds_are_tried_before_they_count_and_kept_by_version(alice: User) -> None:
    people = world()
    run_analysis(system())
    work_out_stages(system())
    wanted = BuyingStageRules(fades_after=20)
    outcome = thresholds.answer(Study(config=wanted.to_dict()), lambda *_step: None)
    assert (outcome.results["moved"], outcome.results["customers"]) == (1, 7)
    matrix = outcome.results["matrix"]
    assert matrix[STAGES.index("unaware")][STAGES.index("need_recognised")] == 1
    assert sum(map(sum, matrix)) == outcome.results["pairs"] == sum(StageFound.objects.get().results["pairs"])
    assert where(people["bob"]) == {COFFEE: "unaware"}
    actor = Actor(alice, "web")
    now = thresholds.change(actor, wanted, expected_version=0, reason="they come back late")
    with pytest.raises(StateError, match="in the meantime"):
        thresholds.change(actor, BuyingStageRules(), expected_version=0)
    with pytest.raises(InputError, match="in force already"):
        thresholds.change(actor, wanted, expected_version=now.version)
    run_analysis(system())
    work_out_stages(system())
    assert where(people["bob"]) == {COFFEE: "need_recognised"}
    assert StageFound.objects.get().results["version"] == now.version
    assert StageOf.objects.get(pk=people["bob"].pk).need_recognised == 1


def test_a_base_without_purchases_or_categories_has_no_stages() -> None:
    customer("ann")
    run_analysis(system())
    row = work_out_stages(system())
    assert row is not None
    assert (row.results["known"], row.results["categories"], row.results["check"]) == (0, [], None)
