"""Bonds and types of a run: from purchases, contacts, links and attributes that an import brought, in every table."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from rondo.analysis import thresholds
from rondo.analysis.actions import run_analysis
from rondo.analysis.bonds import FACTS
from rondo.analysis.models import History, Score
from rondo.analysis.queries import current_run, figures
from rondo.analysis.reserved import mistyped
from rondo.analysis.studies.actions import answer_study, request_study
from rondo.analysis.tests.world import customer, product, purchase
from rondo.analysis.thresholds import Thresholds
from rondo.campaigns.models import Campaign, Exposure
from rondo.customers import actions as customers
from rondo.customers.models import Customer, Link
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import User
from rondo.interactions.models import Interaction
from rondo.interactions.tests.import_files import load, write
from rondo.science.standing import BondRules, RelationshipRules
from rondo.warehouse.tests.world import source

pytestmark = pytest.mark.django_db
START = date(2024, 1, 7)
LAST = START + timedelta(days=350)


def buys(who: Customer, *stores: str, discount: int = 0) -> None:
    """A purchase of 10.00 every ten days, at the stores in turn, with a discount on each."""
    for number in range(36):
        day = START + timedelta(days=10 * number)
        purchase(who, day, 1000, lines=[(product("tea"), 1000, discount)], store=stores[number % len(stores)])


def contact(who: Customer, kind: str, day: date, **more: Any) -> Interaction:
    row: Interaction = Interaction.objects.create(
        customer=who,
        kind=kind,
        channel="mail",
        occurred_at=f"{day}T10:00:00Z",
        business_date=day,
        **{"direction": "inbound", "initiative": "pull", "medium": "owned"} | more,
    )
    return row


@pytest.fixture
def people() -> dict[str, Customer]:
    """Ann is sent campaigns and is quiet, Bea writes, Cid complains, Dot buys at two stores and recommended Eli."""
    found = {name: customer(name) for name in ("Ann", "Bea", "Cid", "Dot", "Eli", "Fox")}
    for name, stores in (("Ann", ("s1",)), ("Bea", ("s1",)), ("Cid", ("s1",)), ("Dot", ("s1", "s1", "s2"))):
        buys(found[name], *stores, discount=250 if name == "Ann" else 0)
    purchase(found["Eli"], START + timedelta(days=20), 500)
    for number in range(3):
        day = START + timedelta(days=200 + number)
        campaign = Campaign.objects.create(source=source(), number=str(number), name="C", starts_on=day, ends_on=day)
        sent = contact(found["Ann"], "campaign_mail", day, direction="outbound", initiative="push")
        Exposure.objects.create(campaign=campaign, customer=found["Ann"], sent_on=day, interaction=sent)
        contact(found["Bea"], "email_in", day)
        contact(found["Cid"], "complaint", day)
    link = Link.objects.create(subject=found["Dot"], object=found["Eli"], role=Link.Role.REFERRED)
    Link.objects.filter(pk=link.pk).update(created_at=f"{START + timedelta(days=100)}T12:00:00Z")
    return found


def test_what_the_log_and_the_links_tell(people: dict[str, Customer], alice: User) -> None:
    run_analysis(system(), LAST)
    row = {name: Score.objects.get(pk=one.pk) for name, one in people.items()}
    assert {name: (one.relationship, one.relationship_confidence) for name, one in row.items()} == {
        "Ann": ("exchange", "medium"),
        "Bea": ("buddies", "low"),
        "Cid": ("master_servant", "low"),
        "Dot": ("unknown", None),
        "Eli": ("unknown", None),
        "Fox": ("unknown", None),
    }
    # The referral counts from the day on which it was noted, for Eli had bought by then.
    assert row["Dot"].ladder == "advocate" and row["Ann"].ladder == "client"
    history = History.objects.get(pk=people["Dot"].pk)
    assert history.rungs.rpartition(";")[2] == f"{date(2024, 5, 5)} advocate"
    assert (history.main_days, history.store_days, history.referrals) == (24, 36, 1)
    assert row["Dot"].bond_local == pytest.approx(24 / 36, abs=1e-6) and row["Ann"].bond_local == 1.0
    assert row["Ann"].bond_economic == pytest.approx(0.2 / 0.3, abs=1e-6) and row["Dot"].bond_economic == 0.0
    assert row["Eli"].bond_local is None and row["Eli"].bond_economic is None  # bought once
    for one in row.values():
        assert (one.bond_contractual, one.bond_technical, one.bond_emotional, one.attachment) == (None,) * 4
    run = current_run()
    assert run is not None
    found = run.results["standing"]
    assert sum(one["customers"] for one in found["types"]) == 6 == Score.objects.count()
    for bond in found["bonds"]:
        assert sum(bond["bands"].values()) == 6
        assert sum(bond["tenths"]) == 6 - bond["bands"]["unknown"]
    assert figures(alice) is not None


def test_attributes_that_an_import_brings_bind_and_are_answers(people: dict[str, Customer], tmp_path: Path) -> None:
    """As docs/standing.md says: `rondo import customers --define`, and the next analysis reads them."""
    for name, one in people.items():
        customers.add_identifier(system(), one, "external", name.lower(), source="shop")
    text = (
        "id,end,notice,products,commitment,survey,asked,club\n"
        "ann,2026-01-31,3,1,2,fling,2024-06-02,yes\n"
        "bea,2026-01-31,,,1,,,no\n"
        "cid,2024-01-01,12,3,7,buddies,,no\n"
        "dot,,,,9,nonsense,,\n"
    )
    run = load(
        "customers",
        write(tmp_path, text),
        {
            "external_id": "id",
            "attribute:contract_end": "end",
            "attribute:notice_months": "notice",
            "attribute:connected_products": "products",
            "attribute:commitment": "commitment",
            "attribute:relationship_survey": "survey",
            "attribute:relationship_survey_on": "asked",
            "attribute:community_member": "club",
        },
        define={
            "contract_end": ("date", "behavioural"),
            "notice_months": ("number", "behavioural"),
            "connected_products": ("number", "behavioural"),
            "commitment": ("number", "psychographic"),
            "relationship_survey": ("choice", "psychographic"),
            "relationship_survey_on": ("date", "psychographic"),
            "community_member": ("boolean", "behavioural"),
        },
    )
    assert run.status == "visible" and not mistyped()
    run_analysis(system(), LAST)
    row = {name: Score.objects.get(pk=one.pk) for name, one in people.items()}
    ann, bea, cid, dot = (row[name] for name in ("Ann", "Bea", "Cid", "Dot"))
    assert (ann.bond_contractual, ann.bond_emotional, ann.attachment) == (1.0, 0.5, "attached")  # by the club
    assert ann.bond_technical == pytest.approx(1 / 3, abs=1e-6)
    assert (bea.bond_contractual, bea.bond_emotional, bea.attachment) == (1.0, 0.0, "bound")
    assert (cid.bond_contractual, cid.bond_technical, cid.bond_emotional) == (0.0, 1.0, 1.0)
    assert dot.bond_emotional is None  # 9 is off the scale
    # Said on a day: from then on. Said without a day: from the run's day on; and complaints speak against it.
    assert (ann.relationship, ann.relationship_confidence) == ("fling", "medium")
    assert ann.relationship_since == date(2024, 6, 2)
    assert (cid.relationship, cid.relationship_confidence) == ("buddies", "medium")
    assert cid.relationship_since == LAST
    assert dot.relationship == "unknown"
    assert History.objects.get(pk=people["Ann"].pk).types.split(";")[1:] == [f"{date(2024, 6, 2)} fling"]


def test_a_dry_run_foretells_whose_type_and_bonds_change(people: dict[str, Customer], alice: User) -> None:
    """By the thresholds that are tried, on the data of the run: exactly what the next analysis finds once in force."""
    run_analysis(system(), LAST)
    wanted = Thresholds(
        relationship=RelationshipRules(contacts=4, offers=4), bonds=BondRules(full_saving=0.9, least_days=4)
    )

    def states() -> dict[str, dict[int, Any]]:
        rules = thresholds.in_force().bonds
        return {"relationship": dict(Score.objects.values_list("pk", "relationship"))} | {
            fact: {pk: band_of(value, rules) for pk, value in Score.objects.values_list("pk", fact)} for fact in FACTS
        }

    before = states()
    study = answer_study(request_study(Actor(alice, "web"), thresholds.KIND, config=wanted.to_dict()).pk)
    assert study.status == "done", study.error
    assert states() == before
    thresholds.change(Actor(alice, "web"), wanted, expected_version=0)
    run_analysis(system(), LAST)
    after = states()
    moved = {scale: sum(after[scale][pk] != state for pk, state in was.items()) for scale, was in before.items()}
    assert moved == {scale: study.results["scales"][scale]["moved"] for scale in moved}
    assert moved == {
        "relationship": 2,  # Ann and Bea
        "bond_local": 0,
        "bond_contractual": 0,
        "bond_economic": 1,  # Ann: strong no longer
        "bond_technical": 0,
        "bond_emotional": 0,
    }
    told = study.results["scales"]["relationship"]
    exchange, unknown = told["keys"].index("exchange"), told["keys"].index("unknown")
    assert told["matrix"][exchange][unknown] == 1


def band_of(value: float | None, rules: BondRules) -> str:
    if value is None:
        return "unknown"
    return "strong" if value >= rules.strong else "weak" if value < rules.weak else "moderate"
