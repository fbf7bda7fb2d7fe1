"""The profile of a relationship: parts with their makings, both sides of the ledger, and what is missing said so."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from rondo.customers.models import AttributeDefinition, Link
from rondo.web.customers.profile import profile, risk
from rondo.web.customers.sentences import reasons
from rondo.web.tests.customers_data import contact, give_score, make_customer, make_run, set_value

pytestmark = pytest.mark.django_db

FACTS: dict[str, Any] = {
    "value": 120_400,
    "value_low": 90_000,
    "value_high": 150_000,
    "expected_purchases": 96.4,
    "expected_spend": 5_000,
    "frequency": 7.25,
    "categories": 12,
    "stores": 2,
    "interactions": 90,
    "campaigns_received": 4,
    "campaigns_answered": 1,
    "purchase_days": 80,
    "recency_days": 40,
    "churn": 0.62,
    "churn_usual": 0.04,
    "risk": "high",
    "risk_driver": "silence",
    "saved": 30_100,
    "saved_by_coupons": 1_200,
    "discount_share": 0.21,
    "unanswered": 2,
}


def test_parts_stand_side_by_side_and_are_never_added_up(installation: Any) -> None:
    found = profile(give_score(make_customer("Ann"), **FACTS), "USD", 12, 0.25)
    economic, behavioural, psychological = found.parts
    assert dict(economic.rows)["Value over 12 months"] == "$1,204"
    assert dict(economic.rows)["Purchase days expected"] == "96.4" and dict(economic.rows)["Margin"] == "25%"
    assert dict(behavioural.rows)["Campaigns answered"] == "1 of 4"
    assert any("Referrals: not recorded" in text for text in behavioural.missing)
    assert psychological.rows == [] and "not known" in psychological.missing[0]
    assert dict(found.got.rows) == {
        "Saved by offers": "$301",
        "of it by coupons": "$12",
        "Share of prices before offers": "21%",
        "Campaigns received": "4",
    }
    assert [value for _label, value in found.turns.rows] == ["2", "3"]


@pytest.mark.parametrize(
    ("low", "high", "said", "row"),
    [
        (1, 6, "with 90% certainty 1 to 6.", "1 to 6"),
        (0, 6, "with 90% certainty at most 6.", "0 to 6"),
        (2, 2, "with 90% certainty it will be 2.", "2 to 2"),
        (0, 0, "with 90% certainty there will be none.", "0 to 0"),
    ],
)
def test_how_often_this_one_customer_will_buy(installation: Any, low: int, high: int, said: str, row: str) -> None:
    ahead = {"purchases_ahead": 3.24, "purchases_ahead_low": low, "purchases_ahead_high": high}
    score = give_score(make_customer("Ann"), **FACTS | ahead)
    told = reasons(score, date(2024, 3, 1), "USD", 12)
    assert f"In the next 91 days 3.2 purchase days are expected; {said}" in told
    rows = dict(profile(score, "USD", 12, 0.25).parts[0].rows)
    assert rows["Purchase days within 91 days"] == f"3.2 (with 90% certainty {row})"


def test_what_is_absent_is_absent_and_not_zero(installation: Any) -> None:
    found = profile(give_score(make_customer("Bob"), interactions=0), "USD", 12, 0.25)
    economic, behavioural, _psychological = found.parts
    assert economic.rows == [] and "nothing was bought" in economic.missing[0]
    assert any("none was sent yet" in text for text in behavioural.missing)
    assert "0" not in [value for _label, value in found.got.rows]
    assert risk(give_score(make_customer("Cem"))) == []


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        ("silence", "The silence of 40 days drives it: right after a purchase it would be 4%."),
        ("rhythm", "The own rhythm drives it"),
        ("once", "Bought on one day only, 40 days ago"),
    ],
)
def test_the_risk_says_what_drives_it(installation: Any, driver: str, said: str) -> None:
    chance, why = risk(give_score(make_customer("Ann"), **FACTS | {"risk_driver": driver}))
    assert chance == "High: with a chance of 62% nothing is bought within 91 days." and said in why


def test_a_chance_never_claims_to_be_certain(installation: Any) -> None:
    sure = FACTS | {"churn": 0.9999, "churn_usual": 0.0001}
    chance, why = risk(give_score(make_customer("Ann"), **sure))
    assert "over 99%" in chance and "under 1%" in why
    low = give_score(make_customer("Bob"), **FACTS | {"churn": 0.1, "risk": "low", "risk_driver": None})
    assert risk(low) == ["Low: with a chance of 10% nothing is bought within 91 days."]


def test_a_low_risk_beside_a_broken_rhythm_says_why_both_hold(installation: Any) -> None:
    """Asleep by the own rhythm of days, and yet hardly likely to buy nothing for three months."""
    often = FACTS | {"churn": 0.05, "churn_usual": 0.001, "risk": "low", "risk_driver": None}
    often |= {"recency_days": 8, "gap_q90_days": 3.0}
    for activity, parts in (("asleep", 2), ("late", 2), ("active", 1)):
        said = risk(give_score(make_customer(activity), **often | {"activity": activity}))
        assert len(said) == parts, activity
    told = risk(give_score(make_customer("Mara"), **often | {"activity": "asleep"}))[1]
    assert "silent for 8 days, usually for 3 days at most" in told and "would be under 1%" in told


def test_the_customer_page_shows_risk_and_profile(signed_in: Any, alice: Any, installation: Any) -> None:
    make_run()
    ann = make_customer("Ann")
    give_score(ann, **FACTS)
    page = " ".join(signed_in(alice).get(f"/customers/{ann.public_id}/").content.decode().split())
    for text in (
        "Risk of falling silent",
        "with a chance of 62%",
        "Value of the relationship, part by part",
        "What the customer got from us",
        "Unanswered turns",
        "nobody was asked",
    ):
        assert text in page


def test_what_was_said_whom_they_brought_and_what_we_answered_count(
    signed_in: Any, alice: Any, installation: Any
) -> None:
    make_run()
    ann, bob, cem = make_customer("Ann"), make_customer("Bob"), make_customer("Cem")
    give_score(ann, **FACTS | {"ladder": "client", "stage": "maturity"})
    give_score(bob, value=70_000, purchase_days=3)
    give_score(cem, value=None, purchase_days=0)
    for other in (bob, cem):
        Link.objects.create(subject=ann, object=other, role="referred")
    for key, number in (("promoter_score", 9), ("commitment", 6.5)):
        asked = AttributeDefinition.objects.create(
            key=key, label_en=key, label_de=key, type="number", form="psychographic"
        )
        set_value(ann, asked, number=number)
    noon = datetime(2017, 12, 1, 12, tzinfo=UTC)
    inbound = {"direction": "inbound", "initiative": "pull", "channel": "email"}
    for days, wait in ((0, 1), (5, 3), (9, None)):
        question = contact(ann, "email_in", noon + timedelta(days=days), **inbound)
        if wait:
            contact(ann, "email_out", noon + timedelta(days=days + wait), in_response_to=question)
    page = signed_in(alice).get(f"/customers/{ann.public_id}/")
    parts = page.context["worth"].profile
    _economic, behavioural, psychological = parts.parts
    rows = dict(behavioural.rows)
    assert (rows["Recommended us to"], rows["of them bought"]) == ("2", "1")
    assert rows["Value of those who came by it"] == "$700"
    assert not any("Referrals" in text for text in behavioural.missing)
    assert dict(psychological.rows) == {"Would recommend us": "9 of 10", "Commitment": "6.5 of 7"}
    assert "willingness" not in psychological.missing[0]
    got = dict(parts.got.rows)
    assert (got["Questions answered"], got["Half of the answers came within"]) == ("2 of 3", "2 days")
    assert any("Supporter: would recommend us (9 of 10)" in text for text in page.context["worth"].standing)


@pytest.mark.parametrize(("days", "answered"), [(20, False), (20, True), (120, False)])
def test_a_complaint_that_is_open_is_why_a_customer_is_endangered(
    signed_in: Any, alice: Any, installation: Any, days: int, answered: bool
) -> None:
    run = make_run()
    ann = make_customer("Ann")
    give_score(ann, **FACTS | {"ladder": "client", "stage": "endangered"})
    on = datetime.combine(run.as_of, time(12), UTC) - timedelta(days=days)
    complaint = contact(ann, "complaint", on, direction="inbound")
    if answered:
        contact(ann, "email_out", on + timedelta(days=2), in_response_to=complaint)
    why = signed_in(alice).get(f"/customers/{ann.public_id}/").context["worth"].standing[0]
    open_ = days < 90 and not answered
    assert ("a complaint of" in why, "three of four" in why) == (open_, not open_)
