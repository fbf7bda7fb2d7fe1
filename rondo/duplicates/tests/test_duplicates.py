"""Duplicates in the product: found where they were planted, decided, undone, kept through new searches."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from django.test import Client

from rondo.customers.actions import change_customer, create_customer, unmerge
from rondo.customers.models import Customer, Merge, Survivor
from rondo.customers.queries import visible
from rondo.duplicates import queries
from rondo.duplicates.actions import decide, request_search, searching, set_automatic, take_back
from rondo.duplicates.actions.searching import do_search
from rondo.duplicates.models import Decision, Pair, Search
from rondo.duplicates.tests.world import Planted, plant
from rondo.errors import InputError, NotFound, PermissionRefused, StateError
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, User

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
PAGE = "/customers/duplicates/"


@pytest.fixture(scope="module")
def planted(module_world: Path) -> Iterator[Planted]:
    """The base, searched once."""
    _customers, true = plant()
    search_now()
    yield true


def search_now() -> Search:
    """A search as its job does it."""
    return do_search(request_search(system()).pk)


def pairs(least: float = 0.5) -> Planted:
    return set(queries.open_pairs(None, least).values_list("left_id", "right_id"))


def most_probable() -> Pair:
    return queries.open_pairs(None).order_by("-weight", "pk")[0]


@pytest.fixture
def manager(make_user: Callable[..., User]) -> Actor:
    return Actor(make_user("bob", role="manager"), "web")


def test_planted_duplicates_are_found(planted: Planted) -> None:
    found = pairs()
    assert len(found & planted) / len(planted) > 0.8
    assert len(found & planted) / len(found) > 0.9
    search = queries.latest_search()
    assert search is not None and search.results["records"] == 240
    assert {one["key"] for one in search.results["comparisons"]} >= {"given", "family", "birth", "city", "mail"}
    assert search.results["missing"] == ["place", "region"]
    # Nothing personal is kept with the search or with a pair.
    name = Customer.objects.exclude(family_name="").values_list("family_name", flat=True)[0]
    assert name.lower() not in str(search.results).lower() + str(list(Pair.objects.values())).lower()


def test_weights_add_up_to_the_probability(planted: Planted) -> None:
    for pair in Pair.objects.all():
        total = pair.prior + pair.together + sum(weight for _level, weight in pair.agreement.values())
        assert total == pytest.approx(pair.weight, abs=0.02)
        assert pair.probability == pytest.approx(1 / (1 + 2**-pair.weight), abs=1e-9)


def test_a_merge_is_decided_and_taken_back_exactly(planted: Planted, manager: Actor) -> None:
    pair = most_probable()
    before = list(Customer.objects.order_by("pk").values("pk", "name", "birth_date", "is_merged"))
    decide(manager, pair.pk, "merged", survivor="right")
    assert Survivor.objects.get(customer_id=pair.left_id).survivor_id == pair.right_id
    assert (pair.left_id, pair.right_id) not in pairs(0)
    with pytest.raises(StateError, match="merged"):
        decide(manager, pair.pk, "different")
    take_back(manager, pair.pk)
    assert list(Customer.objects.order_by("pk").values("pk", "name", "birth_date", "is_merged")) == before
    assert (pair.left_id, pair.right_id) in pairs(0)
    assert [(row.decided, row.undone_by) for row in Decision.objects.all()] == [("merged", manager.user)]
    # Undone from elsewhere it is open as well, and can be decided anew.
    again = decide(manager, pair.pk, "merged")
    assert again.merge is not None
    unmerge(manager, again.merge.pk)
    assert (pair.left_id, pair.right_id) in pairs(0)
    assert decide(manager, pair.pk, "different").status == "different"


def test_decisions_outlive_a_new_search_until_the_data_change(planted: Planted, manager: Actor) -> None:
    first, second, third = queries.open_pairs(None).order_by("-weight", "pk")[:3]
    decide(manager, first.pk, "different")
    decide(manager, second.pk, "later")
    decide(manager, third.pk, "merged")
    search_now()
    assert Pair.objects.get(pk=first.pk).status == "different"
    assert Pair.objects.get(pk=second.pk).status == "later"
    found = pairs(0)
    assert not found & {(one.left_id, one.right_id) for one in (first, second, third)}
    left = Customer.objects.get(pk=first.left_id)
    change_customer(system(), left, expected_version=left.version, given_name=left.given_name + "a")
    search_now()
    changed = Pair.objects.get(pk=first.pk)
    assert (changed.status, changed.changed) == ("open", True)
    assert AuditEntry.objects.filter(verb="customer.told_apart", record_id=first.left_id).count() == 1


def test_precision_counts_what_people_decided(planted: Planted, manager: Actor) -> None:
    assert queries.precision() is None
    rows = list(queries.open_pairs(None, 0.9).order_by("-weight", "pk")[:5])
    for number, pair in enumerate(rows):
        decide(manager, pair.pk, "different" if number == 4 else "merged")
    told = queries.precision(0.9)
    assert told is not None and (told.hits, told.trials) == (4, 5)
    # Wilson's interval of 4 of 5 at 95 %, by hand: (0.8 + 1.9207/5 -+ 1.96 sqrt(0.032 + 0.9604/25)) / (1 + 3.8415/5).
    assert (round(told.low, 3), round(told.high, 3)) == (0.376, 0.964)
    take_back(manager, rows[4].pk)
    again = queries.precision(0.9)
    assert again is not None and (again.hits, again.trials) == (4, 4)


def test_certain_pairs_are_merged_by_the_job_alone_when_an_administrator_says_so(
    planted: Planted, manager: Actor, make_user: Callable[..., User]
) -> None:
    with pytest.raises(PermissionRefused):
        set_automatic(manager, 0.99)
    boss = Actor(make_user("ada", role="administrator"), "web")
    with pytest.raises(InputError):
        set_automatic(boss, 0.6)
    kept_apart = most_probable()
    decide(manager, kept_apart.pk, "different")
    would = pairs(0.99)
    set_automatic(boss, 0.99)
    assert pairs(0.99) == would  # nothing happens before the next search
    search_now()
    done = Decision.objects.filter(automatic=True)
    assert 0 < done.count() <= len(would) and not pairs(0.99)
    assert Pair.objects.get(pk=kept_apart.pk).status == "different"
    assert {row.by for row in done} == {None} and queries.precision() is not None
    entry = AuditEntry.objects.filter(verb="customer.merged").latest("pk")
    assert (entry.actor, entry.door) == (None, "job")
    one = done[0].pair
    take_back(manager, one.pk)
    both = Customer.objects.filter(pk__in=[one.left_id, one.right_id], is_merged=True)
    assert not both.exists()
    # What a person took back, here or on the page of a customer, the next search does not merge again; nor a pair that
    # was told apart and is open again since its data changed.
    unmerge(manager, Merge.objects.filter(undone_at=None).latest("pk").pk)
    Pair.objects.filter(pk=kept_apart.pk).update(status="open", changed=True)
    merged = Merge.objects.filter(undone_at=None).count()
    search_now()
    assert not both.exists() and Merge.objects.filter(undone_at=None).count() == merged


def test_who_does_not_see_both_customers_does_not_see_the_pair(
    planted: Planted, make_user: Callable[..., User], signed_in: SignIn
) -> None:
    pair = most_probable()
    own = make_user("olga", role="manager", reach="own")
    Customer.objects.filter(pk=pair.left_id).update(owner=own)
    assert not queries.open_pairs(own).exists()
    with pytest.raises(NotFound):
        decide(Actor(own, "web"), pair.pk, "merged")
    assert signed_in(own).post(f"{PAGE}{pair.pk}/decide", {"decided": "merged"}).status_code == 404
    with pytest.raises(PermissionRefused):
        request_search(Actor(own, "web"))
    Customer.objects.filter(pk=pair.right_id).update(owner=own)
    assert [row.pk for row in queries.open_pairs(own)] == [pair.pk]
    body = signed_in(own).get(f"{PAGE}?least=0.05").content.decode()
    assert body.count("data-pair ") == 1 and "1 pair is one customer" in body


def test_the_work_list_shows_decides_and_undoes(planted: Planted, manager: Actor, signed_in: SignIn) -> None:
    assert manager.user is not None
    client = signed_in(manager.user)
    pair = most_probable()
    body = client.get(PAGE).content.decode()
    assert pair.left.name in body and "likely to be one customer" in body and " bits" in body
    answer = client.post(
        f"{PAGE}{pair.pk}/decide?show=open&least=0.5",
        {"decided": "merged", "survivor": "left"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200 and f"{PAGE}{pair.pk}/undo" in answer["HX-Trigger"]
    assert pair.right_id not in set(visible(None).values_list("pk", flat=True))
    assert pair.left.name in client.get(f"{PAGE}?show=decided").content.decode()
    client.post(f"{PAGE}{pair.pk}/undo")
    assert Pair.objects.get(pk=pair.pk).status == "open"
    client.post(f"{PAGE}{pair.pk}/decide", {"decided": "later"})
    assert f"pair-{pair.pk}" in client.get(f"{PAGE}?show=later&least=0.05").content.decode()


def test_the_dry_run_counts_what_would_be_merged(
    planted: Planted, make_user: Callable[..., User], signed_in: SignIn
) -> None:
    client = signed_in(make_user("ada", role="administrator"))
    body = client.get(f"{PAGE}automatic?least=99").content.decode()
    assert f"{len(pairs(0.99))} pairs would be merged at 99" in body and "Nobody has decided" in body
    client.post(f"{PAGE}automatic", {"least": "99"})
    assert queries.automatic_from() == pytest.approx(0.99)
    client.post(f"{PAGE}automatic", {"off": "1"})
    assert queries.automatic_from() is None


def test_customers_who_tell_nothing_leave_an_empty_list_that_says_what_is_missing(
    make_user: Callable[..., User], signed_in: SignIn
) -> None:
    for number in range(30):
        create_customer(system(), identifiers=[("card", f"CARD{number:04}")])
    client = signed_in(make_user("bob", role="manager"))
    assert "Who is in here twice?" in client.get(PAGE).content.decode()
    row = search_now()
    assert row.status == "done" and row.results["have"]["birth"] == 0
    body = client.get(PAGE).content.decode()
    assert "tell nothing that pairs could be found by" in body and body.count("too few to compare") == 10


def test_a_new_customer_is_checked_before_it_is_made(make_user: Callable[..., User], signed_in: SignIn) -> None:
    ada = create_customer(
        system(), given_name="Ada", family_name="Müller", birth_date=date(1980, 5, 1), identifiers=[("email", "a@b.de")]
    )
    client = signed_in(make_user("sam", role="sales"))
    form = {"kind": "person", "given_name": "ADA", "family_name": "Mueller", "birth_date": "1980-05-01"}
    warned = client.post("/customers/new", form)
    body = warned.content.decode()
    assert warned.status_code == 409 and ada.public_id in body and "same name and birth date" in body
    assert Customer.objects.count() == 1
    assert client.post("/customers/new", form | {"birth_date": "1981-05-01"}).status_code == 302  # a namesake
    assert client.post("/customers/new", form | {"anyway": "1"}).status_code == 302
    # An identifier that somebody holds is refused, whatever the button.
    other = {"kind": "person", "family_name": "Someone", "email": "A@B.de", "anyway": "1"}
    refused = client.post("/customers/new", other)
    assert refused.status_code == 409 and ada.public_id in refused.content.decode()
    blind = signed_in(make_user("olga", role="sales", reach="own"))
    hidden = blind.post("/customers/new", other).content.decode()
    assert "not yours to see" in hidden and "Müller" not in hidden
    assert Customer.objects.count() == 3


def test_a_search_whose_worker_died_is_done_again(planted: Planted, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_given: object) -> None:
        raise SystemExit

    before = pairs()
    row = request_search(system())
    with monkeypatch.context() as died:
        died.setattr(searching, "link", killed)
        with pytest.raises(SystemExit):
            do_search(row.pk)
    assert Search.objects.get(pk=row.pk).under_way and pairs() == before
    assert request_search(system()).pk == row.pk
    assert do_search(row.pk).status == "done" and pairs() == before
