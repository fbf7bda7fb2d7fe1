"""Lists whose statements are kept hold the same customers in the same order as those put into SQL each time."""

import random
from datetime import date, timedelta
from typing import Any

import pytest
from django.http import QueryDict

from rondo.customers.actions import merge
from rondo.customers.models import Customer, Identifier
from rondo.foundation.actors import system
from rondo.foundation.models import Team, User
from rondo.web.customers import selection, walks
from rondo.web.customers.lists import KeyPage, phases, read_page
from rondo.web.customers.query import ListQuery
from rondo.web.tests.customers_data import AS_OF, give_score, make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installation")]

SORTS = (
    "",
    "value",
    "-value",
    "-orders",
    "last_purchase",
    "activity",
    "-activity",
    "name",
    "-name",
    "known_since",
    "kind",
)


def base() -> dict[str, User]:
    """Forty customers with and without facts, some merged, and four viewers of different reach."""
    chance = random.Random(4)
    north = Team.objects.create(name="North")
    south = Team.objects.create(name="South", parent=north)
    viewers = {
        "all": User.objects.create_user("all@example.org", None, name="All", role="manager"),
        "team": User.objects.create_user("t@example.org", None, name="T", role="sales", reach="team", team=north),
        "own": User.objects.create_user("own@example.org", None, name="Own", role="sales", reach="own"),
        "other": User.objects.create_user("other@example.org", None, name="Other", role="sales", reach="own"),
    }
    made: list[Customer] = []
    for number in range(40):
        name = f"{chance.choice(['Anna', 'Änne', 'Bert', 'Ann-Marie', ''])} {chance.choice(['Müller', 'Mund', 'Weiß'])}"
        fields: dict[str, Any] = {"kind": chance.choice(["person", "organisation"])}
        if number % 5 == 4:  # it is merged with the one before
            fields["kind"] = made[-1].kind
        if chance.random() < 0.5:
            fields |= {"known_since": AS_OF - timedelta(days=chance.randint(0, 30))}
        owner = chance.choice([None, viewers["own"], viewers["other"]])
        customer = make_customer(name.strip(), owner=owner, team=chance.choice([None, north, south]), **fields)
        Identifier.objects.create(
            customer=customer, kind="email", value=f"anna{number}@example.org", shown=f"anna{number}@example.org"
        )
        made.append(customer)
        if number % 5 == 4:
            merge(system(), made[-2], made[-1])
        elif chance.random() < 0.8:
            give_score(
                customer,
                value=chance.choice([None, 0, 1000, 2000, 50_000]),
                orders=chance.randint(0, 6),
                activity=chance.choice(["active", "late", "asleep"]),
                last_purchase=chance.choice([None, AS_OF - timedelta(days=chance.randint(0, 40))]),
            )
    return viewers


def asked(chance: random.Random) -> str:
    """The address of some list."""
    day = (AS_OF - timedelta(days=chance.randint(0, 40))).isoformat()
    filters = [
        f"orders:{chance.choice(['min', 'max', 'above', 'below'])}:{chance.randint(0, 6)}",
        f"orders:min:{chance.randint(0, 6)}.5",
        f"value:{chance.choice(['min', 'between'])}:{chance.choice(['0', '10.00', '499'])}",
        f"last_purchase:{chance.choice(['min', 'max', 'above'])}:{day}",
        f"orders:between:{chance.randint(0, 3)}..{chance.randint(3, 6)}",
        f"orders:is:{chance.randint(0, 3)}|{chance.randint(3, 6)}",
        f"activity:{chance.choice(['is', 'not'])}:{chance.choice(['active', 'late|asleep'])}",
        f"value:{chance.choice(['known', 'unknown'])}",
        "kind:is:person",
        f"known_since:{chance.choice(['min', 'max'])}:{day}",
    ]
    parts = [f"f={one}" for one in chance.sample(filters, chance.randint(0, 3))]
    parts = [part.replace("between:", "between:0..") if "value:between" in part else part for part in parts]
    text = chance.choice(["", "", "ann", "mueller a", "anna1", "anna7@example.org", "weiß", "bert mu", "100%", "!"])
    parts.append(f"sort={chance.choice(SORTS)}")
    return "&".join([*parts, f"q={text.replace(' ', '+').replace('%', '%25')}"])


def pages(way: Any, query: ListQuery) -> list[tuple[list[int], list[int]]]:
    """All pages forwards, and for each the page before it."""
    found, start = [], None
    for _page in range(30):
        page: KeyPage = read_page(way, start, limit=7)
        back = read_page(way, page.before, limit=7, backward=True).ids if page.before else []
        found.append((page.ids, back))
        start = page.after
        if start is None:
            return found
    raise AssertionError("the list has no end")


@pytest.mark.parametrize("narrow", [2000, 12, 0])
def test_kept_statements_give_what_queries_give(narrow: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over lists of every kind, each viewer in turn, so that a statement of one serves none of another reach."""
    monkeypatch.setattr(selection, "NARROW", narrow)
    viewers = base()
    chance = random.Random(narrow)
    held = 0
    for _list in range(40):
        address = asked(chance)
        for viewer in viewers.values():
            query = ListQuery(viewer, QueryDict(address))
            assert not query.errors, address
            expected = pages(phases(query.selection, query.sort_field, query.descending, query.by_relevance), query)
            again = ListQuery(viewer, QueryDict(address))
            assert pages(again.walks, again) == expected, (viewer.name, address)
            held += sum(len(ids) for ids, _back in expected)
    assert held > 200


def test_lists_of_one_shape_are_put_into_sql_once(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = base()["all"]
    monkeypatch.setattr(walks, "_plans", {})
    for number in range(20):
        day = date(2017, 12, 1) + timedelta(days=number)
        read = ListQuery(viewer, QueryDict(f"f=orders:min:{number % 6}&f=last_purchase:min:{day}&sort=-value"))
        read_page(read.walks, limit=50)

    assert 0 < len(walks._plans) <= 7  # by the number of the customers that they try, in powers of two


def test_owners_in_the_order_of_a_list_are_those_of_now() -> None:
    """A list sorted by its owners begins with their names, which change."""
    viewers = base()
    address = QueryDict("sort=owner")
    first = read_page(ListQuery(viewers["all"], address).walks, limit=50).ids
    User.objects.filter(name="Own").update(name="Adam")
    User.objects.filter(name="Other").update(name="Zoe")

    assert read_page(ListQuery(viewers["all"], address).walks, limit=50).ids != first


def both(viewer: User, address: str) -> tuple[Any, Any]:
    """All pages by queries that are built anew, and by kept statements."""
    query, again = (ListQuery(viewer, QueryDict(address)) for _ in range(2))
    built = phases(query.selection, query.sort_field, query.descending, query.by_relevance)
    return pages(built, query), pages(again.walks, again)


def test_a_search_without_a_word_is_not_the_list_without_a_search() -> None:
    viewer = base()["own"]
    for address in ("sort=-name", "q=!!!&sort=-name", "sort=-name"):
        expected, found = both(viewer, address)
        assert found == expected, address


@pytest.mark.parametrize("value", ["orders:is:2147000014", "known_since:is:0001-01-15"])
def test_a_value_that_looks_like_a_mark_is_asked_as_it_is(value: str) -> None:
    expected, found = both(base()["all"], f"f={value}&sort=value")
    assert found == expected
