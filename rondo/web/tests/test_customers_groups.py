"""The list by the values of a field: lanes, figures and charts that agree with the list, and cards that are moved."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from rondo.customers.actions import define_attribute, merge, set_attribute
from rondo.customers.models import AttributeDefinition, AttributeValue, Survivor
from rondo.foundation.actors import system
from rondo.foundation.models import Load
from rondo.web.customers.groups import MOST_GROUPS, figures, groupable, groups_of
from rondo.web.customers.query import ListQuery
from rondo.web.customers.selection import Selection
from rondo.web.tests.customers_data import (
    give_score,
    make_attributes,
    make_customer,
    make_run,
    names_of,
    set_value,
)

pytestmark = pytest.mark.django_db
BOARD = "as=board&by=attr.size"


@pytest.fixture
def client(installation: Any, alice: Any, signed_in: Any) -> Any:
    """Alice, who administers and sees everybody."""
    return signed_in(alice)


def lanes(client: Any, address: str) -> dict[str, list[str]]:
    """Names of the cards by lane."""
    found = client.get(f"/customers/?{address}").context["lanes"]
    return {str(lane.label): [row.customer.name for row in lane.rows] for lane in found}


def base(bob: Any) -> None:
    """Two small, one large of a team, one large by a record merged into it, one of whom nothing is known."""
    make_run()
    size = make_attributes()["size"]
    for name, value, worth, team in (
        ("Ada", "s", 100, None), ("Bea", "s", 300, None), ("Cleo", "l", 200, bob.team), ("Dora", "", 50, None),
    ):  # fmt: skip
        row = make_customer(name, team=team)
        give_score(row, value=worth * 100, orders=worth)
        if value:
            set_value(row, size, text=value)
    kept, lost = make_customer("Eve"), make_customer("Lost")
    set_value(lost, size, text="l")
    merge(system(), lost, kept)


def test_a_board_has_a_lane_for_every_value_and_one_for_none(client: Any, bob: Any) -> None:
    base(bob)
    assert lanes(client, BOARD) == {
        "small": ["Bea", "Ada"], "large": ["Cleo", "Eve"], "middle": [], "not known": ["Dora"],
    }  # fmt: skip
    assert lanes(client, f"{BOARD}&f=orders:min:150&sort=name")["small"] == ["Bea"]
    assert lanes(client, f"{BOARD}&q=ada") == {"small": ["Ada"], "large": [], "middle": [], "not known": []}
    assert list(lanes(client, "as=board&by=kind")) == ["Person", "Household", "Organisation"]


def test_figures_charts_and_lists_behind_them_agree_within_everybodys_reach(
    client: Any, bob: Any, signed_in: Any
) -> None:
    base(bob)
    for who, sizes in ((client, {"small": 2, "large": 2, "not known": 1}), (signed_in(bob), {"large": 1})):
        page = who.get(f"/customers/?{BOARD}")
        for lane in page.context["lanes"]:
            behind = names_of(who, f"/customers/{lane.address}")
            assert [row.customer.name for row in lane.rows] == behind
            assert len(behind) == sizes.get(str(lane.label), 0)
        figures = who.get(f"/customers/groups?{BOARD}").content.decode()
        assert re.findall(r'<span class="num">(\d+)</span>', figures) == [
            str(sizes.get(label, 0)) for label in ("small", "large", "middle", "not known")
        ]
        file = who.get("/customers/groups/value?as=chart&by=attr.size").content.decode().splitlines()
        assert [line.split(",")[:2] for line in file[1:]] == [
            [label, str(sizes.get(label, 0))] for label in ("small", "large", "middle", "not known")
        ]
    chart = client.get("/customers/groups?as=chart&by=attr.size").content.decode()
    assert "small is worth most together: $400" in chart and chart.count("<svg") >= 2
    png = client.get("/customers/groups/count?as=chart&by=attr.size&as=png")
    assert png["Content-Type"] == "image/png" and png.content[:4] == b"\x89PNG"
    assert client.get("/customers/groups/none?by=attr.size").status_code == 404


@pytest.mark.parametrize("merged", [False, True])
def test_figures_counted_together_are_those_of_each_list_with_one_filter_more(
    client: Any, alice: Any, bob: Any, merged: bool
) -> None:
    """For every field to group by, of whatever list, whoever looks: also without a score, and after an import that was
    taken back."""
    base(bob)
    if not merged:
        Survivor.objects.all().delete()
    pets = AttributeDefinition.objects.get(key="pets")
    undone = Load.objects.create(kind="customers", file_name="f", fingerprint="f", status="undone")
    for number in range(12):
        load = undone if number == 3 else None
        row = make_customer(f"Ann {number}", owner=(alice, bob, None)[number % 3], team=bob.team, load=load)
        set_value(row, pets, number=float(number % 2))
        if number % 4:
            worth = None if number == 6 else 100 * number
            give_score(row, value=worth, orders=number, activity=("late", "active", None)[number % 3])
    ruled = "rule=orders >= 2 or owner = me"
    for viewer, addresses in ((alice, ("", "f=orders:min:2", "f=activity:not:late&q=ann", ruled)), (bob, ("", ruled))):
        for address in addresses:
            query = ListQuery(viewer, QueryDict(address))
            assert not query.errors
            for by in groupable(query.fields.values()):
                for one in figures(query, groups_of(query, by)):
                    asked = [*query.conditions, one.group.condition]
                    alone = Selection(viewer, asked, query.search, rule=query.rule).count()
                    assert (one.number, one.worth) == alone, (address, by.key, one.group.label)


def test_a_card_is_moved_and_taken_back_and_never_over_a_colleague(client: Any, bob: Any, signed_in: Any) -> None:
    base(bob)
    row = AttributeValue.objects.get(customer__name="Cleo").customer

    def move(value: str, seen: str, who: Any = client) -> Any:
        return who.post(f"/customers/{row.public_id}/move?{BOARD}&f=orders:min:1", {"value": value, "seen": seen})

    answer = move("m", "l")
    assert {str(g.label): len(g.rows) for g in answer.context["lanes"]} == {
        "small": 2, "large": 0, "middle": 1, "not known": 1,
    }  # fmt: skip
    back = client.post(json.loads(answer["HX-Trigger"])["toast"]["undo"])
    assert BOARD in back["Location"] and AttributeValue.objects.get(customer=row).text == "l"
    set_attribute(system(), row, "size", "s")
    late = json.loads(move("m", "l")["HX-Trigger"])["toast"]
    assert "now small, yours would be middle" in late["text"] and "undo" not in late
    assert AttributeValue.objects.get(customer=row).text == "s"
    move("", "s")
    assert lanes(client, BOARD)["not known"] == ["Cleo", "Dora"]
    # What is worked out is looked at, not moved; and who may only read moves nothing.
    assert client.post(f"/customers/{row.public_id}/move?as=board&by=activity", {"value": "late"}).status_code == 404
    assert "data-movable" not in client.get("/customers/?as=board&by=activity").content.decode()
    stranger = signed_in(bob)
    other = AttributeValue.objects.filter(customer__name="Ada").get().customer
    told = stranger.post(f"/customers/{other.public_id}/move?{BOARD}", {"value": "l", "seen": "s"})
    assert "not there or not yours" in told["HX-Trigger"]


def test_owners_are_lanes_too(client: Any, alice: Any, bob: Any) -> None:
    row = make_customer("Ada", owner=bob)
    assert lanes(client, "as=board&by=owner") == {"Alice": [], "Bob": ["Ada"], "nobody": []}
    client.post(f"/customers/{row.public_id}/move?as=board&by=owner", {"value": str(alice.pk), "seen": str(bob.pk)})
    assert lanes(client, "as=board&by=owner")["Alice"] == ["Ada"]


def test_the_number_of_queries_does_not_grow_with_the_cards(client: Any) -> None:
    size = make_attributes()["size"]

    def add(count: int) -> None:
        for number in range(count):
            row = make_customer(f"Customer {number}")
            give_score(row, value=number)
            set_value(row, size, text="sl"[number % 2])

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            client.get(address)
        return len(caught)

    addresses = (f"/customers/?{BOARD}&cols=owner,value,attr.city", f"/customers/groups?{BOARD}")
    add(4)
    few = [queries(address) for address in addresses for _twice in range(2)][1::2]
    add(40)
    assert all(queries(address) <= before for address, before in zip(addresses, few, strict=True))


def test_values_without_a_group_of_their_own_stand_together(client: Any) -> None:
    """So that groups and shares are of the whole list; a label is no formula in the file."""
    words = [{"value": f"v{number}", "en": f"=V{number}"} for number in range(MOST_GROUPS + 3)]
    big = define_attribute(system(), "big", label_en="Big", type="choice", form="benefit", choices=words)
    for number in (0, MOST_GROUPS, MOST_GROUPS + 2):
        set_value(make_customer(f"C{number}"), big, text=f"v{number}")
    file = client.get("/customers/groups/count?as=chart&by=attr.big").content.decode().splitlines()
    assert file[1] == "'=V0,1,0.333333" and file[-2:] == ["Others,2,0.666667", "not known,0,0.0"]
    page = client.get("/customers/?as=board&by=attr.big")
    rest = page.context["lanes"][-2]
    assert rest.rest and len(rest.rows) == 2 and len(names_of(client, f"/customers/{rest.address}")) == 2
    assert page.content.decode().count("data-move-card") == 1
