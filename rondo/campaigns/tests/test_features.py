"""The feature table says what was known on a day, and nothing that came after it."""

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rondo.analysis.facts import past
from rondo.analysis.features import feature_of, names
from rondo.analysis.features.table import Known, read, restricted
from rondo.analysis.tests.world import START, customer, product, purchase, seeded_base
from rondo.campaigns.models import Campaign, Exposure
from rondo.customers.models import Customer
from rondo.foundation.registry import registries
from rondo.interactions.models import Interaction
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables
from rondo.warehouse.tests.world import source

pytestmark = pytest.mark.django_db

DOCUMENT = Path(__file__).parents[3] / "docs" / "features.md"


@pytest.fixture(autouse=True)
def warehouse(settings: Any, tmp_path: Path) -> Path:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    return tmp_path / "warehouse"


def known(as_of: date, only: list[Customer] | None = None) -> Known:
    refresh()
    with open_tables() as tables:
        then = past(tables, as_of, "EUR")
        if only is not None:
            some = tables.customers.filter(tables.customers.id.isin([one.pk for one in only]))
            then = restricted(then, some.select(chosen="id"))
        return read(tables, then)


def contact(who: Customer, campaign: Campaign, day: date, answers: list[date]) -> None:
    """A campaign sent to a customer, and the answers to it."""

    def touch(on: date, direction: str, kind: str, to: Interaction | None = None) -> Interaction:
        return Interaction.objects.create(
            customer=who, kind=kind, channel="mail", direction=direction, initiative="push", medium="owned",
            occurred_at=datetime.combine(on, time(12), UTC), business_date=on, in_response_to=to,
        )  # fmt: skip

    sent = touch(day, "outbound", "campaign_mail")
    Exposure.objects.create(campaign=campaign, customer=who, sent_on=day, interaction=sent)
    for on in answers:
        touch(on, "inbound", "redemption", sent)


def campaign(number: str, starts: date) -> Campaign:
    return Campaign.objects.create(
        source=source(), number=number, name=f"Campaign {number}", type="A", starts_on=starts, ends_on=starts
    )


def test_each_feature_of_a_worked_customer() -> None:
    """The worked table of docs/features.md, which names every feature in its order."""
    ann, bob, cem = customer("Ann"), customer("Bob"), customer("Cem")
    tea, own = product("tea", "Drinks > Tea", own_label=False), product("own", "Drinks > Tea", own_label=True)
    bread = product("rye", "Food > Bread")
    purchase(ann, "2024-01-10", 1000, lines=[(tea, 600, 100), (own, 400, 0)])
    order = purchase(ann, "2024-03-21", 500, lines=[(own, 300, 0), (bread, 200, 0)], store="S2")
    order.lines.filter(product=bread).update(coupon_discount=50, match_discount=20)
    purchase(bob, "2024-03-31", 300)
    first = campaign("1", date(2023, 11, 1))
    contact(ann, first, date(2023, 11, 2), [date(2023, 11, 5), date(2024, 3, 1)])
    contact(ann, campaign("2", date(2024, 3, 1)), date(2024, 3, 1), [])
    found = known(date(2024, 3, 31))
    assert found.customers.tolist() == [ann.pk, bob.pk, cem.pk]
    told = dict(zip(found.features.names, found.features.values[0].tolist(), strict=True))
    rows = re.findall(r"^\| `(\w+)` \| .* \| ([\d.]+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name, _value in rows] == list(names())
    assert told == pytest.approx({name: float(value) for name, value in rows}, abs=5e-5)
    nobody = dict(zip(found.features.names, found.features.values[2].tolist(), strict=True))
    unknown = {name for name, value in nobody.items() if np.isnan(value)}
    assert unknown == {"recency_days", "known_days", "basket", "own_label_share", "discount_share"}
    assert {value for name, value in nobody.items() if name not in unknown} == {0.0}


def test_nothing_after_the_day_is_read() -> None:
    """Everything after the day is changed: the table stays as it was, to the last digit."""
    people = seeded_base(customers=20, days=200)
    old = campaign("1", START)
    for one in people[:8]:
        contact(one, old, START + timedelta(days=30), [START + timedelta(days=40)])
    day = START + timedelta(days=120)
    before = known(day)
    Interaction.objects.filter(business_date__gt=day, kind="purchase").update(business_date=date(2030, 1, 1))
    for number, one in enumerate(people):
        purchase(one, day + timedelta(days=1), 99_900 + number, store="new", lines=[(product("gold", "X > Y"), 9, 9)])
        contact(one, old if number > 8 else campaign(f"n{number}", day), day + timedelta(days=2), [date(2031, 1, 1)])
    sent = Exposure.objects.filter(customer=people[0], campaign=old).get().interaction
    Interaction.objects.create(
        customer=people[0], kind="redemption", channel="store", direction="inbound", initiative="pull", medium="owned",
        occurred_at=datetime(2030, 1, 1, tzinfo=UTC), business_date=date(2030, 1, 1), in_response_to=sent,
    )  # fmt: skip
    after = known(day)
    assert after.fingerprint == before.fingerprint
    np.testing.assert_array_equal(after.features.values, before.features.values)
    assert known(day + timedelta(days=3)).fingerprint != before.fingerprint


def test_a_part_of_the_customers_has_the_same_rows() -> None:
    people = seeded_base(customers=12, days=100)
    whole, part = known(date(2023, 4, 1)), known(date(2023, 4, 1), people[3:7])
    assert part.customers.tolist() == [one.pk for one in people[3:7]]
    np.testing.assert_array_equal(part.features.values, whole.features.values[whole.mask(part.customers)])


def test_every_feature_is_registered_with_its_words() -> None:
    assert len(set(names())) == len(names()) and set(registries.features.keys()) == {"buying", "taste", "campaigns"}
    for name in names():
        feature = feature_of(name)
        assert feature is not None and feature.more != feature.less and str(feature.label)
    assert feature_of("no such") is None


def test_places_of_customers_leave_out_who_is_not_in_the_table() -> None:
    people = seeded_base(customers=6, days=60)
    table = known(date(2023, 3, 1))
    wanted = np.array([people[1].pk, people[4].pk, people[5].pk + 1000])
    assert table.customers[table.places(wanted)].tolist() == [people[1].pk, people[4].pk]
    assert table.mask(wanted).sum() == 2
