"""Who was contacted and who answered: counted on a ledger small enough to check by hand."""

from datetime import date

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from rondo.campaigns import queries
from rondo.campaigns.models import Campaign, Exposure
from rondo.campaigns.tests.conftest import Ledger
from rondo.foundation.models import Load, Team, User
from rondo.interactions.models import Retraction
from rondo.science.proportions import wilson

pytestmark = pytest.mark.django_db


def counts(viewer: User | None, campaign: Campaign) -> tuple[int, int, int]:
    found = queries.responses(viewer).get(campaign.pk)
    return (0, 0, 0) if found is None else (found.contacted, found.answered, found.reactions)


def test_a_contact_counts_once_however_often_it_is_answered(ledger: Ledger) -> None:
    spring = ledger.campaign("1")
    lines = [ledger.contact(spring, ledger.customer()) for _ in range(4)]
    ledger.answer(lines[0], 5)
    ledger.answer(lines[0], 6)
    ledger.answer(lines[1], 6)
    assert counts(None, spring) == (4, 2, 3)
    share = queries.responses(None)[spring.pk].share
    assert share == wilson(2, 4, queries.LEVEL)


def test_types_and_the_whole_count_every_line(ledger: Ledger) -> None:
    first, second, other = ledger.campaign("1"), ledger.campaign("2"), ledger.campaign("3", "Type B")
    regular, once = ledger.customer(), ledger.customer()
    for campaign in (first, second, other):
        ledger.answer(ledger.contact(campaign, regular))
    ledger.contact(first, once)
    report = queries.report(None)
    type_a, type_b = report.types
    assert (type_a.type, type_a.campaigns, type_a.people) == ("Type A", 2, 2)
    assert (type_a.response.contacted, type_a.response.answered) == (3, 2)
    assert (type_b.people, type_b.response.contacted, type_b.response.answered) == (1, 1, 1)
    whole = report.total
    assert (whole.campaigns, whole.people, whole.response.contacted, whole.response.answered) == (3, 2, 4, 3)
    assert whole.response.share is not None and whole.response.share.value == 0.75
    assert [campaign for campaign, _ in report.campaigns] == [other, second, first]


def test_only_what_answers_inbound_is_a_reaction(ledger: Ledger) -> None:
    spring = ledger.campaign("1")
    line = ledger.contact(spring, ledger.customer())
    assert line.customer is not None
    ledger.interaction(line.customer, "purchase", 9)
    ledger.answer(line, direction="outbound")
    assert counts(None, spring) == (1, 0, 0)


@pytest.mark.parametrize("kind", ["mail_open", "mail_click"])
def test_that_a_mail_was_opened_or_clicked_is_no_answer(ledger: Ledger, kind: str) -> None:
    spring = ledger.campaign("1")
    line = ledger.contact(spring, ledger.customer())
    assert line.customer is not None
    ledger.interaction(line.customer, kind, 2, in_response_to=line.interaction)
    assert counts(None, spring) == (1, 0, 0) and queries.reaction_days(None, spring) == []
    received = queries.received([line.customer.pk])
    assert (received[0].reactions, received[0].first_answer) == (0, None)
    ledger.answer(line)
    assert counts(None, spring) == (1, 1, 1) and len(queries.reaction_days(None, spring)) == 1


@pytest.mark.parametrize("fields", [{"eligible": False}, {"suppressed": "no-consent"}, {"arm": "control"}])
def test_who_was_not_contacted_is_not_counted(ledger: Ledger, fields: dict[str, object]) -> None:
    spring = ledger.campaign("1")
    ledger.contact(spring, ledger.customer())
    ledger.contact(spring, ledger.customer(), **fields)
    assert counts(None, spring) == (1, 0, 0)


def test_retracted_reactions_and_contacts_are_left_out(ledger: Ledger) -> None:
    spring = ledger.campaign("1")
    kept, wrong = ledger.contact(spring, ledger.customer()), ledger.contact(spring, ledger.customer())
    Retraction.objects.create(interaction=ledger.answer(kept), reason="keyed twice")
    ledger.answer(wrong)
    assert wrong.interaction is not None
    Retraction.objects.create(interaction=wrong.interaction, reason="never sent")
    assert counts(None, spring) == (1, 0, 0)
    assert queries.reaction_days(None, spring) == []


@pytest.mark.parametrize("hidden", ["campaign", "exposure", "contact", "reaction", "customer"])
def test_rows_of_hidden_loads_are_left_out(ledger: Ledger, hidden: str) -> None:
    load = Load.objects.create(kind="x", file_name="x.csv", fingerprint="x", status="loading")
    spring = ledger.campaign("1")
    line = ledger.contact(spring, ledger.customer())
    reaction = ledger.answer(line)
    assert line.interaction is not None and line.customer is not None
    row = {
        "campaign": spring,
        "exposure": line,
        "contact": line.interaction,
        "reaction": reaction,
        "customer": line.customer,
    }[hidden]
    type(row)._default_manager.filter(pk=row.pk).update(load=load)
    assert counts(None, spring) == ((1, 0, 0) if hidden == "reaction" else (0, 0, 0))
    assert queries.visible(None).exists() == (hidden != "campaign")
    Load.objects.update(status="visible")
    assert counts(None, spring) == (1, 1, 1)


def test_figures_are_over_what_the_viewer_may_see(ledger: Ledger, alice: User, bob: User, charlie: User) -> None:
    below = Team.objects.create(name="North-East", parent=bob.team)
    spring = ledger.campaign("1")
    ledger.answer(ledger.contact(spring, ledger.customer(owner=charlie)))
    ledger.contact(spring, ledger.customer(team=below))
    ledger.contact(spring, ledger.customer())
    assert counts(alice, spring) == (3, 1, 1)
    assert counts(bob, spring) == (1, 0, 0)
    assert counts(charlie, spring) == (1, 1, 1)
    assert [queries.report(viewer).total.people for viewer in (alice, bob, charlie)] == [3, 1, 1]
    assert [len(queries.contacts(viewer, Q(campaign=spring))) for viewer in (alice, bob, charlie)] == [3, 1, 1]
    assert [len(queries.reaction_days(viewer, spring)) for viewer in (alice, bob, charlie)] == [1, 0, 1]


def test_a_merged_customer_is_seen_through_the_survivor_and_counted_as_drawn(
    ledger: Ledger, alice: User, charlie: User
) -> None:
    spring = ledger.campaign("1")
    winner, loser = ledger.customer("winner", owner=charlie), ledger.customer("loser")
    ledger.contact(spring, winner)
    line = ledger.contact(spring, loser)
    ledger.answer(line)
    ledger.merge(loser, winner)
    for viewer in (alice, charlie):
        assert counts(viewer, spring) == (2, 1, 1)
        assert [contact.customer for contact in queries.contacts(viewer, Q(campaign=spring))] == [winner, winner]
    assert [row.reactions for row in queries.received([winner.pk, loser.pk])] == [1, 0]


def test_an_erased_person_stays_in_the_whole_and_in_no_list(ledger: Ledger, alice: User, charlie: User) -> None:
    spring = ledger.campaign("1")
    ledger.contact(spring, ledger.customer(owner=charlie))
    Exposure.objects.create(campaign=spring, customer=None, sent_on=date(2017, 3, 1))
    Exposure.objects.create(campaign=spring, customer=None, sent_on=date(2017, 3, 1))
    assert counts(alice, spring) == (3, 0, 0)
    assert queries.report(alice).total.people == 3
    assert counts(charlie, spring) == (1, 0, 0)
    assert len(queries.contacts(alice, Q(campaign=spring))) == 1


def test_contacts_page_by_key_and_split_by_answer(ledger: Ledger) -> None:
    spring = ledger.campaign("1")
    lines = [ledger.contact(spring, ledger.customer(f"household {number}")) for number in range(5)]
    ledger.answer(lines[1], 12)
    ledger.answer(lines[1], 8)
    ledger.answer(lines[3], 9)
    first = queries.contacts(None, Q(campaign=spring), limit=3)
    rest = queries.contacts(None, Q(campaign=spring), limit=3, after=first[-1].key)
    assert [contact.customer.name for contact in first + rest] == [f"household {number}" for number in range(5)]
    answered = queries.contacts(None, Q(campaign=spring), answered=True)
    assert [(c.reactions, c.first_answer) for c in answered] == [(2, date(2017, 3, 8)), (1, date(2017, 3, 9))]
    assert [c.key for c in queries.contacts(None, Q(campaign=spring), answered=False)] == [
        lines[0].pk,
        lines[2].pk,
        lines[4].pk,
    ]
    days = [(found.day.day, found.reactions) for found in queries.reaction_days(None, spring)]
    assert days == [(8, 1), (9, 1), (12, 1)]


def test_more_campaigns_ask_the_database_no_more_often(ledger: Ledger) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            queries.report(None)
        return len(captured)

    ledger.answer(ledger.contact(ledger.campaign("0"), ledger.customer()))
    before = asked()
    for number in range(1, 8):
        ledger.answer(ledger.contact(ledger.campaign(str(number), f"Type {number}"), ledger.customer()))
    assert asked() == before


def test_nothing_contacted_has_no_rate(ledger: Ledger) -> None:
    spring = ledger.campaign("1")
    assert queries.responses(None) == {}
    report = queries.report(None)
    assert report.campaigns == [(spring, queries.Response(0, 0, 0, None))]
    assert report.total.response.share is None
    assert queries.received([]) == []
