"""Which customer a row means: identifiers that changed hands, merged records, and how far the importer reaches."""

from pathlib import Path
from typing import Any

import pytest

from rondo.customers.actions import create_customer, merge
from rondo.customers.models import Customer, Identifier
from rondo.errors import PermissionRefused
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, Installation, Load, User
from rondo.interactions.importing import ImportOptions, run_import, undo
from rondo.interactions.models import Interaction, Order
from rondo.interactions.tests.import_files import load, rejects, write

pytestmark = pytest.mark.django_db

PEOPLE = "external_id,name,email\n1,Ann Bell,ann@bell.org\n2,Bob Hill,bob@hill.org\n3,Cy Moor,cy@moor.org\n"


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    """New York, US dollars."""


def holder(value: str, kind: str = "external") -> Customer:
    return Customer.objects.get(identifiers__kind=kind, identifiers__value=value)


def test_an_e_mail_given_away_after_an_undo_makes_the_row_that_customers(tmp_path: Path) -> None:
    path = write(tmp_path, PEOPLE)
    undo(system(), load("customers", path).pk)
    ann = create_customer(system(), name="Ann by hand", identifiers=[("email", "Ann@Bell.org")])
    run = load("customers", path)
    assert rejects(run) == []
    assert (run.counts["customers_created"], run.counts["customers_updated"]) == (2, 1)
    assert holder("1") == holder("ann@bell.org", "email") == ann
    ann.refresh_from_db()
    assert ann.name == "Ann Bell"
    assert {holder("2").name, holder("3").name} == {"Bob Hill", "Cy Moor"}
    assert AuditEntry.objects.filter(verb="identifier.removed", load=run, changes__has_key="external").count() == 1
    again = load("customers", write(tmp_path, PEOPLE + "4,Di,\n"))
    assert (again.counts["customers_created"], again.counts.get("customers_updated", 0)) == (1, 0)


def test_a_row_between_two_customers_is_refused_with_both_named_and_the_rest_goes_in(tmp_path: Path) -> None:
    path = write(tmp_path, PEOPLE)
    undo(system(), load("customers", path).pk)
    mail = create_customer(system(), name="Mail", identifiers=[("email", "ann@bell.org")])
    number = create_customer(system(), name="Number", identifiers=[("external", "1")], source="shop")
    run = load("customers", path)
    (refused,) = rejects(run)
    assert (refused["line"], refused["column"], refused["value"]) == ("2", "email", "ann@bell.org")
    assert mail.public_id in refused["reason"] and number.public_id in refused["reason"]
    assert refused["reason"].index(mail.public_id) < refused["reason"].index(number.public_id)
    assert run.counts["customers_created"] == 2


def test_known_customers_left_alone_keep_their_identifiers(tmp_path: Path) -> None:
    path = write(tmp_path, PEOPLE)
    undo(system(), load("customers", path).pk)
    ann = create_customer(system(), name="Ann by hand", identifiers=[("email", "ann@bell.org")])
    run = load("customers", path, on_match="skip")
    assert run.counts["customers_skipped"] == 1
    ann.refresh_from_db()
    assert (ann.name, list(ann.identifiers.values_list("kind", flat=True))) == ("Ann by hand", ["email"])


def test_identifiers_that_two_runs_taken_back_had_come_together(tmp_path: Path) -> None:
    undo(system(), load("customers", write(tmp_path, "external_id,name\n1,Ann\n")).pk)
    undo(system(), load("customers", write(tmp_path, "email,name\nann@bell.org,Ann\n")).pk)
    run = load("customers", write(tmp_path, PEOPLE))
    assert rejects(run) == []
    assert holder("1") == holder("ann@bell.org", "email")


def test_what_may_not_tell_who_a_row_is_tells_it_of_a_run_taken_back_neither(tmp_path: Path) -> None:
    """Two rows that bring the e-mail and the card of one customer of an undone run are two customers, by their numbers;
    what they bring is theirs then, and a known customer takes it over, too."""
    gone = load("customers", write(tmp_path, "external_id,name,email,card\n1,Ann Bell,ann@bell.org,4711\n"))
    undo(system(), gone.pk)
    bob = create_customer(system(), name="Bob", identifiers=[("external", "8")], source="shop")
    text = "external_id,name,email,card\n7,Ann New,ann@bell.org,\n8,Bob Hill,,4711\n9,Cy Moor,,\n"
    run = load("customers", write(tmp_path, text), match_by=("external",))
    assert rejects(run) == []
    assert (run.counts["customers_created"], run.counts["customers_updated"]) == (2, 1)
    ann, cy = holder("7"), holder("9")
    assert ann.name == "Ann New" and ann.load_id == run.pk and ann not in (bob, cy)
    assert holder("ann@bell.org", "email") == ann and holder("4711", "card") == bob
    assert Identifier.objects.get(value="ann@bell.org").load_id == run.pk
    removed = AuditEntry.objects.filter(verb="identifier.removed", load=run)
    assert sorted(key for entry in removed for key in entry.changes) == ["card", "email"]
    again = load("customers", write(tmp_path, "external_id,email\n7,ann@bell.org\n1,\n"), match_by=("external",))
    assert again.counts["customers_created"] == 1 and rejects(again) == []
    undo(system(), run.pk)
    assert not Identifier.objects.filter(value="4711", customer=bob).exists()


def test_merged_records_are_one_customer(tmp_path: Path) -> None:
    one = create_customer(system(), name="One", identifiers=[("external", "1")], source="shop")
    two = create_customer(system(), name="Two", identifiers=[("email", "ann@bell.org")])
    merge(system(), one, two)
    run = load("customers", write(tmp_path, PEOPLE))
    assert rejects(run) == []
    assert Customer.objects.filter(name="Ann Bell", is_merged=False).count() == 1


@pytest.fixture
def dora(make_user: Any) -> User:
    """Marketing, who sees own customers alone."""
    user: User = make_user("dora", role="marketing", reach="own")
    return user


def load_as(user: User, kind: str, path: Path, **options: Any) -> Load:
    return run_import(Actor(user, "import"), kind, path, source="shop", options=ImportOptions(**options))


def test_rows_of_customers_out_of_reach_are_refused_and_the_rest_is_the_importers_own(
    tmp_path: Path, dora: User
) -> None:
    load("customers", write(tmp_path, "external_id,name,email\n1,Ann,ann@bell.org\n"))
    mine = create_customer(Actor(dora, "web"), name="Bob", identifiers=[("external", "2")], source="shop")
    run = load_as(dora, "customers", write(tmp_path, PEOPLE))
    (refused,) = rejects(run)
    assert (refused["line"], refused["value"]) == ("2", "1")
    assert "dora@example.org" in refused["reason"]
    assert holder("1").public_id not in refused["reason"] + refused["value"], "nothing is told of what is not seen"
    assert holder("1").name == "Ann"
    mine.refresh_from_db()
    assert mine.name == "Bob Hill"
    assert holder("3").owner == dora
    whole = load("customers", write(tmp_path, PEOPLE))
    assert whole.pk != run.pk, "the same file of somebody who sees all is another import"
    assert holder("1").name == "Ann Bell"


def test_orders_contacts_and_exposures_out_of_reach_are_refused(tmp_path: Path, dora: User) -> None:
    load("customers", write(tmp_path, "external_id,name\n1,Ann\n"))
    load("campaigns", write(tmp_path, "number,starts_on,ends_on\n8,2017-05-08,2017-06-25\n"))
    orders = "order,customer,product,occurred_at,total\n" + "".join(
        f"b{who}{line},{who},p,2017-03-0{line},1\n" for who in "12" for line in (1, 2)
    )
    run = load_as(dora, "orders", write(tmp_path, orders))
    assert [row["line"] for row in rejects(run)] == ["2", "3"]
    assert set(Order.objects.values_list("number", flat=True)) == {"b21", "b22"}
    assert holder("2").owner == dora
    contacts = write(tmp_path, "customer,kind,occurred_at\n1,note,2017-03-01\n2,note,2017-03-01\n")
    assert [row["line"] for row in rejects(load_as(dora, "interactions", contacts))] == ["2"]
    exposed = write(tmp_path, "campaign,customer\n8,2\n8,1\n")
    assert [row["line"] for row in rejects(load_as(dora, "exposures", exposed))] == ["3"]
    assert not Interaction.objects.filter(customer=holder("1")).exists()


def test_who_does_not_see_all_takes_back_own_runs_alone(tmp_path: Path, dora: User) -> None:
    others = load("customers", write(tmp_path, PEOPLE))
    own = load_as(dora, "customers", write(tmp_path, "external_id,name\n9,Eve\n"))
    with pytest.raises(PermissionRefused, match=f"run {others.pk} is not one that dora"):
        undo(Actor(dora, "import"), others.pk)
    undo(Actor(dora, "import"), own.pk)
    assert Identifier.objects.get(value="9").load_id == own.pk
