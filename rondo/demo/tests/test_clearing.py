"""Clearing the demo takes all of it and nothing else, survives being killed, and leaves the first steps."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from rondo.analysis.models import Run, Score
from rondo.campaigns.models import Campaign, Exposure
from rondo.catalogue.models import Product
from rondo.customers.actions import create_customer, merge
from rondo.customers.models import Address, AttributeDefinition, Customer, Identifier, NameWord, Survivor
from rondo.demo import complete_journey
from rondo.demo.actions import clearing
from rondo.demo.actions.asking import request_clearing
from rondo.demo.actions.clearing import clear_demo
from rondo.demo.actions.loading import load_demo
from rondo.demo.models import Clearing
from rondo.errors import InputError, StateError
from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.models import AuditEntry, Load, User
from rondo.foundation.removal import remove_rows
from rondo.interactions.actions import log_interaction
from rondo.interactions.importing import ImportOptions, run_import
from rondo.interactions.models import Interaction, Order, OrderLine
from rondo.web.tests.sample import store_run

pytestmark = pytest.mark.django_db

ATTRIBUTE = next(iter(complete_journey.ATTRIBUTES))


def bring(kind: str, rows: list[dict[str, str]], *, own: bool = False) -> None:
    """An import: the demo's, or one of the company's own."""
    source = "shop" if own else complete_journey.SOURCE
    run_import(system(), kind, pa.Table.from_pylist(rows), source=source, options=ImportOptions(is_demo=not own))


def line(customer: str, order: str, product: str) -> dict[str, str]:
    return {"customer": customer, "order": order, "occurred_at": "2024-05-01", "product": product, "total": "3.00"}


@pytest.fixture
def own() -> Customer:
    """A small demo with an analysis; beside it a customer and purchases of one's own, mingled with it in every way."""
    change_installation(system(), company=complete_journey.COMPANY, currency="USD", has_demo=True)
    people = [("1", "Ada Demo"), ("2", "Ben Demo"), ("3", "Cleo Demo")]
    bring("customers", [{"external_id": key, "name": name, "city": "Berlin"} for key, name in people])
    bring("products", [{"number": key, "name": key} for key in ("tea", "oil")])
    bring("orders", [line("1", "o1", "tea"), line("2", "o2", "oil")])
    bring("campaigns", [{"number": "c1", "name": "Spring", "starts_on": "2024-05-01", "ends_on": "2024-06-01"}])
    bring("exposures", [{"campaign": "c1", "customer": "1"}])
    bring("customers", [{"external_id": "9", "name": "Shop Sam"}], own=True)
    bring("orders", [line("9", "s1", "bread")], own=True)
    made = create_customer(system(), name="Own Oda")
    log_interaction(system(), Customer.objects.get(name="Ada Demo"), "note", title="Asked")
    merge(system(), made, Customer.objects.get(name="Ben Demo"))  # the demo's record stands for the own one
    merge(system(), Customer.objects.get(name="Cleo Demo"), Customer.objects.get(name="Shop Sam"))
    store_run()
    Score.objects.create(customer=made)
    return made


def clear() -> Clearing:
    return clear_demo(request_clearing(system(), by_job=False).pk)


def names() -> list[str]:
    return sorted(Customer.objects.values_list("name", flat=True))


def test_all_of_the_demo_goes_and_nothing_else(own: Customer, alice: User) -> None:
    before = AuditEntry.objects.count()
    assert clear().status == "done"
    assert names() == ["Own Oda", "Shop Sam"]
    own.refresh_from_db()
    assert not own.is_merged and not Survivor.objects.exists()
    assert {row.customer.name for row in NameWord.objects.all()} == {"Own Oda", "Shop Sam"}
    assert Interaction.objects.count() == Order.objects.count() == OrderLine.objects.count() == 1
    assert [row.number for row in Product.objects.all()] == ["bread"]
    left = (Campaign, Exposure, Address, Score, Run)
    assert [model.objects.count() for model in left] == [0] * len(left)
    assert Identifier.objects.count() == 1 and User.objects.filter(pk=alice.pk).exists()
    assert {load.source: load.status for load in Load.objects.all()} == {
        complete_journey.SOURCE: "undone",
        "shop": "visible",
    }
    assert not (Path(settings.RONDO_WAREHOUSE) / "customers").exists()
    assert not installation().has_demo and installation().company == "" and installation().currency == "USD"
    assert AuditEntry.objects.count() > before
    said = AuditEntry.objects.get(verb="demo.cleared")
    assert said.changes["customers"] == [3, 0] and said.changes["own_contacts"] == [1, 0]


def test_killed_at_any_step_it_is_gone_from_sight_and_goes_on(
    own: Customer, monkeypatch: pytest.MonkeyPatch, make_user: Any, signed_in: Any
) -> None:
    client: Client = signed_in(make_user("zoe", role="administrator", reach="all"))
    row = request_clearing(system(), by_job=False)
    monkeypatch.setattr(clearing, "_PORTION", 1)
    left = {"portions": 1}

    def killed(rows: Any) -> None:
        if rows.model is Customer:
            left["portions"] -= 1
            if left["portions"] < 0:
                raise KeyboardInterrupt  # as a worker that is told to end at once
        remove_rows(rows)

    monkeypatch.setattr(clearing, "remove_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        clear_demo(row.pk)
    assert 0 < Customer.objects.filter(is_demo=True).count() < 3
    text = client.get("/customers/").content.decode()
    assert "Own Oda" in text and "Demo" not in text.replace("demo-", "")
    monkeypatch.setattr(clearing, "remove_rows", remove_rows)
    assert clear_demo(row.pk).status == "done"
    assert names() == ["Own Oda", "Shop Sam"]
    assert clear_demo(row.pk).status == "done"  # once more: nothing to do


def test_the_page_counts_both_sides_and_a_job_clears(own: Customer, make_user: Any, signed_in: Any) -> None:
    client: Client = signed_in(make_user("zoe", role="administrator", reach="all"))
    assert "This is the demo" in client.get("/").content.decode()
    found = client.get("/settings/demo/").context
    goes = {str(words): count for words, count, _part in found["goes"]}
    stays = {str(words): count for words, count in found["stays"]}
    assert goes["Campaigns"] == 1 and stays["Customers of your own"] == 2 and stays["Imports of your own"] == 2
    assert client.post("/settings/demo/").status_code == 302
    assert client.post("/settings/demo/").status_code == 302 and Clearing.objects.count() == 1
    assert client.get("/settings/demo/progress").status_code == 200
    clear_demo(Clearing.objects.get().pk)
    assert client.get("/settings/demo/progress").headers["HX-Redirect"] == "/"
    assert "There is no demo here" in client.get("/settings/demo/").content.decode()
    steps = {step.key: step.done for step in client.get("/").context["first_steps"]}
    assert steps["company"] is False and steps["import"] is True


def test_the_command_asks_before_it_clears(own: Customer, capsys: pytest.CaptureFixture[str], bob: User) -> None:
    with pytest.raises(InputError, match="--yes"):
        call_command("demo", "--clear")
    assert Customer.objects.filter(is_demo=True).count() == 3
    call_command("demo", "--clear", "--yes")
    assert "cleared" in capsys.readouterr().out and names() == ["Own Oda", "Shop Sam"]
    with pytest.raises(Exception, match="may not"):
        request_clearing(Actor(bob, "web"))


def test_an_attribute_that_somebody_uses_stays(own: Customer) -> None:
    from rondo.customers.actions import define_attribute, set_attribute

    for key in list(complete_journey.ATTRIBUTES)[:2]:
        define_attribute(system(), key, label_en=key, type="text", form="demographic")
    set_attribute(system(), Customer.objects.get(name="Shop Sam"), ATTRIBUTE, "old")
    clear()
    assert [row.key for row in AttributeDefinition.objects.all()] == [ATTRIBUTE]


def test_the_demo_is_not_loaded_over_a_company_that_is_set_up() -> None:
    change_installation(system(), company="Keep Ltd", currency="EUR", time_zone="Europe/Berlin")
    with pytest.raises(StateError, match="is set up for Keep Ltd"):
        load_demo()
    assert (installation().company, installation().currency) == ("Keep Ltd", "EUR") and not installation().has_demo
