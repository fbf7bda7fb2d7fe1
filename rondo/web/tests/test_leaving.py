"""Reasons for leaving: logged on the page of a customer, counted on Loyalty, and each number opens who gave it."""

from datetime import date
from typing import Any

import pytest

from rondo.analysis.actions import run_analysis
from rondo.analysis.tests.world import customer, purchases
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.models import Installation

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
