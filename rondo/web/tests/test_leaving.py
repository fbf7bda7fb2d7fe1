"""Reasons for leaving: logged on the page of a customer, counted on Loyalty, and each number opens who gave it."""

from datetime import date
from typing import Any

import pytest

from rondo.analysis.actions import run_analysis
from rondo.analysis.tests.world import customer, purchases
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.models import AuditEntry, Installation
from rondo.interactions.importing import run_import
from rondo.interactions.models import LeavingReason
from rondo.interactions.reasons import words

pytestmark = pytest.mark.django_db


def test_reasons_are_logged_counted_and_opened(
    signed_in: Any, alice: Any, charlie: Any, installation: Any, settings: Any, tmp_path: Any
) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")
    people = [customer(name) for name in ("Ann", "Bob", "Cem", "Dan")]
    purchases((one, date(2024, 1, 7 + turn), 1000) for one in people for turn in range(20))
    Customer.objects.filter(pk=people[0].pk).update(owner=charlie)
    client = signed_in(alice)
    said = [
        (0, "cancellation", "product.price", "2024-01-20"),
        (1, "notice", "product.price", "2024-01-21"),
        (1, "cancellation", "competitor", "2024-01-23"),
        (2, "notice", "", "2024-01-24"),
        (3, "notice", "brand.trust", "2024-03-01"),  # after the last day of the data
    ]
    for place, kind, reason, day in said:
        sent = {"kind": "note", "other": kind, "body": "said", "reason": reason, "occurred_at": f"{day}T10:00"}
        assert client.post(f"/customers/{people[place].public_id}/log", sent).status_code == 302
    assert (
        "Service or product: price against value" in client.get(f"/customers/{people[0].public_id}/").content.decode()
    )
    run_analysis(system())
    found = client.get("/loyalty/").context
    assert (found["left"].cancelled, found["left"].noticed, found["left"].customers) == (2, 2, 3)
    assert [(row["label"], row["customers"]) for row in found["reasons"]] == [
        ("Service or product: price against value", 2),
        ("Competitor", 1),
        ("No reason given", 1),
    ]
    assert not any("No cancellations" in str(text) for text in found["missing"])
    told = [(row["url"], row["customers"]) for row in found["reasons"]]
    told += [(found["left_urls"]["cancellation"], 2), (found["left_urls"]["notice"], 2)]
    for url, number in told:
        assert len(client.get(url).context["rows"]) == number, url
    why = client.get(f"/customers/{people[0].public_id}/").context["worth"].standing[0]
    assert "gave notice" in client.get(f"/customers/{people[2].public_id}/").context["worth"].standing[0]
    assert "20 Jan 2024" not in why  # bought since: the cancellation stands no longer
    own = signed_in(charlie).get("/loyalty/").context
    assert [(row["label"], row["customers"]) for row in own["reasons"]] == [
        ("Service or product: price against value", 1)
    ]


def test_a_company_has_its_own_reasons(signed_in: Any, alice: Any, bob: Any, installation: Any, tmp_path: Any) -> None:
    client, page = signed_in(alice), "/loyalty/reasons/"
    ann = Customer.objects.create(name="Ann")
    where = f"/customers/{ann.public_id}/"
    assert signed_in(bob).get(page).status_code == 403
    new = {"group": "product", "label_en": "No parking at the store", "label_de": "Kein Parkplatz am Laden"}
    assert client.post(page, new).status_code == 302
    assert client.post(page, new | {"label_en": "no PARKING at the store"}).status_code == 422
    own = LeavingReason.objects.get()
    assert (own.key, own.group) == ("no_parking_at_th", "product")
    assert f'value="product.{own.key}"' in client.get(where).content.decode()
    sent = {"kind": "note", "other": "cancellation", "body": "said", "reason": f"product.{own.key}"}
    assert client.post(f"{where}log", sent).status_code == 302
    file = tmp_path / "left.csv"
    file.write_text(f"customer,kind,occurred_at,sub_reason\n7,notice,2024-01-08,{own.key}\n8,notice,2024-01-08,bored\n")
    run = run_import(system("import"), "interactions", file)
    assert (run.counts["interactions_created"], run.counts["rows_rejected"]) == (1, 1)
    # Called otherwise, and offered no longer: contacts and rules keep it, and so do words that were given before.
    renamed = {"label_en": "Parking", "label_de": ""}
    assert client.post(f"{page}{own.key}/", renamed).status_code == 302
    shown = client.get(where).content.decode()
    assert "Service or product: Parking" in shown and f"product.{own.key}" not in shown
    listed = client.get("/customers/", {"rule": f"did cancellation where sub_reason = {own.key}"}).context["rows"]
    assert [row.customer.pk for row in listed] == [ann.pk]
    # Each change is undone from what its entry tells; what somebody gave is not deleted.
    changed, added = AuditEntry.objects.filter(record_type="leaving_reason").order_by("-pk")[:2]
    assert client.post(f"{page}back/{changed.pk}").status_code == 302
    assert f'value="product.{own.key}"' in client.get(where).content.decode()
    assert client.post(f"{page}back/{changed.pk}").status_code == 409
    assert client.post(f"{page}back/{added.pk}").status_code == 409
    # A reason of the program is called otherwise in the same way, and its German name is there to be changed.
    assert client.get(f"{page}price/").context["form"].initial["label_de"] == "Preis im Verhältnis zum Wert"
    assert client.post(f"{page}price/", {"label_en": "price", "is_offered": "on"}).status_code == 302
    assert words("product", "price") == "Service or product: price"
    assert client.post(f"{page}moved/", {"label_en": "Price", "is_offered": "on"}).status_code == 422
    assert client.get(f"{page}none/").status_code == 404
