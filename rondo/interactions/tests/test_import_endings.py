"""A file that says that memberships of households ended: tried, refused where it cannot be, told, and taken back."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from rondo.customers import actions
from rondo.customers.belonging import circle_of
from rondo.customers.models import Customer, Link
from rondo.customers.queries import visible
from rondo.errors import InputError
from rondo.foundation.actors import system
from rondo.foundation.installation import business_now
from rondo.foundation.models import AuditEntry, Installation, Load
from rondo.interactions.importing import undo
from rondo.interactions.tests.import_files import load, rejects, write

pytestmark = pytest.mark.django_db
HOMES = "external_id,name,household\n1,Anna,Müller\n2,Ben,Müller\n3,Cem,Kaya\n4,Dan,\n"
LAST = date(2024, 5, 31)


@pytest.fixture(autouse=True)
def _homes(installation: Installation, tmp_path: Path) -> None:
    """Anna and Ben live in one household, Cem in another, Dan in none."""
    load("customers", write(tmp_path, HOMES))


def person(name: str) -> Customer:
    return visible(None).get(name=name)


def lives(name: str) -> bool:
    """Whether a customer lives in the Müllers' household, as its page shows it."""
    members = circle_of(None, visible(None).get(name="Müller").pk).members
    return name in {row.customer.name for row in members}


def ends(tmp_path: Path, rows: str, **options: Any) -> Load:
    return load("customers", write(tmp_path, f"external_id,household,household_until\n{rows}"), **options)


def test_a_membership_ends_on_the_day_that_the_file_says_and_the_undo_opens_it_again(tmp_path: Path) -> None:
    tried = ends(tmp_path, "1,MUELLER,2024-05-31\n", dry_run=True)
    assert tried.counts["memberships_ended"] == 1 and lives("Anna"), "a trial changes nothing"
    anna, house = person("Anna"), visible(None).get(name="Müller")
    done = ends(tmp_path, "1,MUELLER,2024-05-31\n4,,\n")
    assert rejects(done) == [] and done.counts["memberships_ended"] == 1
    assert done.counts.get("members_linked") is None
    row = Link.objects.get(subject=anna)
    assert (row.until, lives("Anna"), lives("Ben")) == (LAST, False, True)
    for customer, role, other in ((anna, "member", house), (house, "member of", anna)):
        entry = AuditEntry.objects.get(verb="link.changed", record_id=customer.pk)
        assert entry.changes == {role: [other.pk, other.pk], "until": [None, "2024-05-31"]}
        assert entry.load_id == done.pk
    again = ends(tmp_path, "1,Müller,2024-05-31\n2,,\n")
    assert rejects(again) == [] and not again.counts.get("memberships_ended"), "the same day again is nothing new"
    taken = undo(system(), done.pk)
    assert (taken.undo["restored"], lives("Anna")) == (1, True)
    assert Link.objects.get(subject=anna).until is None
    assert AuditEntry.objects.filter(verb="link.changed", record_id=house.pk).count() == 2


def test_what_is_no_membership_or_began_later_is_refused_with_its_reason(tmp_path: Path) -> None:
    actions.change_link(system(), Link.objects.get(subject=person("Ben")).pk, since=date(2024, 6, 1))
    actions.change_link(system(), Link.objects.get(subject=person("Cem")).pk, until=date(2024, 1, 1))
    ahead = business_now().date() + timedelta(days=2)
    rows = (
        f"1,Müller,{ahead}\n2,Müller,2024-05-31\n3,Kaya,2024-05-31\n4,Müller,2024-05-31\n9,Nobody,2024-05-31\n"
        "8,,2024-05-31\n6,,\n"
    )
    run = ends(tmp_path, rows)
    told = {row["line"]: (row["column"], row["value"], row["reason"]) for row in rejects(run)}
    assert {line: column for line, (column, _value, _reason) in told.items()} == dict.fromkeys(
        ("2", "3", "4", "5", "6", "7"), "household_until"
    )
    for line, part in {
        "2": "lies in the future",
        "3": "before the first day of the membership, 2024-06-01",
        "4": "ended on 2024-01-01",
        "5": "does not live in this household",
        "6": "does not live in this household",
        "7": "names no household",
    }.items():
        assert part in told[line][2], line
    assert lives("Anna") and lives("Ben") and not visible(None).filter(name="Nobody").exists()
    assert Customer.objects.filter(identifiers__value__in=["8", "9"]).count() == 0
    with pytest.raises(InputError, match="map household"):
        load("customers", write(tmp_path, "external_id,household_until\n1,2024-05-31\n"))


def test_the_undo_leaves_what_was_changed_since(tmp_path: Path) -> None:
    """A corrected last day stays, and who moved in again has no two memberships."""
    done = ends(tmp_path, "1,Müller,2024-05-31\n2,Müller,2024-05-31\n")
    anna, ben, house = person("Anna"), person("Ben"), visible(None).get(name="Müller")
    actions.change_link(system(), Link.objects.get(subject=anna).pk, until=date(2024, 6, 30))
    actions.link(system(), ben, house, "member")
    taken = undo(system(), done.pk)
    assert (taken.undo["restored"], taken.undo["left"]) == (0, 2)
    assert Link.objects.get(subject=anna).until == date(2024, 6, 30)
    assert Link.objects.filter(subject=ben, until=None).count() == 1 and lives("Ben")


def test_known_customers_left_alone_stay_and_merged_ones_leave_as_one(tmp_path: Path) -> None:
    skipped = ends(tmp_path, "1,Müller,2024-05-31\n", on_match="skip")
    assert not skipped.counts.get("memberships_ended") and lives("Anna")
    twin = actions.create_customer(system(), name="Anna M.", identifiers=[("external", "77")], source="shop")
    actions.merge(system(), person("Anna"), twin)
    ends(tmp_path, "77,Müller,2024-05-31\n", match_by=("external",))
    assert Link.objects.filter(until=LAST).count() == 1 and not lives("Anna")


def test_the_same_file_again_leaves_who_came_back(tmp_path: Path) -> None:
    """Whole exports come again and again: a membership that began after the one that the file ended is another."""
    anna, house = person("Anna"), visible(None).get(name="Müller")
    first = ends(tmp_path, "1,Müller,2024-05-31\n")
    actions.link(system(), anna, house, "member")
    again = ends(tmp_path, "1,Müller,2024-05-31\n2,,\n")
    assert rejects(again) == [] and not again.counts.get("memberships_ended") and lives("Anna")
    Link.objects.filter(subject=anna, until=None).update(until=LAST + timedelta(days=9))
    undo(system(), first.pk)
    assert not lives("Anna"), "what has ended twice is not opened by taking the first end back"
