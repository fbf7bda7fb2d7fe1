"""Attributes that ask for something: required, unique, of several choices, links; archived; of another type."""

import threading
from datetime import date
from typing import Any

import pytest
from django.db import connection

from rondo.customers import actions
from rondo.customers.actions import converting
from rondo.customers.actions.converting import (
    begin_change,
    carry_out,
    give_up,
    take_back_change,
    try_change,
)
from rondo.customers.models import AttributeDefinition, AttributeValue, Customer
from rondo.customers.queries import all_attributes_of, attributes_of, record_ids
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import Load

CHOICES = [{"value": value, "en": value.title(), "de": ""} for value in ("tea", "coffee", "wine")]


def define(key: str, type: str, **more: object) -> AttributeDefinition:
    """An attribute; of a type with choices, of drinks."""
    choices = CHOICES if type in ("choice", "multi") else ()
    fields = {"label_en": key.title(), "form": "benefit", "choices": choices, **more}
    return actions.define_attribute(system(), key, type=type, **fields)  # type: ignore[arg-type]


def value_of(customer: Customer) -> object:
    """The customer's one value, from the column in use."""
    found = attributes_of(None, [customer.pk])
    return next((v for row in found for v in (row.text, row.number, row.day) if v is not None), None)


@pytest.fixture
def anna(db: None) -> Customer:
    return actions.create_customer(system(), name="Anna Bell")


@pytest.fixture
def bert(db: None) -> Customer:
    return actions.create_customer(system(), name="Bert Hill")


@pytest.mark.parametrize(
    ("type", "given", "stored"),
    [
        ("multi", "wine, Tea", "|tea|wine|"),
        ("multi", ["coffee"], "|coffee|"),
        ("multi", "wine|tea;wine", "|tea|wine|"),
        ("choice", "Coffee", "coffee"),
        ("link", "example.com/a?b=1", "https://example.com/a?b=1"),
        ("multi", "beer", None),
        ("link", "javascript:alert(1)", None),
        ("link", "http://", None),
    ],
)
def test_several_choices_and_links_have_one_form(anna: Customer, type: str, given: object, stored: str | None) -> None:
    define("a", type)
    if stored is None:
        with pytest.raises(InputError, match="a = "):
            actions.set_attribute(system(), anna, "a", given)
    else:
        actions.set_attribute(system(), anna, "a", given)
        assert value_of(anna) == stored


def test_required_and_default_hold_for_who_is_made_and_what_is_taken_away(db: None, seller: Actor) -> None:
    define("branch", "text", required=True)
    define("drink", "choice", default="tea")
    with pytest.raises(InputError, match="Branch"):
        actions.create_customer(seller, name="Cy")
    assert not Customer.objects.exists()
    made = actions.create_customer(seller, name="Cy", attributes={"branch": "retail"})
    assert {row.text for row in attributes_of(None, [made.pk])} == {"retail", "tea"}
    with pytest.raises(InputError, match="required"):
        actions.set_attribute(seller, made, "branch", "")


def test_a_unique_value_has_one_customer_and_is_free_when_its_import_is_taken_back(
    anna: Customer, bert: Customer
) -> None:
    define("contract", "text")
    for one in (anna, bert):
        actions.set_attribute(system(), one, "contract", f"A-{one.name[0]}")
    actions.change_attribute(system(), "contract", unique=True)
    with pytest.raises(StateError, match=r"contract = a-B belongs to Bert Hill"):
        actions.set_attribute(system(), anna, "contract", "a-B")
    load = Load.objects.create(kind="customers", status=Load.Status.UNDONE, fingerprint="x")
    AttributeValue.objects.filter(customer=bert).update(load=load)
    actions.set_attribute(system(), anna, "contract", "a-B")
    assert value_of(anna) == "a-B"
    define("again", "text")
    for one in (anna, bert):
        actions.set_attribute(system(), one, "again", "Same")
    with pytest.raises(StateError, match=r"same \(2\)"):
        actions.change_attribute(system(), "again", unique=True)


def test_a_unique_value_of_ones_own_merged_record_is_shown_and_goes_with_it(anna: Customer, bert: Customer) -> None:
    define("contract", "text", unique=True)
    actions.set_attribute(system(), anna, "contract", "A1")
    actions.set_attribute(system(), bert, "contract", "B2")
    third = actions.create_customer(system(), name="Carl")

    def shown(row: Customer) -> list[str | None]:
        return [one.text for one in all_attributes_of(record_ids(row.pk))]

    edge = actions.merge(system(), bert, anna)
    assert shown(anna) == ["A1"]
    for value in ("B2", "b2"):
        actions.set_attribute(system(), anna, "contract", value)
        assert shown(anna) == ["B2"]
    with pytest.raises(StateError, match="Anna"):
        actions.set_attribute(system(), third, "contract", "B2")
    actions.unmerge(system(), edge.pk)
    assert (shown(anna), shown(bert)) == (["A1"], ["B2"])


@pytest.mark.django_db(transaction=True)
def test_of_many_who_set_one_unique_value_at_once_one_succeeds() -> None:
    define("contract", "text", unique=True)
    people = [actions.create_customer(system(), name=f"P {n}") for n in range(4)]
    outcomes: list[str] = []

    def work(customer: Customer) -> None:
        try:
            actions.set_attribute(system(), customer, "contract", "K1")
            outcomes.append("set")
        except StateError as error:
            outcomes.append(f"refused: {error}")
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(one,)) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert outcomes.count("set") == 1 and len(outcomes) == 4
    assert all("K1 belongs to P " in one for one in outcomes if one != "set")
    assert AttributeValue.objects.filter(text="K1").count() == 1


def test_the_archive_hides_an_attribute_and_gives_it_back(anna: Customer) -> None:
    define("drink", "choice")
    actions.set_attribute(system(), anna, "drink", "wine")
    entry = actions.archive_attribute(system(), "drink")
    assert attributes_of(None, [anna.pk]) == []
    with pytest.raises(NotFound):
        actions.set_attribute(system(), anna, "drink", "tea")
    with pytest.raises(StateError, match="archived"):
        define("drink", "text")
    actions.take_back_attribute(system(), entry.pk)
    assert value_of(anna) == "wine"


def test_what_an_editor_did_not_see_is_not_overwritten(db: None) -> None:
    row = define("drink", "choice")
    actions.change_attribute(system(), "drink", expected_version=row.version, label_en="Beverage")
    with pytest.raises(StateError, match="changed meanwhile"):
        actions.change_attribute(system(), "drink", expected_version=row.version, label_en="Liquid")


def test_a_type_changes_as_a_whole_or_not_at_all_and_goes_back(anna: Customer, bert: Customer) -> None:
    define("since", "text")
    actions.set_attribute(system(), anna, "since", "2020-02-29")
    actions.set_attribute(system(), bert, "since", "long ago")
    trial = try_change(system(), "since", "date")
    assert (trial.values, trial.convert, trial.refused[0][:2]) == (2, 1, ("long ago", 1))
    with pytest.raises(StateError, match="long ago"):
        begin_change(system(), "since", "date")
    actions.set_attribute(system(), bert, "since", "2021-01-01")
    target, number = begin_change(system(), "since", "date")
    assert number == 2 and value_of(anna) == "2020-02-29"
    with pytest.raises(StateError, match="being changed"):
        actions.set_attribute(system(), anna, "since", "2022-01-01")
    carry_out(system("job"), target.pk)
    carry_out(system("job"), target.pk)  # as a worker does that died before its report
    assert value_of(anna) == date(2020, 2, 29)
    actions.set_attribute(system(), bert, "since", "2024-05-05")
    take_back_change(system(), "since")
    assert (value_of(anna), value_of(bert)) == ("2020-02-29", "2024-05-05")
    assert AttributeDefinition.everything.count() == 1


def test_a_change_that_died_is_begun_anew_or_given_up(anna: Customer) -> None:
    define("n", "text")
    actions.set_attribute(system(), anna, "n", "7")
    target, _number = begin_change(system(), "n", "number")
    AttributeValue.objects.create(customer=anna, definition=target, number=1)  # what the dead run left
    give_up(system(), "n")
    assert value_of(anna) == "7" and AttributeDefinition.everything.count() == 1
    target, _number = begin_change(system(), "n", "number")
    AttributeValue.objects.create(customer=anna, definition=target, number=1)
    carry_out(system("job"), target.pk)
    assert value_of(anna) == 7.0


def test_merged_choices_are_one_and_come_apart_again(anna: Customer, bert: Customer) -> None:
    define("drinks", "multi")
    actions.set_attribute(system(), anna, "drinks", "tea, coffee")
    actions.set_attribute(system(), bert, "drinks", "wine")
    target, _number = begin_change(system(), "drinks", "multi", merged={"coffee": "tea"})
    carry_out(system(), target.pk, {"coffee": "tea"})
    assert (value_of(anna), value_of(bert)) == ("|tea|", "|wine|")
    take_back_change(system(), "drinks")
    assert value_of(anna) == "|tea|coffee|"
    with pytest.raises(StateError, match="coffee"):
        actions.change_attribute(system(), "drinks", choices=[CHOICES[0], CHOICES[2]])
    retired = [{**one, "retired": one["value"] == "coffee"} for one in CHOICES]
    actions.change_attribute(system(), "drinks", choices=retired)
    with pytest.raises(InputError, match="coffee"):
        actions.set_attribute(system(), bert, "drinks", "coffee")
    # Who has the retired one keeps it beside what is added.
    actions.set_attribute(system(), anna, "drinks", ["wine", "coffee"])
    assert value_of(anna) == "|coffee|wine|"


def test_unique_values_that_changed_places_go_back_and_equal_ones_do_not(anna: Customer, bert: Customer) -> None:
    """Choices are not unique: what was done meanwhile has to be unique again."""
    define("n", "text", unique=True)
    actions.set_attribute(system(), anna, "n", "x")
    actions.set_attribute(system(), bert, "n", "y")
    carry_out(system(), begin_change(system(), "n", "choice")[0].pk)
    actions.set_attribute(system(), anna, "n", "y")
    with pytest.raises(StateError, match="y would occur twice"):
        take_back_change(system(), "n")
    assert AttributeDefinition.objects.get().type == "choice"
    actions.set_attribute(system(), bert, "n", "x")
    take_back_change(system(), "n")
    assert (value_of(anna), value_of(bert)) == ("y", "x")
    with pytest.raises(StateError, match="may occur but once"):
        actions.set_attribute(system(), anna, "n", "X")


def test_digits_are_not_lost_to_a_number(anna: Customer) -> None:
    define("n", "text")
    actions.set_attribute(system(), anna, "n", "9007199254740993")
    assert try_change(system(), "n", "number").left == 1
    actions.set_attribute(system(), anna, "n", "12.50")
    assert try_change(system(), "n", "number").left == 0


def test_a_second_run_that_looked_before_the_first_ended_changes_nothing(
    anna: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    define("n", "text")
    actions.set_attribute(system(), anna, "n", "7")
    target, _number = begin_change(system(), "n", "number")
    convert = converting._convert

    def overtaken(*asked: Any) -> Any:
        monkeypatch.setattr(converting, "_convert", convert)
        carry_out(system("job"), target.pk)
        actions.set_attribute(system(), anna, "n", "8")
        return convert(*asked)

    monkeypatch.setattr(converting, "_convert", overtaken)
    assert carry_out(system("job"), target.pk) == target
    assert value_of(anna) == 8.0 and AttributeDefinition.objects.get(key="n").type == "number"
