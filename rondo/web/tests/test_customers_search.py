"""Search by name: any word, any order, merged names, reach, wide and narrow, and the index after every import."""

from typing import Any

import pyarrow as pa
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rondo.customers import names, searching
from rondo.customers.actions import merge
from rondo.customers.models import Customer, Identifier, NameWord
from rondo.foundation.actors import system
from rondo.foundation.models import Load, User
from rondo.interactions.importing import ImportOptions, run_import, sweep_dead_loads, undo
from rondo.web.customers import selection
from rondo.web.tests.customers_data import give_score, make_customer, names_of, owned, walk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("installation")]


@pytest.fixture
def client(client: Any, alice: Any) -> Any:
    """Signed in as Alice, who sees all."""
    client.force_login(alice)
    return client


@pytest.fixture(params=["narrow", "wide"])
def base(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same lists must come whether few or many customers meet the search."""
    if request.param == "wide":
        monkeypatch.setattr(selection, "NARROW", 0)
        monkeypatch.setattr(searching, "_PROBES", (1, 2))
    return str(request.param)


def restricted(name: str) -> User:
    """A salesperson who sees only their own customers."""
    return User.objects.create_user(f"{name}@example.org", None, name=name, role="sales", reach="own")


@pytest.mark.usefixtures("base")
def test_any_word_in_any_order_by_its_beginning(client: Any) -> None:
    for name in ("Anna Maria Müller", "Maria Anna Weiß", "Müller GmbH & Co", "Bert"):
        make_customer(name)
    assert names_of(client, "/customers/?q=weis") == ["Maria Anna Weiß"]
    assert names_of(client, "/customers/?q=weiß") == names_of(client, "/customers/?q=WEISS") == ["Maria Anna Weiß"]
    assert names_of(client, "/customers/?q=mueller an") == ["Anna Maria Müller"]
    assert sorted(names_of(client, "/customers/?q=ann mar")) == ["Anna Maria Müller", "Maria Anna Weiß"]
    assert names_of(client, "/customers/?q=co m gm") == ["Müller GmbH & Co"]
    for nothing in ("nna", "anna bert", "zzz", "anna zzz", "a b c d e f g"):
        assert names_of(client, f"/customers/?q={nothing}") == []


@pytest.mark.usefixtures("base")
def test_a_customer_stands_once_however_many_words_fit(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rondo.web.customers.query.PAGE_SIZE", 2)
    kept = make_customer("Bert Annabell Anna Annika")
    merge(system(), make_customer("Anna Annabell"), kept)
    others = [make_customer(f"Anna {n} Anke").name for n in range(4)]
    last = make_customer("Zoe Ann")
    for text in ("ann", "an ann"):
        assert walk(client, f"?q={text}") == [*others, last.name, kept.name]
    assert walk(client, "?q=ann b") == [kept.name]


def test_a_merged_name_finds_the_survivor_also_under_any_sort(client: Any, base: str) -> None:
    kept, lost = make_customer("Kept Person"), make_customer("Gone Vanish")
    give_score(kept, value=5)
    merge(system(), lost, kept)
    for address in ("?q=gone", "?q=vani", "?q=vanish gone", "?q=kept van", "?q=van&sort=-value", "?q=van&sort=name"):
        assert names_of(client, f"/customers/{address}") == ["Kept Person"], (address, base)
    assert "Kept Person" in client.get("/palette?q=vanish").content.decode()
    assert "1 customer" in client.get("/customers/count?q=vanish").content.decode()


@pytest.mark.usefixtures("base")
def test_a_viewer_of_small_reach_finds_their_own_among_many(signed_in: Any) -> None:
    dora = restricted("dora")
    for number in range(60):
        other = make_customer(f"Anna Other {number}")
        Identifier.objects.create(customer=other, kind="email", value=f"anna{number:02}@x.example", shown="a")
    mine, gone = owned(dora, "Zora Annabell", "Anna Mine")
    Identifier.objects.create(customer=mine, kind="email", value="anna99@x.example", shown="a")
    merge(system(), make_customer("Anna Foreign"), gone)
    viewer = signed_in(dora)
    assert names_of(viewer, "/customers/?q=anna99@x") == ["Zora Annabell"]
    assert names_of(viewer, "/customers/?q=anna") == ["Zora Annabell", "Anna Mine"]
    assert names_of(viewer, "/customers/?q=foreign") == ["Anna Mine"]
    assert names_of(viewer, "/customers/?q=ann zor") == ["Zora Annabell"]
    assert names_of(viewer, "/customers/?q=other") == []


def test_the_number_of_queries_does_not_grow_with_what_is_found(client: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert client.get("/palette?q=anna b").status_code == 200
        return len(caught)

    make_customer("Bert Anna")
    queries()
    few = queries()
    for number in range(30):
        make_customer(f"Bert Anna {number}")
    assert queries() == few


def test_one_word_that_many_begin_with_is_led_by_the_rarer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "_PROBES", (3, 10))
    for number in range(5):
        make_customer(f"Anna {number}")
    make_customer("Anna Rare")
    assert searching.Search("anna rare").leading == "rare"
    assert searching.Search("anna an").words == ("anna",)


def test_common_words_are_counted_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rare ones each time: what was rare a moment ago may be so no more, and to count it costs nothing."""
    monkeypatch.setattr(searching, "_PROBES", (3, 10))
    monkeypatch.setattr(searching, "_counts", {})
    for number in range(5):
        make_customer(f"Anna {number}")
    make_customer("Anna Rare")

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert searching.Search("anna rare").leading == "rare"
        return len(caught)

    assert [queries(), queries()] == [2, 1]
    monkeypatch.setattr(searching, "_COUNT_SECONDS", 0.0)
    assert queries() == 2


def test_a_list_walks_on_from_a_name_word(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rondo.web.customers.query.PAGE_SIZE", 3)
    for number in range(8):
        make_customer(f"Number {number} Miller")
    forward = walk(client, "?q=miller")
    assert sorted(forward) == sorted(f"Number {n} Miller" for n in range(8))


def test_the_index_follows_every_import(client: Any) -> None:
    def equal() -> bool:
        before = set(NameWord.objects.values_list("customer_id", "word", "later"))
        names.rebuild()
        return before == set(NameWord.objects.values_list("customer_id", "word", "later"))

    def load(*rows: tuple[str, str], **options: Any) -> Load:
        table = pa.table({"external_id": [row[0] for row in rows], "name": [row[1] for row in rows]})
        return run_import(system(), "customers", table, source="shop", options=ImportOptions(**options))

    first = load(("1", "Anna Müller"), ("2", "Bert Weiß"), ("3", "Cleo"))
    assert equal() and names_of(client, "/customers/?q=weiss") == ["Bert Weiß"]
    second = load(("2", "Bert Schwarz"), ("4", "Dora"), on_match="update")
    assert equal() and names_of(client, "/customers/?q=weiss") == []
    undo(system(), second.pk)
    assert equal() and names_of(client, "/customers/?q=weiss") == ["Bert Weiß"]
    assert names_of(client, "/customers/?q=dora") == []
    load(("4", "Dora Neu"), on_match="update")
    assert equal() and names_of(client, "/customers/?q=neu") == ["Dora Neu"]
    undo(system(), first.pk)
    assert names_of(client, "/customers/?q=cleo") == []


def test_the_words_of_an_import_that_died_are_swept_with_it() -> None:
    run_import(system(), "customers", pa.table({"external_id": ["1"], "name": ["Anna B"]}), source="shop")
    load = Load.objects.get()
    Load.objects.filter(pk=load.pk).update(status=Load.Status.LOADING, finished_at=None)
    assert sweep_dead_loads() == [load.pk]
    assert not NameWord.objects.exists()
    assert not Customer.objects.exists()
