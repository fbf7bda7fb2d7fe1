"""Nothing is lost, half done or told to the wrong ones where calls meet others, or stop in the middle."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connections

from rondo.api.tests.conftest import Shop
from rondo.api.tests.test_customer_writing import caller
from rondo.api.v1.duplicate_search import SEARCH
from rondo.customers import actions
from rondo.customers.models import Customer
from rondo.duplicates.models import Search
from rondo.erasure.queries import keeping
from rondo.errors import InputError
from rondo.foundation import audit, ids
from rondo.foundation.actors import Actor, system
from rondo.foundation.api_tokens import make_api_token, revoke_api_token, use_api_token
from rondo.foundation.models import ApiToken, Installation, User
from rondo.foundation.money import check_currency
from rondo.foundation.rights import RIGHTS
from rondo.retention.actions import change_rules
from rondo.retention.models import Rule
from rondo.retention.queries import would_go

pytestmark = pytest.mark.django_db


def together(*jobs: Callable[[], Any]) -> None:
    def run(job: Callable[[], Any]) -> None:
        try:
            job()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


@pytest.mark.django_db(transaction=True)
def test_what_was_done_is_told_where_there_was_no_time_for_the_rest(
    shop: Shop, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 503 of the whole call would have it sent again, and what was done made twice."""
    monkeypatch.setattr("rondo.api.bulk.PORTION", 2)
    monkeypatch.setattr("rondo.api.bulk._PAUSE", 0.0)
    real = actions.take_customer

    def take(who: Any, given: Any, **more: Any) -> Any:
        if given.fields["given_name"] == stuck:
            raise OperationalError("database is locked")
        return real(who, given, **more)

    monkeypatch.setattr("rondo.api.v1.customer_writing.actions.take_customer", take)
    items = {"items": [{"given_name": name} for name in ("First", "Second", "Third", "Fourth")]}
    stuck = "Third"
    answer = caller(alice)("POST", "customers/bulk", items)
    assert answer.status_code == 200 and [one["status"] for one in answer.json()["data"]] == [201, 201, 503, 503]
    assert sorted(Customer.objects.values_list("name", flat=True)) == ["First", "Second"]
    stuck = "First"
    assert caller(alice)("POST", "customers/bulk", items).status_code == 503 and Customer.objects.count() == 2


def test_a_change_by_another_process_is_seen_and_falling_due_is_none(alice: User, shop: Shop, monkeypatch: Any) -> None:
    call = caller(alice, *RIGHTS)
    read = call("GET", "settings/company").headers["ETag"]
    Installation.objects.filter(pk=1).update(company="Changed by another process")
    assert call("PATCH", "settings/company", {"company": "Mine"}, if_match=read).status_code == 412
    read = call("GET", "settings/retention").headers["ETag"]
    monkeypatch.setattr("rondo.api.v1.company.would_go", lambda *given: would_go(*given) + 1)
    assert call("PATCH", "settings/retention", {"days": {"prospects": 800}}, if_match=read).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_who_set_what_has_no_row_yet_one_is_refused(shop: Shop, alice: User, monkeypatch: Any) -> None:
    call = caller(alice, *RIGHTS)
    assert not Rule.objects.exists()
    read = call("GET", "settings/retention").headers["ETag"]
    gate, found = threading.Barrier(2), []

    def slow(*given: Any) -> Any:
        with contextlib.suppress(threading.BrokenBarrierError):  # the other one waits, as it should
            gate.wait(2)
        return change_rules(*given)

    monkeypatch.setattr("rondo.api.v1.company.change_rules", slow)

    def send(days: int) -> Callable[[], None]:
        return lambda: found.append(
            call("PATCH", "settings/retention", {"days": {"prospects": days}}, if_match=read).status_code
        )

    together(send(700), send(800))
    assert sorted(found) == [200, 412]


@pytest.mark.django_db(transaction=True)
def test_a_token_made_while_its_maker_is_revoked_is_revoked_too(shop: Shop, alice: User, monkeypatch: Any) -> None:
    who = use_api_token(make_api_token(system(), alice, "found", scopes=["see"]))
    assert who is not None
    parent, record, under_way, made = ApiToken.objects.get(), audit.record, threading.Event(), []

    def slow(actor: Actor, verb: str, *given: Any) -> Any:
        if verb == "token.made":
            under_way.set()
            threading.Event().wait(0.5)
        return record(actor, verb, *given)

    monkeypatch.setattr(audit, "record", slow)

    def revoke() -> None:
        under_way.wait(10)
        revoke_api_token(system(), parent.pk)

    together(lambda: made.append(make_api_token(Actor(who, "api"), who, "child", scopes=["see"])), revoke)
    assert len(made) == 1 and use_api_token(made[0]) is None


def test_who_may_not_see_asks_no_list_and_years_are_set_all_or_none(alice: User, shop: Shop) -> None:
    shop.customer("Ada Lovelace")
    asked = caller(alice, "delete")("POST", "bin", {"q": "Lovelace", "count": 999})
    assert asked.status_code == 403
    kinds = [(figures.key, years) for figures, years in keeping()]
    years = {kinds[0][0]: kinds[0][1] - 1, "nonsense": 2}
    assert caller(alice, *RIGHTS)("PATCH", "settings/erasures", {"years": years}).status_code == 422
    assert [(figures.key, years) for figures, years in keeping()] == kinds


def test_a_sign_that_no_database_keeps_is_no_error_page(alice: User, shop: Shop, signed_in: Any) -> None:
    client = signed_in(alice)
    for name, value in (("cols", "attr.a\x00b"), ("f", "attr.a\x00b:is:1")):
        assert client.post("/customers/columns", {"column": "name", name: value}).status_code < 500


def test_the_companys_own_currency_is_taken_whatever_is_known_of_it() -> None:
    assert check_currency("XXQ", "XXQ") == "XXQ"
    with pytest.raises(InputError, match="no code of ISO 4217"):
        check_currency("XXQ", "EUR")


def test_a_search_over_all_customers_is_told_to_who_sees_them_all(alice: User, shop: Shop, make_user: Any) -> None:
    row = Search.objects.create()
    address = f"duplicates/searches/{ids.encode(SEARCH, row.pk)}"
    some = make_user("sam", role="manager", reach="own")
    assert caller(alice, *RIGHTS)("GET", address).status_code == 200
    assert caller(some, "see", "merge")("GET", address).status_code == 404
