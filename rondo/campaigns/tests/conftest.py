"""A small ledger made by hand, whose rates can be counted on fingers."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from rondo.campaigns.models import Campaign, Exposure
from rondo.customers.models import Customer, Merge, Source, Survivor
from rondo.foundation.models import Installation
from rondo.interactions.models import Interaction

START = datetime(2017, 3, 1, 17, 0, tzinfo=UTC)


@dataclass
class Ledger:
    """Makes campaigns, contacts and reactions straight into the tables: the room only reads."""

    source: Source

    def campaign(self, number: str, kind: str = "Type A", **fields: object) -> Campaign:
        """A campaign of March 2017."""
        given = {"name": f"Campaign {number}", "starts_on": "2017-03-01", "ends_on": "2017-03-31"}
        made = Campaign.objects.create(source=self.source, number=number, type=kind, **(given | fields))
        made.refresh_from_db()
        return made

    def customer(self, name: str = "Miller household", **fields: object) -> Customer:
        """A household."""
        return Customer.objects.create(kind="household", name=name, **fields)

    def contact(self, campaign: Campaign, customer: Customer, **fields: object) -> Exposure:
        """One line of the ledger, with its outbound interaction."""
        sent = self.interaction(customer, "campaign_mail", 1, direction="outbound", initiative="push")
        given = {"sent_on": sent.business_date, "interaction": sent}
        return Exposure.objects.create(campaign=campaign, customer=customer, **(given | fields))

    def answer(self, line: Exposure, day: int = 10, **fields: object) -> Interaction:
        """A redemption that answers a contact, on a day of March."""
        assert line.customer is not None
        return self.interaction(line.customer, "redemption", day, **({"in_response_to": line.interaction} | fields))

    def interaction(self, customer: Customer, kind: str, day: int, **fields: object) -> Interaction:
        """An inbound interaction unless told otherwise."""
        at = START.replace(day=day)
        given = {"channel": "store", "direction": "inbound", "initiative": "pull", "medium": "owned"}
        return Interaction.objects.create(
            customer=customer, kind=kind, occurred_at=at, business_date=at.date(), **(given | fields)
        )

    def merge(self, loser: Customer, winner: Customer) -> None:
        """Loser points to winner from now on."""
        Merge.objects.create(loser=loser, winner=winner)
        Survivor.objects.create(customer=loser, survivor=winner)
        Customer.objects.filter(pk=loser.pk).update(is_merged=True)


@pytest.fixture
def ledger(installation: Installation) -> Ledger:
    return Ledger(Source.objects.create(name="till"))
