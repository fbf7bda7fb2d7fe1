"""The bin: who is in it is in no read, with all that was merged into them, and comes back as they were."""

from typing import Any

import pyarrow as pa
import pytest
from django.core.cache import cache
from django.test import Client

from rondo.customers import actions
from rondo.customers.actions.binning import carry_out_binning
from rondo.customers.models import Bin, Customer
from rondo.customers.queries import binned, visible
from rondo.errors import InputError, NotFound, PermissionRefused, StateError
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, User
from rondo.interactions.actions import log_interaction
from rondo.interactions.importing import ImportOptions, run_import
from rondo.interactions.tests.import_files import rejects

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Customer:
    """Ada, with a record merged into her, and Ben beside."""
    made = actions.create_customer(system(), name="Ada Bell", identifiers=[("email", "ada@example.org")])
    actions.create_customer(system(), name="Ben Hill", identifiers=[("email", "ben@example.org")])
    other = actions.create_customer(system(), name="A. Bell", identifiers=[("phone", "+49 30 123456")])
    log_interaction(system(), other, "note", title="Asked")
    actions.merge(system(), other, made)
    return made


@pytest.fixture
def manager(make_user: Any) -> User:
    made: User = make_user("mia", role="manager", reach="all")
    return made


def names() -> list[str]:
    return sorted(visible(None).values_list("name", flat=True))


def test_a_group_goes_as_one_and_comes_back_as_it_was(ada: Customer, manager: User) -> None:
    me = Actor(manager, "web")
    before = list(Customer.objects.order_by("pk").values("pk", "name", "is_merged", "version", "load_id"))
    row = actions.put_into_bin(me, [ada.public_id])
    assert names() == ["Ben Hill"] and row.count == 1
    assert Customer.objects.filter(bin=row).count() == 2  # the record merged into her, too
    for change in (
        lambda: actions.change_customer(me, ada, expected_version=1, name="x"),
        lambda: actions.put_into_bin(me, [ada.public_id]),
        lambda: log_interaction(me, ada, "note", title="x"),
    ):
        with pytest.raises(NotFound):
            change()
    with pytest.raises(StateError, match="in the bin"):
        actions.create_customer(me, name="Ada", identifiers=[("email", "Ada@example.org")])
    assert actions.put_back(me, row.pk) == 1 and actions.put_back(me, row.pk) == 0
    assert list(Customer.objects.order_by("pk").values("pk", "name", "is_merged", "version", "load_id")) == before
    told = AuditEntry.objects.filter(record_id=ada.pk, verb__in=["customer.binned", "customer.restored"])
    assert [entry.changes for entry in told.order_by("pk")] == [{"bin": [None, row.pk]}, {"bin": [row.pk, None]}]


def test_rows_of_an_import_for_them_are_refused_with_the_reason(ada: Customer) -> None:
    actions.put_into_bin(system(), [ada.pk])
    table = pa.Table.from_pylist(
        [{"email": "ada@example.org", "name": "Adi"}, {"email": "new@example.org", "name": "N"}]
    )
    run = run_import(system(), "customers", table, source="shop", options=ImportOptions())
    (refused,) = rejects(run)
    assert "in the bin" in refused["reason"] and names() == ["Ben Hill", "N"]
    assert binned(None).get().name == "Ada Bell"


def test_all_or_none_and_only_who_may(ada: Customer, bob: User, make_user: Any) -> None:
    ben = visible(None).get(name="Ben Hill")
    with pytest.raises(NotFound):
        actions.put_into_bin(system(), [ben, "c_2222222222"])
    with pytest.raises(InputError):
        actions.put_into_bin(system(), [])
    with pytest.raises(PermissionRefused):
        actions.put_into_bin(Actor(bob, "web"), [ben])
    own = make_user("tom", role="manager", reach="own")
    with pytest.raises(NotFound):
        actions.put_into_bin(Actor(own, "web"), [ben])
    actions.put_into_bin(system(), [ben])
    with pytest.raises(NotFound):
        actions.put_back_some(Actor(own, "web"), [ben.public_id])
    assert names() == ["Ada Bell"] and Bin.objects.count() == 1


def test_a_whole_list_goes_as_a_job_that_may_be_killed(
    ada: Customer, manager: User, signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rondo.customers.actions import binning

    client: Client = signed_in(manager)
    assert client.get("/customers/bin/list?q=Ada").context["count"] == 1
    assert client.post("/customers/bin/list", {"count": "1"}).status_code == 302 and not Bin.objects.exists()
    assert client.post("/customers/bin/list", {"count": "2"})["Location"] == "/customers/bin/"
    row = Bin.objects.get()
    assert row.under_way and client.get("/customers/bin/progress").status_code == 200
    monkeypatch.setattr(binning, "MOST_AT_ONCE", 1)
    real, calls = binning._put, []

    def killed(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(binning, "_put", killed)
    with pytest.raises(KeyboardInterrupt):
        carry_out_binning(row.pk)
    assert len(names()) == 1
    done = carry_out_binning(row.pk)
    assert (done.status, done.count, done.results, names()) == ("done", 2, {}, [])


def test_from_the_list_and_from_the_page_with_undo(ada: Customer, manager: User, signed_in: Any, bob: User) -> None:
    client: Client = signed_in(manager)
    cache.clear()
    page = client.get(f"/customers/{ada.public_id}/").content.decode()
    assert "Put into the bin" in page and "Put into the bin" not in signed_in(bob).get("/customers/").content.decode()
    client = signed_in(manager)
    shown = client.post("/customers/bin/put", {"id": [ada.public_id], "back": "?q=Bell"}, follow=True)
    text = shown.content.decode()
    assert "1 customer is in the bin." in text and f"/customers/bin/{Bin.objects.get().pk}/back" in text
    assert client.get(f"/customers/{ada.public_id}/").status_code == 404
    assert "Ada Bell" not in client.get("/palette?q=ada").content.decode()
    assert "Ada Bell" in client.get("/customers/bin/?q=ada").content.decode()
    client.post(f"/customers/bin/{Bin.objects.get().pk}/back")
    assert client.get(f"/customers/{ada.public_id}/").status_code == 200
    assert signed_in(bob).post("/customers/bin/put", {"id": [ada.public_id]}).status_code == 403
