"""Pages of households and organisations: links by search, members, what all bring together, one chain of all."""

import re
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from rondo.analysis.models import Score
from rondo.customers import actions
from rondo.customers.models import Customer, Link
from rondo.customers.queries import binned, visible
from rondo.foundation.actors import system
from rondo.foundation.models import User
from rondo.web.households.reading import read_whole
from rondo.web.tests.customers_data import contact, give_score, make_customer, make_run, moments, purchase

pytestmark = pytest.mark.django_db
ACTOR = system()


@pytest.fixture
def client(signed_in: Any, alice: User, installation: Any) -> Client:
    """Alice, who sees all."""
    make_run()
    found: Client = signed_in(alice)
    return found


def household(name: str = "Miller household", *members: Customer) -> Customer:
    house = make_customer(name, kind="household")
    for member in members:
        actions.link(ACTOR, member, house, "member")
    return house


def page_of(client: Client, customer: Customer, more: str = "") -> str:
    return " ".join(client.get(f"/customers/{customer.public_id}/{more}").content.decode().split())


def undo_of(response: Any) -> str:
    """The address that takes back what was just done."""
    *_before, message = get_messages(response.wsgi_request)
    assert "undo:" in message.extra_tags, message
    return str(message.extra_tags).partition("undo:")[2]


def posted(client: Client, address: str, **values: str) -> Any:
    response = client.post(address, values)
    assert response.status_code == 302, response.content
    return response


def test_linking_by_search_and_its_undo(client: Client) -> None:
    ann, house = make_customer("Ann Miller"), household()
    make_customer("Miller, the person")
    at = f"/customers/{ann.public_id}/links"
    found = client.get(f"{at}/find", {"as": "member-out", "q": "mil"}).content.decode()
    assert house.public_id in found and "Miller, the person" not in found and "New household “mil”" in found
    done = posted(
        client, f"{at}/add", **{"as": "member-out", "q": "mil", "other": house.public_id, "position": "Mother"}
    )
    assert "lives in the household" in page_of(client, ann) and "as Mother" in page_of(client, house)
    gone = posted(client, undo_of(done))
    assert not Link.objects.exists()
    posted(client, undo_of(gone))
    assert Link.objects.get().position == "Mother"


def test_a_company_made_right_there_and_left_again(client: Client) -> None:
    ann = make_customer("Ann Miller")
    at = f"/customers/{ann.public_id}/links"
    posted(client, f"{at}/add", **{"as": "employee-out", "q": "Acme Ltd", "new": "1", "since": "2015-03-01"})
    row = Link.objects.get()
    assert (row.object.name, row.object.kind, row.role, row.since) == (
        "Acme Ltd", "organisation", "employee", date(2015, 3, 1),
    )  # fmt: skip
    left = posted(client, f"{at}/{row.pk}/change", position="Buyer", since="2015-03-01", until="2016-02-29")
    text = " ".join(client.get(at).content.decode().split())
    assert "as Buyer, 1 Mar 2015 to 29 Feb 2016" in text
    assert f"/links/{row.pk}/" not in page_of(client, ann)
    posted(client, undo_of(left))
    row.refresh_from_db()
    assert (row.until, row.position) == (None, "")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"as": "subsidiary-out"}, "belongs to"),
        ({"as": "subsidiary-out", "since": "soon"}, "is no day"),
        ({"as": "partner-out", "other": "c_nobody"}, "not there"),
    ],
)
def test_what_cannot_be_linked_is_said(client: Client, values: dict[str, str], said: str) -> None:
    top, low = (make_customer(name, kind="organisation") for name in ("Top", "Low"))
    actions.link(ACTOR, low, top, "subsidiary")
    response = posted(client, f"/customers/{top.public_id}/links/add", **{"other": low.public_id, **values})
    (message,) = get_messages(response.wsgi_request)
    assert said in str(message) and message.level_tag == "error"
    assert Link.objects.count() == 1


def test_the_household_says_what_all_bring_and_who_slips(client: Client) -> None:
    ann, ben, cem = (make_customer(name) for name in ("Ann", "Ben", "Cem"))
    house = household("Miller household", ann, ben, cem)
    day = date(2017, 12, 1)
    give_score(ann, value=100_00, value_low=40_00, value_high=180_00, spend=500_00, orders=10, activity="active")
    give_score(
        ben, value=20_00, value_low=0, value_high=70_00, spend=90_00, orders=2, activity="late", last_purchase=day
    )
    text = page_of(client, house)
    for words in (
        "$120", "$40 to $250", "This household and its 3 members", "$590", "by 2 of them", "Ben",
        "1 of them</a> buys later", "1 Dec 2017", "If each went by themselves",
    ):  # fmt: skip
        assert words in text, words
    address = re.search(r'href="(/customers/\?rule=[^"]*activity[^"]*)"', text)
    assert address is not None
    listed = client.get(address[1].replace("&amp;", "&"))
    assert [row.customer.name for row in listed.context["rows"]] == ["Ben"]


def test_one_chain_of_all_each_entry_says_whose_it_is(client: Client) -> None:
    ann, ben = make_customer("Ann"), make_customer("Ben")
    house = household("Miller household", ann, ben)
    for number, at in enumerate(moments(50)):
        purchase((ann, ben)[number % 2], at, 10_00 + number, str(number))
    contact(house, "letter", moments(1)[0], "To all of you")
    text = page_of(client, house)
    assert text.count('class="whose"') == 40 and "To all of you" in text
    assert f"/customers/{ben.public_id}/baskets/" in text and f"/customers/{house.public_id}/baskets/" not in text
    before = re.search(r"chain\?before=(i_\w+)", text)
    assert before is not None
    more = client.get(f"/customers/{house.public_id}/chain", {"before": before[1]}).content.decode()
    assert more.count('class="whose"') == 11
    alone = page_of(client, house, "?of=own")
    assert "To all of you" in alone and 'class="whose"' not in alone and "/baskets/" not in alone
    only = client.get(f"/customers/{house.public_id}/chain", {"kind": "letter"}).content.decode()
    assert only.count('class="whose"') == 1


def test_who_may_live_together_is_one_click_and_its_undo(client: Client) -> None:
    people = {
        name: actions.create_customer(ACTOR, given_name=given, family_name="Müller")
        for name, given in (("ann", "Ann"), ("ben", "Ben"), ("far", "Far"))
    }
    for name, street in (("ann", "Goethestraße 5"), ("ben", "goethestr. 5"), ("far", "Goethestraße 55")):
        actions.add_address(ACTOR, people[name], street=street, postal_code="20144", city="Hamburg")
    at = f"/customers/{people['ann'].public_id}/links"
    offered = client.get(f"{at}/find").content.decode()
    assert "Ben Müller" in offered and "New: Müller household" in offered and "Far" not in offered
    made = posted(client, f"{at}/add", **{"with": people["ben"].public_id})
    house = Customer.objects.get(kind="household")
    assert set(house.links_in.values_list("subject_id", flat=True)) == {people["ann"].pk, people["ben"].pk}
    assert "Ben Müller" not in client.get(f"{at}/find").content.decode()
    dan = actions.create_customer(ACTOR, given_name="Dan", family_name="Müller")
    actions.add_address(ACTOR, dan, street="Goethestr. 5", postal_code="20144")
    assert "Dan" not in client.get(f"{at}/find").content.decode()
    cem = actions.create_customer(ACTOR, given_name="Cem", family_name="Müller")
    actions.add_address(ACTOR, cem, street="Goethestrasse 5", postal_code="20144")
    joined = client.get(f"/customers/{cem.public_id}/links/find").content.decode()
    assert f'name="home" value="{house.public_id}"' in joined
    posted(client, f"/customers/{cem.public_id}/links/add", home=house.public_id)
    assert house.links_in.count() == 3
    posted(client, undo_of(made))
    assert [row.subject for row in house.links_in.all()] == [cem]
    assert visible(None).filter(pk=house.pk).exists(), "another one lives in it"


def test_the_undo_of_a_household_removes_what_it_made(signed_in: Any, make_user: Any, client: Client) -> None:
    seller = make_user("seller", role="sales")
    own = signed_in(seller)
    ann, ben = make_customer("Ann Miller", owner=seller), make_customer("Ben Miller", owner=seller)
    at = f"/customers/{ann.public_id}/links/add"
    company = {"as": "employee-out", "q": "Acme Ltd", "new": "1"}
    for asked in ({"with": ben.public_id}, company):
        made = posted(own, at, **asked)
        (group,) = visible(None).exclude(kind="person")
        posted(own, undo_of(made))
        assert not visible(None).filter(pk=group.pk).exists() and not Link.objects.exists()
        assert binned(None).filter(pk=group.pk).exists(), "and can be put back"
    made = posted(own, at, **company)
    (group,) = visible(None).exclude(kind="person")
    contact(group, "note", datetime(2020, 5, 4, tzinfo=UTC))
    posted(own, undo_of(made))
    assert visible(None).filter(pk=group.pk).exists() and not Link.objects.exists()


def test_the_log_of_changes_names_whom_the_viewer_sees(client: Client) -> None:
    ann = make_customer("Ann")
    house = household("Miller household", ann)
    actions.change_link(ACTOR, Link.objects.get().pk, position="Mother", until=date(2016, 2, 29))
    text = " ".join(client.get(f"/changes/customer/{ann.public_id}").content.decode().split())
    for words in ("Link: changed", "Member of the household", house.name, "Mother", "Last day", "29 Feb 2016"):
        assert words in text, words


def test_sums_are_those_of_whom_the_viewer_sees_each_once(client: Client, alice: User, charlie: User) -> None:
    """Random households and companies, overlapping, nested and merged: what each viewer reads equals the sum over the
    members whom they see, counted by hand from the links."""
    random = Random(20_170_102)
    people = [make_customer(f"P{number}") for number in range(12)]
    houses = [make_customer(f"H{number}", kind="household") for number in range(4)]
    for row in (*people, *houses):
        give_score(row, spend=random.randrange(100_00), orders=random.randrange(20), value=random.randrange(900_00))
        if random.random() < 0.6:
            actions.assign_owner(ACTOR, row, charlie)
    edges: set[tuple[int, int]] = set()
    for who in people:
        for house in random.sample(houses, random.randrange(3)):
            actions.link(ACTOR, who, house, "member")
            edges.add((who.pk, house.pk))
    for low, high in ((1, 0), (2, 1)):
        actions.link(ACTOR, houses[low], houses[high], "member")
        edges.add((houses[low].pk, houses[high].pk))
    merged = {people[0].pk: people[1].pk, people[2].pk: people[3].pk}
    for loser, winner in merged.items():
        actions.merge(ACTOR, loser, winner)
        Score.objects.filter(pk=loser).delete()  # as the next run does
    edges = {(merged.get(low, low), high) for low, high in edges}
    seen = {alice: {row.pk for row in (*people, *houses)} - set(merged)}
    seen[charlie] = set(Customer.objects.filter(owner=charlie, is_merged=False).values_list("pk", flat=True))
    tried = 0
    for viewer, mine in seen.items():
        for house in houses:
            if house.pk not in mine:
                continue
            reached = {house.pk}
            while grown := {low for low, high in edges if high in reached and low in mine} - reached:
                reached |= grown
            house.refresh_from_db()
            whole = read_whole(viewer, house)
            if len(reached) == 1:
                assert whole is None
                continue
            assert whole is not None and sorted(whole.circle.keys) == sorted(reached)
            facts = list(Score.objects.filter(pk__in=reached))
            assert whole.together.revenue == sum(one.spend or 0 for one in facts)
            assert whole.together.orders == sum(one.orders or 0 for one in facts)
            tried += 1
    assert tried >= 5


def test_the_page_asks_as_often_for_many_members(client: Client, django_assert_max_num_queries: Any) -> None:
    house = household("Miller household", make_customer("Ann"))
    give_score(house, orders=0)

    def queries() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        page_of(client, house)
        with CaptureQueriesContext(connection) as asked:
            page_of(client, house)
        return len(asked)

    for at in moments(2):
        purchase(Customer.objects.get(name="Ann"), at, 10_00, at.isoformat())
    few = queries()
    for number in range(15):
        row = make_customer(f"Member {number}")
        give_score(row, value=number, value_low=0, value_high=number, orders=1)
        purchase(row, moments(1)[0], 10_00, f"n{number}")
        actions.link(ACTOR, row, house, "member")
    assert queries() <= few


def test_who_may_not_edit_reads_links_and_changes_none(signed_in: Any, make_user: Any, client: Client) -> None:
    ann = make_customer("Ann")
    house = household("Miller household", ann)
    reads = signed_in(make_user("rita", role="reader"))
    text = page_of(reads, house)
    assert "Ann" in text and "Link to…" not in text and "Remove the link" not in text
    at = f"/customers/{house.public_id}/links"
    assert reads.get(at).status_code == 200
    assert reads.post(f"{at}/add", {"as": "partner-out", "other": ann.public_id}).status_code == 403
