"""Links in time, and who belongs to whom: merged records, hidden customers, circles, and the rule that asks for it."""

from datetime import date, timedelta
from typing import Any

import pytest

from rondo.customers import actions, queries
from rondo.customers.belonging import circle_of, keys_in_circles
from rondo.customers.models import Customer, Link
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import business_now
from rondo.foundation.models import AuditEntry

pytestmark = pytest.mark.django_db
ACTOR = system()


def person(name: str) -> Customer:
    return actions.create_customer(ACTOR, name=name)


def group(name: str, kind: str = "household") -> Customer:
    return actions.create_customer(ACTOR, kind=kind, name=name)


def names(viewer: Any, root: Customer) -> set[str]:
    return {member.customer.name for member in circle_of(viewer, root.pk).members}


def test_a_person_leaves_comes_back_and_the_former_link_stays_told(manager: Actor) -> None:
    anna, works = person("Anna"), group("Works", "organisation")
    first = actions.link(manager, anna, works, "employee", position="  Buyer ", since=date(2015, 1, 1))
    assert first.position == "Buyer"
    actions.change_link(manager, first.pk, until=date(2016, 12, 31))
    assert queries.links_of(manager.user, [anna.pk]) == [] and names(None, works) == set()
    (former,) = queries.links_of(manager.user, [anna.pk], ended=True)
    assert (former.link.position, former.link.until) == ("Buyer", date(2016, 12, 31))
    again = actions.link(manager, anna, works, "employee")
    assert again.pk != first.pk and names(None, works) == {"Anna"}
    with pytest.raises(StateError, match="again already"):
        actions.change_link(manager, first.pk, until=None)
    told = AuditEntry.objects.filter(verb="link.changed", record_id=anna.pk).get()
    assert told.changes == {"employee": [works.pk, works.pk], "until": [None, "2016-12-31"]}


def test_days_and_roles_that_cannot_be_are_refused(manager: Actor) -> None:
    anna, ben, works = person("Anna"), person("Ben"), group("Works", "organisation")
    tomorrow = business_now().date() + timedelta(days=1)
    with pytest.raises(InputError, match="future"):
        actions.link(manager, anna, works, "employee", since=tomorrow)
    row = actions.link(manager, anna, works, "employee", since=date(2015, 1, 1))
    for values, why in (
        ({"until": tomorrow}, "future"),
        ({"until": date(2014, 12, 31)}, "before the first"),
        ({"position": "x" * 61}, "position"),
        ({"role": "partner"}, "no field of a link"),
    ):
        with pytest.raises(InputError, match=why):
            actions.change_link(manager, row.pk, **values)
    with pytest.raises(InputError, match="does not end"):
        actions.change_link(manager, actions.link(manager, anna, ben, "referred").pk, until=date(2016, 1, 1))
    with pytest.raises(InputError, match="whom to make"):
        actions.link_new(manager, anna, "partner", "Somebody")
    assert not Customer.objects.filter(name="Somebody").exists()


def test_a_tree_of_companies_counts_everybody_once_and_refuses_a_circle(manager: Actor) -> None:
    top, middle, low = (group(name, "organisation") for name in ("Top", "Middle", "Low"))
    anna = person("Anna")
    actions.link(manager, middle, top, "subsidiary")
    actions.link(manager, low, middle, "subsidiary")
    for works in (low, top):
        actions.link(manager, anna, works, "employee")
    whole = circle_of(None, top.pk)
    assert [(one.customer.name, one.level) for one in whole.members] == [("Middle", 1), ("Anna", 1), ("Low", 2)]
    with pytest.raises(InputError, match="Low belongs to Top already"):
        actions.link(manager, top, low, "subsidiary")
    other = group("Other", "organisation")
    actions.link(manager, top, other, "subsidiary")
    actions.merge(ACTOR, other, low)  # closes a circle that no link may close
    assert names(None, top) == {"Low", "Middle", "Anna"} and names(None, low) == {"Top", "Middle", "Anna"}


def test_merged_members_are_one_and_a_link_to_itself_is_out_of_sight(manager: Actor) -> None:
    house, anna, twin = group("Miller household"), person("Anna"), person("Anna Miller")
    one, _two = (actions.link(manager, who, house, "member") for who in (anna, twin))
    actions.link(manager, anna, twin, "partner")
    edge = actions.merge(ACTOR, twin, anna)
    whole = circle_of(None, house.pk)
    assert [member.customer for member in whole.members] == [anna]
    assert whole.records == {house.pk: house.pk, anna.pk: anna.pk, twin.pk: anna.pk}
    assert len(queries.links_of(None, queries.record_ids(anna.pk))) == 1
    assert actions.link(manager, anna, house, "member") == one
    gone = actions.unlink(manager, one.pk)
    assert len(gone) == 2 and names(None, house) == set()
    actions.put_back_link(manager, [actions.Removed.from_dict(row.to_dict()) for row in gone])
    actions.put_back_link(manager, gone)
    actions.unmerge(ACTOR, edge.pk)
    assert names(None, house) == {"Anna", "Anna Miller"} and Link.objects.filter(role="member").count() == 2


def test_who_may_not_be_seen_is_no_member_and_leads_to_none(seller: Actor, manager: Actor) -> None:
    """A sub-company that one may not see does not tell who belongs to it, either."""
    top, hidden = group("Top", "organisation"), group("Hidden", "organisation")
    anna, ben, cem = person("Anna"), person("Ben"), person("Cem")
    for row in (top, anna, ben):
        actions.assign_owner(ACTOR, row, seller.user)
    actions.link(manager, hidden, top, "subsidiary")
    for who, works in ((anna, top), (ben, hidden), (cem, top)):
        actions.link(manager, who, works, "employee")
    assert names(seller.user, top) == {"Anna"}
    assert names(manager.user, top) == {"Anna", "Hidden", "Ben", "Cem"}
    assert keys_in_circles(seller.user, [top.pk, hidden.pk]) == [top.pk, anna.pk]
    with pytest.raises(NotFound):
        actions.change_link(seller, Link.objects.get(subject=cem).pk, position="Buyer")


def test_reading_a_circle_takes_as_many_queries_for_many(django_assert_num_queries: Any) -> None:
    house = group("Household")
    for count in (1, 8):
        for _number in range(count):
            actions.link_new(ACTOR, house, "member", "Somebody", outward=False)
        with django_assert_num_queries(5):
            circle_of(None, house.pk)
