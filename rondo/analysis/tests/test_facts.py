"""Each fact is what docs/facts.md says, knows nothing of later days, and has its column and its entry."""

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from rondo.analysis.bonds import FACTS as BONDS
from rondo.analysis.buying_stages.working import read as buying_signals
from rondo.analysis.changing import FACTS
from rondo.analysis.circles import FACTS as CIRCLES
from rondo.analysis.facts import MODELLED, fact_table, past
from rondo.analysis.features.table import read as features
from rondo.analysis.fingerprints import data_fingerprint
from rondo.analysis.leads.reading import read_leads, read_people
from rondo.analysis.models import Score
from rondo.analysis.reserved_values import read_reserved
from rondo.analysis.rfm import SCORES
from rondo.analysis.signs import read_signs
from rondo.analysis.standing import FACTS as STANDING
from rondo.analysis.summary import totals
from rondo.campaigns.models import Campaign, Exposure
from rondo.campaigns.queries import responses
from rondo.customers.models import Customer
from rondo.foundation.registry import registries
from rondo.interactions.models import About, Interaction, OrderLine, Retraction
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables
from rondo.warehouse.tests.world import customer, product, purchase, source

AS_OF = date(2024, 3, 31)


def facts(as_of: date = AS_OF) -> dict[int, dict[str, Any]]:
    refresh()
    with open_tables() as tables:
        rows = tables.arrow(fact_table(past(tables, as_of, "EUR"))).to_pylist()
    return {row["customer_id"]: row for row in rows}


def contact(who: Customer, day: str, **fields: Any) -> Interaction:
    given: dict[str, Any] = {"kind": "mail", "direction": "outbound", "initiative": "push", "medium": "owned"}
    return Interaction.objects.create(
        customer=who, channel="mail", occurred_at=f"{day}T10:00:00Z", business_date=day, **given | fields
    )


@pytest.mark.django_db
def test_every_fact_has_one_column_and_one_entry() -> None:
    keys = set(registries.facts.keys())
    assert keys == {field.column for field in Score._meta.concrete_fields} - {"customer_id"}
    text = (Path(__file__).parents[3] / "docs" / "facts.md").read_text(encoding="utf-8")
    entries = {
        key: (label, meaning, unit)
        for key, label, meaning, unit in re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \| (.+) \|$", text, re.MULTILINE)
    }
    assert entries == {f.key: (str(f.label), str(f.definition), str(f.unit)) for f in registries.facts}
    customer()
    computed = set(next(iter(facts().values()))) - {"customer_id"}
    assert (
        computed
        | set(MODELLED)
        | set(SCORES)
        | set(FACTS)
        | set(STANDING)
        | {*BONDS, "attachment", "at_stake", *CIRCLES}
        == keys
    )


@pytest.mark.django_db
def test_the_worked_table_of_the_document() -> None:
    bought = {
        "Ann": ["2024-03-01", "2024-03-11", "2024-03-21"],
        "Bob": ["2024-03-01", "2024-03-11", "2024-03-15"],
        "Cem": ["2024-01-01", "2024-02-01"],
        "Dan": [],
    }
    people = {name: customer(name) for name in bought}
    for name, days in bought.items():
        for day in days:
            purchase(people[name], day)
    found = facts()
    text = (Path(__file__).parents[3] / "docs" / "facts.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (\w+) \| [^|]+ \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| (\w+) \|$", text, re.MULTILINE
    )
    assert [row[0] for row in rows if row[0] in people] == list(people)
    for name, _gaps, longest, since, overdue, activity in (row for row in rows if row[0] in people):
        row = found[people[name].pk]
        assert row["activity"] == activity
        if since == "none":
            assert row["recency_days"] is None and row["overdue"] is None and row["purchase_days"] == 0
            continue
        assert row["recency_days"] == int(since)
        assert f"{row['overdue']:.2f}" == overdue
        base = row["recency_days"] / row["overdue"]
        assert f"{base:.1f}" == longest.split()[0]
        assert (row["gap_q90_days"] is None) == ("base" in longest)


@pytest.mark.django_db
def test_what_and_how_much_somebody_buys() -> None:
    ann = customer("Ann")
    bread, cake = product("bread", "Food > Bakery > Bread", own_label=True), product("cake", "Food > Bakery > Cake")
    milk, tea = product("milk", "Food > Dairy", own_label=False), product("tea", "Drinks")
    purchase(ann, "2023-01-01", 300, lines=[(bread, 300, 100)], store="S1")
    purchase(ann, "2024-03-01", 500, lines=[(cake, 200, 0), (milk, 300, 100)], store="S2")
    purchase(ann, "2024-03-01", 400, lines=[(tea, 400, 0)], store="S2")
    purchase(ann, "2024-03-02", 0, lines=[(milk, 0, 50)], store="")
    purchase(ann, "2024-03-20", -300, lines=[(milk, -300, 0)])
    purchase(ann, "2024-03-21", 900, currency="USD")
    row = facts()[ann.pk]
    assert (row["orders"], row["purchase_days"], row["stores"]) == (5, 3, 2)
    assert (row["spend"], row["spend_30"], row["spend_90"], row["spend_365"]) == (900 - 300 + 300, -300, 600, 600)
    assert (row["first_purchase"], row["last_purchase"]) == (date(2023, 1, 1), date(2024, 3, 2))
    assert row["average_basket"] == 400  # (300 + 500 + 400) / 3: neither the free one nor the return
    assert (row["categories"], row["favourite_category"]) == (3, "Bakery")  # 500, before Drinks 400 and Dairy 300
    assert row["own_label_share"] == 300 / 600  # cake and tea do not say whether they are own labels
    assert row["discount_share"] == 250 / (1200 + 250)
    assert (row["saved"], row["saved_by_coupons"]) == (250, 0)
    assert row["frequency"] == 2 * 30 / (AS_OF - date(2023, 1, 1)).days


@pytest.mark.django_db
def test_coupons_are_a_part_of_what_was_saved() -> None:
    ann = customer("Ann")
    order = purchase(ann, "2024-03-01", 500, lines=[(product("tea", "Drinks"), 500, 100)])
    OrderLine.objects.filter(order=order).update(coupon_discount=30, match_discount=20)
    row = facts()[ann.pk]
    assert (row["saved"], row["saved_by_coupons"]) == (150, 50)


@pytest.mark.django_db
def test_questions_without_an_answer_wait_for_us() -> None:
    ann, bob = customer("Ann"), customer("Bob")
    asked = [contact(ann, day, kind="enquiry", direction="inbound") for day in ("2024-01-05", "2024-01-06")]
    contact(ann, "2024-01-07", kind="complaint", direction="inbound")
    contact(ann, "2024-01-08", kind="visit", direction="inbound")  # expects no answer
    contact(ann, "2024-01-09", kind="email_out", direction="outbound", in_response_to=asked[0])
    contact(ann, "2024-04-09", kind="email_out", direction="outbound", in_response_to=asked[1])  # after the day
    contact(bob, "2024-01-05", kind="enquiry", direction="outbound")
    found = facts()
    assert (found[ann.pk]["unanswered"], found[bob.pk]["unanswered"]) == (2, 0)


@pytest.mark.django_db
def test_of_equal_favourites_the_first_by_path_wins() -> None:
    ann = customer("Ann")
    purchase(
        ann, "2024-03-01", 400, lines=[(product("z", "Home > Zinc"), 200, 0), (product("a", "Home > Ash"), 200, 0)]
    )
    assert facts()[ann.pk]["favourite_category"] == "Ash"


def campaign(number: str, day: str) -> Campaign:
    return Campaign.objects.create(source=source(), number=number, name=number, starts_on=day, ends_on=day)


@pytest.mark.django_db
def test_campaigns_received_and_answered() -> None:
    ann = customer("Ann")
    for number, (day, suppressed, answer) in enumerate(
        [("2024-01-01", "", "2024-01-09"), ("2024-02-01", "", "2024-04-09"), ("2024-03-01", "no-consent", None)]
    ):
        sent = contact(ann, day)
        Exposure.objects.create(
            campaign=campaign(str(number), day), customer=ann, sent_on=day, suppressed=suppressed, interaction=sent
        )
        if answer:
            contact(ann, answer, kind="redemption", direction="inbound", in_response_to=sent)
    row = facts()[ann.pk]
    assert (row["campaigns_received"], row["campaigns_answered"]) == (2, 1)
    assert (row["interactions"], row["last_contact"]) == (4, date(2024, 3, 1))


@pytest.mark.django_db
def test_opened_mails_change_no_figure() -> None:
    """Neither facts nor features, nor totals, signs, leads and buying stages: as if nobody had told of them."""
    ann, bob = customer("Ann"), customer("Bob")
    bread = product("bread")
    purchase(ann, "2024-01-05")
    sent = [contact(one, "2024-02-01", kind="campaign_mail") for one in (ann, bob)]
    for one, mail in zip((ann, bob), sent, strict=True):
        Exposure.objects.create(
            campaign=campaign(one.name, "2024-02-01"), customer=one, sent_on="2024-02-01", interaction=mail
        )

    def told() -> dict[str, Any]:
        refresh()
        with open_tables() as tables:
            known = past(tables, AS_OF, "EUR")
            found = tables.arrow(fact_table(known).order_by("customer_id"))
            attributes = read_reserved(tables, found["customer_id"].to_numpy())
            return {
                "facts": found.to_pylist(),
                "features": repr(features(tables, known).features.values),
                "totals": totals(tables, known),
                "signs": repr(read_signs(tables, known, found, attributes)),
                "leads": repr(read_leads(tables, known, read_people(tables, known))),
                "fingerprint": data_fingerprint(tables, known),
                "answers": responses(None),
                "stages": repr(buying_signals(tables, known)),
            }

    before = told()
    for one, mail in zip((ann, bob), sent, strict=True):
        for kind in ("mail_open", "mail_click"):
            row = contact(one, "2024-02-02", kind=kind, direction="inbound", initiative="pull", in_response_to=mail)
            About.objects.create(interaction=row, product=bread)
    assert told() == before
    # An answer that somebody made changes each of them.
    row = contact(bob, "2024-02-03", kind="enquiry", direction="inbound", in_response_to=sent[1])
    About.objects.create(interaction=row, product=bread)
    assert [name for name, now in told().items() if now == before[name]] == []


@pytest.mark.django_db
def test_nothing_after_the_day_is_known() -> None:
    ann, bob = customer("Ann"), customer("Bob")
    for day in ("2024-01-01", "2024-02-01", "2024-03-31"):
        purchase(ann, day)
    purchase(bob, "2024-02-20", 70)
    sent = contact(ann, "2024-03-30")
    Exposure.objects.create(campaign=campaign("1", "2024-03-30"), customer=ann, sent_on="2024-03-30", interaction=sent)
    before = facts()

    purchase(ann, AS_OF + timedelta(days=1), 9999, lines=[(product("new", "New > New", own_label=True), 9999, 5)])
    purchase(bob, AS_OF + timedelta(days=2), 1)
    contact(ann, "2024-04-05", direction="inbound", in_response_to=sent)
    late = contact(bob, "2024-04-06")
    Exposure.objects.create(campaign=campaign("2", "2024-04-06"), customer=bob, sent_on="2024-04-06", interaction=late)
    assert facts() == before
    Interaction.objects.filter(business_date__gt=AS_OF).update(business_date=F("business_date") + timedelta(days=400))
    assert facts() == before
    assert facts(date(2024, 4, 30)) != before


@pytest.mark.django_db
def test_a_retracted_order_does_not_count() -> None:
    ann = customer("Ann")
    purchase(ann, "2024-03-01", 100)
    wrong = purchase(ann, "2024-03-05", 900, lines=[(product("x", "A > B"), 900, 0)])
    Retraction.objects.create(interaction_id=wrong.pk, reason="typed twice")
    row = facts()[ann.pk]
    assert (row["orders"], row["spend"], row["favourite_category"], row["interactions"]) == (1, 100, "Bread", 1)
