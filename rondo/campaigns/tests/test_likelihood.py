"""Who is likely to answer: learnt from what was known before, tested in time, and told to rules."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from rondo.analysis.actions import run_analysis
from rondo.analysis.segments.actions import create_segment
from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.queries import list_context
from rondo.analysis.studies.actions import answer_study
from rondo.analysis.studies.models import Series, Study, StudyCustomer
from rondo.analysis.tests.world import START, customer, purchase, purchases
from rondo.campaigns.models import Campaign, Exposure
from rondo.campaigns.types import kinds, request_likelihood, series_key
from rondo.customers.models import Customer
from rondo.customers.queries import visible
from rondo.foundation.actors import system
from rondo.foundation.models import User
from rondo.interactions.models import Interaction
from rondo.rules import compile_ibis, compile_q, parse, schema
from rondo.warehouse.tables import open_tables
from rondo.warehouse.tests.world import source

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def warehouse(settings: Any, tmp_path: Path) -> Path:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    return tmp_path / "warehouse"


def chain(who: Customer, day: date, direction: str, to: Interaction | None = None) -> Interaction:
    return Interaction(
        customer=who, kind="redemption" if to else "campaign_mail", channel="mail", direction=direction,
        initiative="push", medium="owned", occurred_at=datetime.combine(day, time(12), UTC), business_date=day,
        in_response_to=to,
    )  # fmt: skip


def campaign(number: int, starts: date, people: list[Customer], chance: dict[int, float], days: int = 20) -> Campaign:
    """A campaign to everybody, answered with the chance of each."""
    made = Campaign.objects.create(
        source=source(), number=str(number), name=f"Campaign {number}", type="Type A", starts_on=starts,
        ends_on=starts + timedelta(days=days),
    )  # fmt: skip
    sent = Interaction.objects.bulk_create([chain(one, starts, "outbound") for one in people])
    Exposure.objects.bulk_create(
        Exposure(campaign=made, customer=one, sent_on=starts, interaction=row)
        for one, row in zip(people, sent, strict=True)
    )
    rng = np.random.default_rng(number)
    Interaction.objects.bulk_create(
        chain(one, starts + timedelta(days=5), "inbound", row)
        for one, row in zip(people, sent, strict=True)
        if rng.random() < chance[one.pk]
    )
    return made


@pytest.fixture
def people(db: None) -> list[Customer]:
    """Sixty customers; every third buys often and answers four times in five, the others seldom."""
    rng = np.random.default_rng(3)
    made = [customer(f"C{number}") for number in range(60)]
    purchases(
        (one, START + timedelta(days=day), int(rng.gamma(4, 500)) + 100)
        for number, one in enumerate(made)
        for day in rng.choice(240, 9 if number % 3 == 0 else 2, replace=False).tolist()
    )
    purchases([(made[1], START, 500)])
    return made


def chances(people: list[Customer]) -> dict[int, float]:
    return {one.pk: 0.8 if number % 3 == 0 else 0.05 for number, one in enumerate(people)}


@pytest.fixture
def history(people: list[Customer]) -> list[Campaign]:
    """One campaign without a past, three one after the other, and one that began before the third had ended."""
    told = chances(people)
    starts = [5, 60, 110, 160, 170]
    made = [campaign(number, START + timedelta(days=day), people, told) for number, day in enumerate(starts)]
    run_analysis(system())
    return made


def test_each_campaign_is_foretold_by_those_that_had_ended(history: list[Campaign], people: list[Customer]) -> None:
    assert kinds() == ["Type A"] and series_key("Type A") == "likely_type_a"
    asked = Study.objects.get()  # an analysis asks for every type
    study = answer_study(asked.pk)
    assert study.status == "done", study.error
    keys = [one.pk for one in history]
    assert [one["campaign"] for one in study.results["campaigns"]] == keys[1:]
    tested = {one["campaign"]: one for one in study.results["tested"]}
    assert {key: one["trained"] for key, one in tested.items()} == {
        keys[3]: [keys[1], keys[2]],
        keys[4]: [keys[1], keys[2]],
    }
    # Who reads the answers to the campaign itself would foretell it without a mistake.
    assert all(0.7 < one["auc"]["value"] < 0.97 and one["lift"] > 1.5 for one in tested.values())
    assert sum(row["customers"] for row in tested[keys[3]]["bins"]) == 60
    assert sum(one["customers"] for one in study.results["classes"]) == 60
    assert study.results["drivers"][0]["high"] and study.fingerprint and study.run_id
    often = {one.pk for number, one in enumerate(people) if number % 3 == 0}
    found = StudyCustomer.objects.filter(study=study).order_by("place")
    assert len(often & {one.customer_id for one in found[:20]}) >= 17
    assert study.results["classes"][-1]["expected"] == pytest.approx(
        sum(one.score for one in found if one.score >= 0.5), abs=1e-6
    )


def test_what_came_later_changes_no_test_of_an_earlier_campaign(
    history: list[Campaign], people: list[Customer]
) -> None:
    before = answer_study(Study.objects.get().pk).results["tested"][0]
    end = START + timedelta(days=239)
    for one in people[:30]:
        purchase(one, end, 90_000)
    Interaction.objects.filter(exposure__campaign=history[4], in_response_to=None).update(business_date=end)
    run_analysis(system())
    after = answer_study(Study.objects.latest("id").pk).results["tested"][0]
    assert after == before


def test_rules_ask_for_the_probability_everywhere_alike(
    history: list[Campaign], people: list[Customer], alice: User
) -> None:
    segment = create_segment(system(), name="Likely", text="activity = active")
    study = answer_study(Study.objects.get().pk)
    wanted = {one.customer_id for one in StudyCustomer.objects.filter(study=study, score__gte=0.5)}
    assert 10 < len(wanted) < 30
    known, context = schema(), list_context(alice)
    assert "Type A" in str(known.fields["likely_type_a"].label)
    for text, expected in (
        ("likely_type_a >= 50%", wanted),
        ("likely_type_a < 50%", {one.pk for one in people} - wanted),
        ("likely_type_a is unknown", set()),
    ):
        node = parse(text, known)
        for as_set in (False, True):
            rows = visible(alice).filter(compile_q(node, known, context, as_set=as_set))
            assert set(rows.values_list("pk", flat=True)) == expected, text
        with open_tables() as tables:
            found = tables.arrow(compile_ibis(node, known, context, tables))
        assert set(found["customer_id"].to_pylist()) == expected, text
    Segment.objects.filter(pk=segment.pk).update(rule={"version": 1, "rule": {"field": "likely_type_a"}})
    again = answer_study(request_likelihood(system(), "Type A").pk)
    assert Series.objects.get().study == again and not StudyCustomer.objects.filter(study=study).exists()
    node = parse("likely_type_a >= 50%", schema())
    with open_tables() as tables:
        assert set(tables.arrow(tables.marks)["study"].to_pylist()) == {study.pk, again.pk}
        found = tables.arrow(compile_ibis(node, schema(), context, tables))
    assert set(found["customer_id"].to_pylist()) == wanted


def test_too_little_to_learn_from_is_told(people: list[Customer]) -> None:
    campaign(1, START + timedelta(days=60), people[:30], dict.fromkeys((one.pk for one in people), 0.2))
    run_analysis(system())
    study = answer_study(Study.objects.get().pk)
    assert study.status == "failed" and "at least 20 of each" in study.error and "Type A" in study.error
    assert "likely_type_a" not in schema().fields


def test_chance_is_not_sold_as_knowledge(people: list[Customer]) -> None:
    for number, day in enumerate((60, 100, 140)):
        campaign(number, START + timedelta(days=day), people, dict.fromkeys((one.pk for one in people), 0.5))
    run_analysis(system())
    study = answer_study(Study.objects.get().pk)
    if study.status == "failed":
        assert "nothing can be learnt" in study.error
    else:
        assert all(one["auc"]["low"] < 0.5 for one in study.results["tested"])


def test_the_pages_tell_it(
    history: list[Campaign], people: list[Customer], alice: User, charlie: User, signed_in: Any
) -> None:
    page: Client = signed_in(alice)

    def body(address: str, client: Client = page) -> str:
        return str(client.get(address).content.decode())

    shown = answer_study(Study.objects.get().pk)
    likeliest = StudyCustomer.objects.get(study=shown, place=1)
    assert f"{likeliest.score:.0%}" in body(f"/customers/{likeliest.customer.public_id}/")
    Study.objects.all().delete()
    assert "Who will answer the next one?" in body("/campaigns/types/likely_type_a/")
    page.post("/campaigns/types/likely_type_a/ask")
    assert "Queued" in body("/campaigns/types/likely_type_a/progress")
    study = answer_study(Study.objects.get().pk)
    text = body("/campaigns/types/likely_type_a/")
    assert "Promised and answered" in text and "Campaign 4" in text and "rule=likely_type_a+%3E%3D+50%25" in text
    listed = page.get("/customers/", {"rule": "likely_type_a >= 50%"})
    assert len(listed.context["rows"]) == study.results["classes"][-1]["customers"]
    assert "Could it have been foretold?" in body(f"/campaigns/{history[4].public_id}/")
    assert "Too few campaigns of this type" in body(f"/campaigns/{history[1].public_id}/")
    csv = body(f"/campaigns/types/likely_type_a/calibration.csv?campaign={history[3].pk}").splitlines()
    assert len(csv) == 1 + len(study.results["tested"][0]["bins"])
    assert "/campaigns/types/likely_type_a/" in body("/campaigns/")
    assert page.get("/campaigns/types/likely_none/").status_code == 404
    few = signed_in(charlie)
    assert "ask somebody who sees all" in body("/campaigns/types/likely_type_a/", few)
    assert "foretold" not in body(f"/campaigns/{history[4].public_id}/", few)
