"""What campaigns show on the customer page and at home."""

from datetime import date

import pytest
from django.test import RequestFactory

from rondo.analysis.models import Run
from rondo.campaigns import panels
from rondo.campaigns.models import Campaign
from rondo.campaigns.tests.conftest import Ledger
from rondo.foundation.models import User
from rondo.foundation.reading import Reading

pytestmark = pytest.mark.django_db


def at_home(user: User) -> list[Campaign]:
    request = RequestFactory().get("/")
    request.user = user
    found = panels.on_home(request)
    return [] if found is None else [campaign for campaign, _response in found["campaigns"]]


def test_home_shows_what_ended_last_and_what_outlives_the_data_after_it(ledger: Ledger, alice: User) -> None:
    spring = ledger.campaign("1")
    summer = ledger.campaign("2", ends_on="2017-06-30")
    ledger.campaign("never sent", ends_on="2017-12-31")
    for campaign in (spring, summer):
        ledger.contact(campaign, ledger.customer())
    assert at_home(alice) == [summer, spring]
    Run.objects.create(as_of=date(2017, 4, 30), status="done", is_current=True)
    assert at_home(alice) == [spring, summer]


def test_home_shows_only_what_the_viewers_customers_received(
    ledger: Ledger, alice: User, bob: User, charlie: User
) -> None:
    spring = ledger.campaign("1")
    ledger.contact(spring, ledger.customer(owner=charlie))
    assert [at_home(viewer) for viewer in (alice, bob, charlie)] == [[spring], [], [spring]]


def test_a_customer_without_campaigns_has_no_panel(ledger: Ledger, alice: User) -> None:
    row = ledger.customer()
    assert panels.of_customer(alice, Reading([row.pk])) is None
    ledger.answer(ledger.contact(ledger.campaign("1"), row))
    found = panels.of_customer(alice, Reading([row.pk]))
    assert found is not None and found["answered"] == len(found["received"]) == 1
