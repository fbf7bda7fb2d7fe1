"""Customers, products, contacts, campaigns and exposures from files: matched, updated, undone, answered."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from rondo.campaigns.models import Campaign, Exposure
from rondo.catalogue.models import Category, Product
from rondo.customers.actions import create_customer, merge, unmerge
from rondo.customers.models import Address, AttributeDefinition, AttributeValue, Customer, Identifier
from rondo.errors import InputError
from rondo.foundation.actors import system
from rondo.foundation.models import AuditEntry, Installation
from rondo.interactions.importing import undo
from rondo.interactions.models import About, Interaction
from rondo.interactions.queries import standing
from rondo.interactions.tests.import_files import ORDERS, load, rejects, state, write

pytestmark = pytest.mark.django_db

PEOPLE = """external_id,name,email,phone,city,country,birth_date
1,Ann Bell,Ann@Bell.org,030 123456,Berlin,de,1980-02-29
2,Bob Hill,bob@hill.org,,Bern,CH,
"""


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    """New York, US dollars."""


def person(external_id: str) -> Customer:
    return Customer.objects.get(identifiers__kind="external", identifiers__value=external_id)


def test_customers_come_with_normal_identifiers_and_addresses(tmp_path: Path) -> None:
    run = load("customers", write(tmp_path, PEOPLE), region="DE")
    assert run.counts["customers_created"] == 2
    ann = person("1")
    assert (ann.kind, ann.name, ann.folded_name, ann.birth_date) == (
        "person",
        "Ann Bell",
        "ann bell",
        date(1980, 2, 29),
    )
    values = dict(Identifier.objects.filter(customer=ann).values_list("kind", "value"))
    assert values == {"external": "1", "email": "ann@bell.org", "phone": "+4930123456"}
    assert Address.objects.get(customer=ann).country == "DE"
    assert run.spans["customers_customer"][1] >= run.spans["customers_customer"][0]


def test_known_customers_are_updated_with_an_audit_entry_and_undo_restores(tmp_path: Path) -> None:
    load("customers", write(tmp_path, PEOPLE), region="DE")
    before = state()
    changed = PEOPLE.replace("Ann Bell", "Ann Ring").replace("Bern", "Basel").replace("1980-02-29", "")
    run = load("customers", write(tmp_path, changed + "3,Cy,cy@x.org,,,,\n"), region="DE")
    assert (run.counts["customers_created"], run.counts["customers_updated"]) == (1, 1)
    ann = person("1")
    assert (ann.name, ann.version, ann.birth_date) == ("Ann Ring", 2, date(1980, 2, 29)), (
        "an empty cell changes nothing"
    )
    entry = AuditEntry.objects.get(verb="customer.imported")
    assert entry.changes["name"] == ["Ann Bell", "Ann Ring"]
    assert (entry.load_id, entry.record_id) == (run.pk, ann.pk)
    back = undo(system(), run.pk)
    assert state() == before
    assert back.undo["restored"] == 2


def test_undo_leaves_what_was_changed_since(tmp_path: Path) -> None:
    load("customers", write(tmp_path, PEOPLE), region="DE")
    run = load("customers", write(tmp_path, PEOPLE.replace("Ann Bell", "Ann Ring")), region="DE")
    Customer.objects.filter(name="Ann Ring").update(name="Ann King")
    back = undo(system(), run.pk)
    assert person("1").name == "Ann King"
    assert back.undo["left"] == 1


def test_undo_takes_a_value_back_through_all_that_one_run_made_of_it(tmp_path: Path) -> None:
    """Three rows of the file are one customer here, and two of them say the same."""
    three = PEOPLE + "3,Cy,cy@x.org,,,,\n"
    load("customers", write(tmp_path, three), region="DE")
    for key in "23":
        merge(system(), person("1"), person(key))
    top = person("3")
    said = three.replace("Ann Bell", "Di").replace("Bob Hill", "Eve").replace("3,Cy", "3,Di")
    run = load("customers", write(tmp_path, said), region="DE")
    brought = AuditEntry.objects.filter(load=run, record_type="customer", record_id=top.pk).order_by("pk")
    assert [entry.changes["name"] for entry in brought] == [
        ["Cy", "Di"],
        ["Di", "Eve"],
        ["Eve", "Di"],
    ]
    back = undo(system(), run.pk)
    assert (person("3").name, back.undo["left"]) == ("Cy", 0)
    taken = AuditEntry.objects.filter(verb="customer.restored", record_id=top.pk).order_by("pk")
    assert [entry.changes["name"] for entry in taken] == [["Di", "Eve"], ["Eve", "Di"], ["Di", "Cy"]]


def test_a_value_picked_at_a_merge_goes_with_the_import_that_brought_it(tmp_path: Path) -> None:
    load("customers", write(tmp_path, PEOPLE), region="DE")
    one, other = person("1"), person("2")
    was = (one.name, other.name)
    run = load("customers", write(tmp_path, PEOPLE.replace(was[1], "Bob Ring")), region="DE")
    edge = merge(system(), other, one, fields={"name": other})
    again = create_customer(system(), name="Di")
    top = merge(system(), one, again, fields={"name": one})
    assert person("1").name == Customer.objects.get(pk=again.pk).name == "Bob Ring"
    undo(system(), run.pk)
    assert {person("1").name, person("2").name, Customer.objects.get(pk=again.pk).name} == {was[1]}
    unmerge(system(), edge.pk)
    unmerge(system(), top.pk)
    assert (person("1").name, person("2").name, Customer.objects.get(pk=again.pk).name) == (*was, "Di")


def test_known_customers_may_be_left_alone(tmp_path: Path) -> None:
    load("customers", write(tmp_path, PEOPLE), region="DE")
    run = load("customers", write(tmp_path, PEOPLE.replace("Ann Bell", "Ann Ring")), region="DE", on_match="skip")
    assert run.counts["customers_skipped"] == 2
    assert person("1").name == "Ann Bell"


def test_customers_are_recognised_by_e_mail_and_gain_identifiers(tmp_path: Path) -> None:
    load("customers", write(tmp_path, "email,name\nann@bell.org,Ann\n"))
    load("customers", write(tmp_path, "email,card\nANN@bell.org,77 88\n"))
    assert Customer.objects.count() == 1
    assert set(Identifier.objects.values_list("kind", "value")) == {("email", "ann@bell.org"), ("card", "7788")}


def test_a_row_that_points_to_two_customers_is_refused(tmp_path: Path) -> None:
    load("customers", write(tmp_path, PEOPLE), region="DE")
    run = load("customers", write(tmp_path, "external_id,email\n1,bob@hill.org\n4,dee@x.org\n"))
    assert [(row["line"], row["value"]) for row in rejects(run)] == [("2", "bob@hill.org")]


def test_rows_without_any_identifier_are_refused(tmp_path: Path) -> None:
    run = load("customers", write(tmp_path, "external_id,name\n,Nobody\n1,Ann\n"))
    assert [row["line"] for row in rejects(run)] == ["2"]
    with pytest.raises(InputError, match="map one of external_id"):
        load("customers", write(tmp_path, "name\nAnn\n"))


def test_a_customer_of_an_undone_run_is_revived_not_doubled(tmp_path: Path) -> None:
    run = load("customers", write(tmp_path, PEOPLE), region="DE")
    ann = person("1").pk
    undo(system(), run.pk)
    load("customers", write(tmp_path, "external_id,name\n1,Ann Again\n"))
    assert person("1").pk == ann
    seen = state()
    assert [row[1] for row in seen["customers"]] == ["Ann Again"]
    assert [row[2] for row in seen["identifiers"]] == ["1"]  # what the undone run said of her is gone
    assert Identifier.objects.filter(customer=ann).count() == 1 and seen["addresses"] == []


def test_attributes_are_typed_and_defined(tmp_path: Path) -> None:
    text = "external_id,income,children,joined,vip\n1,Under 15K,2,2016-05-01,yes\n2,250K+,,2016-06-01,no\n"
    path = write(tmp_path, text)
    mapping = {
        "external_id": "external_id",
        "attribute:income": "income",
        "attribute:children": "children",
        "attribute:joined": "joined",
        "attribute:vip": "vip",
    }
    with pytest.raises(InputError, match=r"no field 'attribute:income'.*external_id"):
        load("customers", path, mapping)
    define = {
        "income": ("choice", "demographic"),
        "children": ("number", "demographic"),
        "joined": ("date", "behavioural"),
        "vip": ("boolean", "behavioural"),
    }
    load("customers", path, mapping, define=define)
    assert [c["value"] for c in AttributeDefinition.objects.get(key="income").choices] == ["250K+", "Under 15K"]
    values = AttributeValue.objects.filter(customer=person("1"))
    assert values.get(definition__key="income").text == "Under 15K"
    assert values.get(definition__key="children").number == 2
    assert values.get(definition__key="joined").day == date(2016, 5, 1)
    assert values.get(definition__key="vip").number == 1
    run = load(
        "customers",
        write(tmp_path, "external_id,income\n1,250K+\n2,Lots\n"),
        {**{"external_id": "external_id"}, "attribute:income": "income"},
    )
    assert values.get(definition__key="income").text == "250K+"
    assert [row["value"] for row in rejects(run)] == ["Lots"]
    with pytest.raises(InputError, match="the type is one of"):
        load("customers", path, mapping, define={"income": ("colour", "demographic")})


def test_products_come_with_category_paths_and_describe_placeholders(tmp_path: Path) -> None:
    load("orders", write(tmp_path, ORDERS))
    text = (
        "number,name,category,category_2,own_label,price,brand\n"
        "p1,Milk,Food > Dairy,Fresh,yes,1.29,Farm\np9,Nail,Tools,,no,,\n"
    )
    run = load("products", write(tmp_path, text))
    milk = Product.objects.get(number="p1")
    assert milk.category is not None
    assert (milk.name, milk.category.path, milk.own_label, milk.price, milk.currency, milk.is_placeholder) == (
        "Milk",
        "Food > Dairy > Fresh",
        True,
        129,
        "USD",
        False,
    )
    assert milk.category.parent == Category.objects.get(path="Food > Dairy")
    assert (run.counts["products_created"], run.counts["products_updated"]) == (1, 1)
    undo(system(), run.pk)
    milk.refresh_from_db()
    assert (milk.name, milk.category_id, milk.price, milk.is_placeholder) == ("", None, None, True)
    assert [row[0] for row in state()["products"]] == ["p1", "p2", "p3"]


def test_contacts_answer_each_other_also_within_one_file_and_out_of_order(tmp_path: Path) -> None:
    text = (
        "customer,kind,occurred_at,message_id,answers,title,amount\n"
        "h1,redemption,2017-02-02 10:00:00,m3,m2,Third,1.50\n"
        "h1,call_in,2017-02-01 10:00:00,m2,m1,Second,\n"
        "h1,email_out,2017-01-01 10:00:00,m1,,First,\n"
        "h1,note,2017-01-01 10:00:00,m4,gone,Lost,\n"
    )
    run = load("interactions", write(tmp_path, text), time_zone="UTC")
    third = Interaction.objects.get(message_id="m3")
    assert third.in_response_to is not None
    assert third.in_response_to.message_id == "m2"
    assert third.in_response_to.in_response_to == Interaction.objects.get(message_id="m1")
    assert (third.amount, third.currency, third.occurred_at) == (150, "USD", datetime(2017, 2, 2, 10, tzinfo=UTC))
    first = Interaction.objects.get(message_id="m1")
    assert (first.channel, first.direction, first.initiative, first.medium) == ("email", "outbound", "push", "owned")
    assert run.counts["answers_to_unknown"] == 1
    again = load("interactions", write(tmp_path, text + "h2,note,2017-03-01,m5,m3,New,\n"), time_zone="UTC")
    assert (again.counts["interactions_created"], again.counts["interactions_skipped"]) == (1, 4)
    assert Interaction.objects.get(message_id="m5").in_response_to == third


def test_contacts_that_answer_each_other_in_a_ring_come_in_without_the_links(tmp_path: Path) -> None:
    text = "customer,kind,occurred_at,message_id,answers\nh1,note,2017-01-01,a,b\nh1,note,2017-01-02,b,a\n"
    load("interactions", write(tmp_path, text))
    assert Interaction.objects.filter(in_response_to__isnull=True).count() == 2


def test_contacts_without_message_id_come_in_once(tmp_path: Path) -> None:
    text = "customer,kind,occurred_at,title\nh1,note,2017-01-01,Hello\nh1,note,2017-01-01,Hello\n"
    load("interactions", write(tmp_path, text))
    assert Interaction.objects.count() == 2
    run = load("interactions", write(tmp_path, text + "h1,note,2017-01-02,Hello\n"))
    assert run.counts["interactions_skipped"] == 2
    assert Interaction.objects.count() == 3


def test_unknown_kinds_of_contact_are_refused_with_those_there_are(tmp_path: Path) -> None:
    run = load(
        "interactions", write(tmp_path, "customer,kind,occurred_at\nh1,telepathy,2017-01-01\nh1,note,2017-01-01\n")
    )
    assert "redemption" in rejects(run)[0]["reason"]


CAMPAIGNS = "number,type,starts_on,ends_on\n8,A,2017-05-08,2017-06-25\n9,B,2017-05-31,2017-05-30\n"


def test_campaigns_and_exposures_write_ledger_and_chain(tmp_path: Path) -> None:
    run = load("campaigns", write(tmp_path, CAMPAIGNS))
    assert [row["line"] for row in rejects(run)] == ["3"], "it ends before it starts"
    assert Campaign.objects.get().name == "Campaign 8"
    text = "campaign,customer\n8,h1\n8,h2\n8,h1\n99,h1\n"
    run = load("exposures", write(tmp_path, text))
    assert [(row["line"], row["column"]) for row in rejects(run)] == [("4", "customer"), ("5", "campaign")]
    exposure = Exposure.objects.get(customer=person("h1"))
    contact = exposure.interaction
    assert contact is not None
    assert (exposure.sent_on, exposure.arm, contact.business_date) == (date(2017, 5, 8), "treated", date(2017, 5, 8))
    assert (contact.kind, contact.channel, contact.message_id) == ("campaign_mail", "mail", "exposure:8:h1")
    assert contact.occurred_at == datetime(2017, 5, 8, 4, tzinfo=UTC), "midnight in New York"
    assert contact.details == {"campaign": exposure.campaign_id}
    again = load("exposures", write(tmp_path, text + "8,h3\n"))
    assert (again.counts["exposures_created"], again.counts["exposures_skipped"]) == (1, 2)
    answer = "customer,kind,occurred_at,message_id,answers\nh1,redemption,2017-05-10,r1,exposure:8:h1\n"
    load("interactions", write(tmp_path, answer))
    assert standing().get(message_id="r1").in_response_to == contact


def test_a_campaign_of_an_undone_run_is_kept_while_exposures_need_it(tmp_path: Path) -> None:
    first = load("campaigns", write(tmp_path, CAMPAIGNS))
    second = load("exposures", write(tmp_path, "campaign,customer\n8,h1\n"))
    back = undo(system(), first.pk)
    assert back.undo["kept"] == {"campaigns": 1}
    undo(system(), second.pk)
    assert state()["exposures"] == []
    load("campaigns", write(tmp_path, CAMPAIGNS.replace(",A,", ",C,")))
    assert Campaign.objects.get().type == "C"


def test_a_contact_says_what_it_is_about_and_undo_takes_it_back(tmp_path: Path) -> None:
    load("customers", write(tmp_path, PEOPLE), region="DE")
    load("products", write(tmp_path, "number,name,category\np1,Mocca,FOOD > COFFEE\np2,Leaf,FOOD > TEA\n"))
    rows = """customer,kind,occurred_at,category,product
1,product_view,2024-01-05 10:00,,p1
1,comparison,2024-01-06 10:00,FOOD>TEA,
2,enquiry,2024-01-07 10:00,COFFEE,
2,web_visit,2024-01-08 10:00,,
2,basket,2024-01-09 10:00,CHEESE,
2,basket,2024-01-09 10:00,,p9
"""
    run = load("interactions", write(tmp_path, rows))
    told = About.objects.order_by("interaction__occurred_at").values_list(
        "interaction__kind", "category__path", "product__number"
    )
    assert list(told) == [
        ("product_view", None, "p1"),
        ("comparison", "FOOD > TEA", None),
        ("enquiry", "FOOD > COFFEE", None),
    ]
    assert (run.counts["interactions_created"], run.counts["rows_rejected"]) == (4, 2)
    assert {(row["category"], row["product"]) for row in rejects(run)} == {("CHEESE", ""), ("", "p9")}
    assert run.spans["interactions_about"]
    again = load("interactions", write(tmp_path, rows.replace("basket", "support")))
    assert again.counts.get("interactions_created", 0) == 0
