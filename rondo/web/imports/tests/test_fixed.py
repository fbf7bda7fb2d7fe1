"""What the form says for all rows at once: tags, values of other fields, which identifiers may match."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from rondo.customers import actions
from rondo.customers.attribute_values import unpack
from rondo.customers.models import AttributeValue, Consent, Customer, Identifier
from rondo.customers.queries import visible
from rondo.foundation.actors import system
from rondo.foundation.models import User
from rondo.interactions.importing.choosing import report_of
from rondo.interactions.importing.foretold import Report
from rondo.interactions.models import ImportMapping
from rondo.web.imports.tests.test_pages import form_of, imported, tried, upload

PEOPLE = "Kundennr;Name;E-Mail\n1;Ada King;ada@example.org\n2;Ben Low;ben@example.org\n"
OTHERS = "Kundennr;Name;E-Mail\n1;Ada King;ada@example.org\n9;Cleo May;ben@example.org\n"
CHOICES = [{"value": "vip", "en": "VIP"}, {"value": "fair", "en": "Fair"}]


@pytest.fixture(autouse=True)
def own_home(settings: Any, tmp_path: Path) -> Path:
    settings.RONDO_HOME = tmp_path
    return tmp_path


@pytest.fixture
def client(alice: User, signed_in: Callable[[User], Client]) -> Client:
    actions.define_attribute(system(), "tags", label_en="Tags", type="multi", form="behavioural", choices=CHOICES)
    return signed_in(alice)


def tags_of() -> dict[str, list[str]]:
    rows = AttributeValue.objects.filter(customer__in=visible(None)).select_related("customer")
    return {row.customer.name: unpack(row.text) for row in rows}


def test_tags_for_all_rows_come_to_those_that_a_customer_has(client: Client) -> None:
    imported(client, tried(client, upload(client, PEOPLE)))
    ada = Customer.objects.get(name="Ada King")
    actions.set_attribute(system(), ada, "tags", ["vip"])
    row = upload(client, PEOPLE + "3;Cleo May;\n", "fair.csv")
    assert 'name="tags_tags" value="fair"' in client.get(f"/imports/files/{row.public_id}/").content.decode()
    row = tried(client, row, tags_tags="fair")
    page = client.get(f"/imports/files/{row.public_id}/").content.decode()
    assert "<del>vip</del> → <ins>vip, fair</ins>" in page
    load = imported(client, row)
    assert tags_of() == {"Ada King": ["vip", "fair"], "Ben Low": ["fair"], "Cleo May": ["fair"]}
    assert ImportMapping.objects.get().choice["constants"] == {}, "tags are said of one file"
    assert "Tags: fair" in client.get(f"/imports/runs/{load.pk}/").content.decode()
    client.post(f"/imports/runs/{load.pk}/undo")
    assert tags_of()["Ada King"] == ["vip"]


def test_a_value_for_all_rows_stands_for_a_column(client: Client) -> None:
    imported(client, tried(client, upload(client, PEOPLE)))
    text = "customer;state;at\n1;given;2024-04-03 10:00\n2;given;2024-04-03 10:00\n"
    row = upload(client, text, "consents.csv")
    form = form_of(row, fixed_field_0="channel", fixed_value_0="sms", fixed_field_1="", fixed_value_1="")
    assert client.post(f"/imports/files/{row.public_id}/", form | {"fixed_value_0": ""}).status_code == 422
    twice = client.post(f"/imports/files/{row.public_id}/", form | {"fixed_field_0": "state"})
    assert twice.status_code == 422 and "given by a column and by one value" in twice.content.decode()
    imported(client, tried(client, row, **form))
    assert list(Consent.objects.values_list("channel", flat=True)) == ["sms", "sms"]
    assert ImportMapping.objects.get(kind="consents").choice["constants"] == {"channel": "sms"}


def test_only_ticked_identifiers_tell_who_a_row_is(client: Client, alice: User) -> None:
    imported(client, tried(client, upload(client, PEOPLE)))
    row = tried(client, upload(client, OTHERS))
    assert row.trial["outcomes"]["update"] == 1, "Ben is known by his e-mail address"
    row = upload(client, OTHERS)
    none = client.post(f"/imports/files/{row.public_id}/", form_of(row, matching="1"))
    assert none.status_code == 422 and "Tick at least one" in none.content.decode()
    row = tried(client, row, matching="1", match_by="external")
    ada, cleo = Report(report_of(row), alice, "customers").read()
    assert (ada.outcome, ada.why) == ("keep", "known by external")
    assert cleo.outcome == "refuse" and "may not tell who a row is" in cleo.why
    imported(client, row)
    assert sorted(visible(None).values_list("name", flat=True)) == ["Ada King", "Ben Low"]


def test_the_command_names_identifiers_that_may_match(client: Client, tmp_path: Path) -> None:
    imported(client, tried(client, upload(client, PEOPLE)))
    path = tmp_path / "more.csv"
    path.write_text("external_id,name,email\n9,Cleo May,ben@example.org\n10,Dora Alt,dora@example.org\n")
    call_command("import", "customers", str(path), "--source", "shop", "--match-by", "external")
    assert sorted(visible(None).values_list("name", flat=True)) == ["Ada King", "Ben Low", "Dora Alt"]
    assert not Identifier.objects.filter(value="9").exists()
