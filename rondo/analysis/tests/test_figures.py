"""Who may not see all customers gets figures over those they may see, and these add up to the whole."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core.cache import cache

from rondo.analysis.actions import run_analysis
from rondo.analysis.queries import current_run, figures, score_of, visible_scores
from rondo.analysis.results import Results
from rondo.analysis.tests.world import customer, purchase, seeded_base
from rondo.campaigns.models import Campaign, Exposure
from rondo.customers.actions import merge
from rondo.customers.models import Customer, Survivor
from rondo.foundation.actors import system
from rondo.foundation.models import Load, User
from rondo.warehouse.tests.world import load, source

pytestmark = pytest.mark.django_db


def get(viewer: User | None) -> Results:
    found = figures(viewer)
    assert found is not None
    return found


def test_before_the_first_run_there_are_none(alice: User) -> None:
    assert current_run() is None and figures(alice) is None and score_of(1) is None


def test_two_owners_share_the_whole(make_user: Callable[..., User], alice: User) -> None:
    people = seeded_base()
    dora, emil = (make_user(name, role="sales", reach="own") for name in ("dora", "emil"))
    Customer.objects.filter(pk__in=[one.pk for one in people[:20]]).update(owner=dora)
    Customer.objects.filter(pk__in=[one.pk for one in people[20:]]).update(owner=emil)
    run_analysis(system())
    whole, parts = get(alice), [get(dora), get(emil)]
    assert [part["totals"]["customers"] for part in parts] == [20, 40]
    for name in ("buyers", "orders", "lines", "revenue", "nonpositive_orders"):
        assert sum(int(str(part["totals"][name])) for part in parts) == whole["totals"][name], name
    assert sum(part["visible_value"] for part in parts) == whole["visible_value"]
    for state in ("active", "late", "asleep", "never", "late_value"):
        assert sum(part["activity"][state] for part in parts) == whole["activity"][state]
    for number, one in enumerate(whole["value_bins"]):
        assert sum(part["value_bins"][number]["customers"] for part in parts) == one["customers"]
        assert sum(part["value_bins"][number]["value"] for part in parts) == one["value"]
    for number, cell in enumerate(whole["grid"]):
        assert sum(part["grid"][number]["customers"] for part in parts) == cell["customers"]
        assert sum(part["grid"][number]["value"] for part in parts) == cell["value"]
    for number, week in enumerate(whole["weekly"]):
        assert sum(part["weekly"][number]["revenue"] for part in parts) == week["revenue"]
    assert all(part["value"] is None and part["holdout"] is None and part["forecast"] == [] for part in parts)


def test_charlie_who_owns_nobody_sees_nothing(charlie: User) -> None:
    seeded_base(customers=5, days=60)
    run_analysis(system())
    found = get(charlie)
    assert (found["totals"]["customers"], found["totals"]["revenue"], found["visible_value"]) == (0, 0, 0)
    assert found["concentration"] is None and not visible_scores(charlie).exists()


def test_a_merged_record_counts_with_its_survivor_and_a_hidden_load_not(bob: User) -> None:
    ann, anna = customer("Ann", team=bob.team), customer("Anna")
    hidden = load(Load.Status.UNDONE)
    purchase(ann, "2024-01-05", 100)
    purchase(anna, "2024-01-06", 30)
    purchase(ann, "2024-01-06", 9, load=hidden)
    Survivor.objects.create(customer=anna, survivor=ann)
    Customer.objects.filter(pk=anna.pk).update(is_merged=True)
    run_analysis(system())
    found = get(bob)
    assert (found["totals"]["revenue"], found["totals"]["orders"], found["totals"]["customers"]) == (130, 2, 1)


def test_figures_are_cached_per_run_and_viewer(bob: User, charlie: User, django_assert_num_queries: Any) -> None:
    purchase(customer("Ann", owner=charlie), "2024-01-05", 100)
    run_analysis(system())
    assert get(charlie)["totals"]["revenue"] == 100
    assert get(bob)["totals"]["revenue"] == 0
    with django_assert_num_queries(1):
        get(charlie)
    cache.clear()
    purchase(customer("Bea", owner=charlie), "2024-01-05", 11)
    run_analysis(system())
    assert get(charlie)["totals"]["revenue"] == 111


def test_the_ledger_is_counted_over_merged_records_without_what_was_taken_back(dora_and_contacts: User) -> None:
    assert get(dora_and_contacts)["totals"]["exposures"] == 2
    assert get(dora_and_contacts)["totals"]["campaigns"] == 1


@pytest.fixture
def dora_and_contacts(make_user: Callable[..., User]) -> User:
    """Dora owns one customer, into whom another was merged; each got a mail, and one more each that does not count."""
    seeded_base(customers=5, days=60)
    dora = make_user("dora", role="sales", reach="own")
    hidden = load(Load.Status.UNDONE)
    kept, lost = customer("Kept", owner=dora), customer("Lost")
    day = date(2023, 1, 5)
    one, other = (
        Campaign.objects.create(source=source(), number=n, name=n, type="A", starts_on=day, ends_on=day) for n in "12"
    )
    for row in (kept, lost):
        Exposure.objects.create(campaign=one, customer=row, sent_on=day)
        Exposure.objects.create(campaign=other, customer=row, sent_on=day, load=hidden)
    merge(system(), lost, kept)
    run_analysis(system())
    return dora
