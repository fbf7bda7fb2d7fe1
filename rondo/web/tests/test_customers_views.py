"""Saved views of the customers list: own and shared, changed and not, arranged, and never more than one may see."""

import re
from typing import Any

import pytest
from django.test import Client

from rondo.customers.actions import archive_attribute, change_attribute, restore_attribute
from rondo.errors import StateError
from rondo.foundation import roles
from rondo.foundation.actors import Actor, system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import AuditEntry, User
from rondo.lists.actions import save_view
from rondo.lists.models import SavedView
from rondo.lists.states import State
from rondo.web.tests.customers_data import give_score, make_attributes, make_customer, make_run, names_of, owned

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(installation: Any, alice: Any, signed_in: Any) -> Any:
    """Alice, who administers and sees everybody."""
    return signed_in(alice)


def keep(client: Any, name: str, follow: bool = False, **asked: Any) -> str:
    """Saves a list as a view; the address that it leads to."""
    answer = client.post("/customers/views/save", {"name": name, **asked})
    assert answer.status_code == 302
    return str(answer["Location"])


def tabs(client: Any, address: str = "/customers/") -> list[str]:
    return [str(tab.label) for tab in client.get(address).context["tabs"]]


def undo(client: Any, page: Any) -> Any:
    """Presses Undo in the last toast of a page."""
    found = re.findall(r'action="(/customers/views/back/\d+)"', page.content.decode())
    return client.post(found[-1], follow=True)


def test_a_view_keeps_filters_rule_sort_columns_and_rows(client: Any) -> None:
    for name, value in (("Ada", 3), ("Bea", 9), ("Cleo", 1)):
        give_score(make_customer(name), value=value * 100, orders=value)
    address = keep(
        client, "  Good ones ", f="orders:min:2", rule="value > 2", sort="value", cols="orders,owner", size="25"
    )
    page = client.get(address)
    assert [row.customer.name for row in page.context["rows"]] == ["Ada", "Bea"]
    assert [heading.field.key for heading in page.context["headings"]] == ["orders", "owner"]
    assert page.context["query"].size == 25 and not page.context["query"].changed
    assert tabs(client)[-1] == "Good ones"
    # Counting and exporting go by the same view; what it leaves out of the address it keeps.
    assert page.context["query"].address() == "?" + address.partition("?")[2]
    assert "2 customers fit" in client.get("/customers/count?" + address.partition("?")[2]).content.decode()
    lines = client.get(f"/customers/export.csv?{address.partition('?')[2]}").getvalue().decode().splitlines()
    assert [line.split(",")[1] for line in lines] == ["Name", "Ada", "Bea"]


def test_what_is_changed_of_a_view_is_told_kept_or_discarded(client: Any) -> None:
    for name, orders in (("Ada", 3), ("Bea", 9)):
        give_score(make_customer(name), value=orders, orders=orders)
    address = keep(client, "Buyers", f="orders:min:1", cols="orders")
    key = address.partition("view=")[2]
    page = client.get(address)
    more = page.context["query"].address(filters=["orders:min:1", "orders:max:5"])
    assert more.startswith(f"?base={key}&")
    changed = client.get("/customers/" + more)
    assert [row.customer.name for row in changed.context["rows"]] == ["Ada"] and changed.context["query"].changed
    assert "Changed from “Buyers”" in changed.content.decode()
    # The last filter taken off is a list of everybody, not the view as it was kept.
    assert names_of(client, "/customers/" + page.context["query"].address(filters=[])) == ["Bea", "Ada"]
    # A search is looked for within the view and changes nothing of it.
    searched = client.get(address + "&q=bea")
    assert [row.customer.name for row in searched.context["rows"]] == ["Bea"]
    assert not searched.context["query"].changed
    fields = dict(changed.context["query"].kept) | {"f": ["orders:min:1", "orders:max:5"], "keep": "1", "version": 1}
    kept = client.post(f"/customers/views/{key}/change", fields, follow=True)
    assert [row.customer.name for row in kept.context["rows"]] == ["Ada"] and not kept.context["query"].changed
    # Somebody who still looks at the first version is refused, and finds the own list and the present view.
    late = client.post(f"/customers/views/{key}/change", {**fields, "f": "orders:min:9", "back": more}, follow=True)
    assert "changed meanwhile" in late.content.decode()
    assert SavedView.objects.get().query["f"] == ["orders:min:1", "orders:max:5"]
    assert names_of(client, undo(client, kept).redirect_chain[-1][0]) == ["Bea", "Ada"]


def test_a_shared_view_shows_everybody_what_they_may_see_and_no_more(
    client: Any, bob: Any, charlie: Any, signed_in: Any
) -> None:
    owned(charlie, "Charlie's own")
    make_customer("Of the team", team=bob.team)
    make_customer("Nobody's")
    own = keep(client, "Secret", f="kind:is:person")
    shared = keep(client, "Everybody's", f="kind:is:person", shared="1")
    assert names_of(client, shared) == ["Charlie's own", "Nobody's", "Of the team"]
    for who, sees in ((charlie, ["Charlie's own"]), (bob, ["Of the team"])):
        other = signed_in(who)
        assert tabs(other)[-1] == "Everybody's"
        assert names_of(other, shared) == sees
        assert other.get(own).status_code == 404
        key = shared.partition("view=")[2]
        for door in (f"{key}/change", f"{key}/delete", f"{own.partition('view=')[2]}/delete"):
            answer = other.post(f"/customers/views/{door}", {"name": "Mine now", "shared": "1"}, follow=True)
            assert "risk" in answer.content.decode()
        answer = other.post("/customers/views/save", {"name": "My own", "shared": "1"}, follow=True)
        assert "share views of lists" in answer.content.decode()  # the right that is missing
    assert [row.name for row in SavedView.objects.order_by("pk")] == ["Secret", "Everybody's"]
    assert charlie.email not in AuditEntry.objects.filter(record_type="view").values_list("actor__email", flat=True)


def test_a_shared_view_does_not_tell_of_an_attribute_that_one_does_not_see(
    client: Any, bob: Any, signed_in: Any
) -> None:
    make_attributes()
    make_customer("Ada", team=bob.team)
    change_attribute(system(), "city", visible_to=["analyst"])
    asked: dict[str, Any] = {"f": "attr.city:is:Zqtown", "sort": "-attr.city", "cols": "attr.city,owner", "shared": "1"}
    views = [keep(client, "Filtered", **asked), keep(client, "Ruled", rule="city = Zqtown or value > 2", shared="1")]
    for view in views:
        assert "Zqtown" in client.get(view).content.decode()
        page = signed_in(bob).get(view).content.decode()
        assert "something that you do not see" in page and "Ada" not in page
        assert "Zqtown" not in page and "attr.city" not in page and "city" not in page
    assert not signed_in(bob).get(views[0]).context["query"].changed


def test_an_attribute_that_somebodys_own_view_names_can_be_archived_and_the_view_says_so(
    client: Any, make_user: Any, signed_in: Any
) -> None:
    make_attributes()
    his = signed_in(make_user("mark", role="marketing", reach="all"))
    view = keep(his, "Romans", f="attr.city:is:Rome")
    keep(client, "Bonners", f="attr.city:is:Bonn", shared="1")
    with pytest.raises(StateError, match="Bonners"):
        archive_attribute(system(), "city")
    SavedView.objects.filter(name="Bonners").update(is_shared=False)
    archive_attribute(system(), "city")
    assert "“City” is in the archive" in his.get(view).content.decode().replace("&quot;", '"')


def test_views_are_named_shared_deleted_and_put_back(client: Any) -> None:
    make_customer("Ada")
    address = keep(client, "First", f="kind:is:person")
    key = address.partition("view=")[2]
    named = client.post(f"/customers/views/{key}/change", {"name": "Second", "shared": "1", "version": 1}, follow=True)
    row = SavedView.objects.get()
    assert (row.name, row.is_shared, row.version) == ("Second", True, 2)
    undo(client, named)
    row.refresh_from_db()
    assert (row.name, row.is_shared) == ("First", False)
    again = client.post("/customers/views/save", {"name": "fIRST"}, follow=True)
    assert "of yours already" in again.content.decode() and SavedView.objects.count() == 1
    gone = client.post(f"/customers/views/{key}/delete", follow=True)
    assert "First" not in tabs(client) and client.get(address).status_code == 404
    # A list that began with it, in somebody's bookmarks, still stands in the rest of its address.
    assert names_of(client, f"/customers/?base={key}&f=kind:is:person") == ["Ada"]
    assert undo(client, gone).context["open"].key == key
    told = AuditEntry.objects.filter(record_type="view").order_by("pk").values_list("verb", flat=True)
    assert list(told) == ["view.created", "view.changed", "view.changed", "view.deleted", "view.restored"]


def test_who_administers_shares_a_colleagues_view_no_more_and_takes_that_back(client: Any) -> None:
    bob = User.objects.create_user("manager@rondo.example.org", name="M", role="manager")
    row, _entry = save_view(Actor(bob, "web"), "Bob's", State(), shared=True)
    page = client.post(f"/customers/views/{row.key}/change", {"name": "Bob's", "version": 1}, follow=True)
    row.refresh_from_db()
    assert page.status_code == 200 and "is saved" in page.content.decode() and not row.is_shared
    assert undo(client, page).status_code == 200
    assert SavedView.objects.get().is_shared


def test_a_nul_is_kept_in_no_view(client: Any) -> None:
    """PostgreSQL takes none, and would fail."""
    assert keep(client, "X", by="a\x00b") == "/customers/?view=all" and not SavedView.objects.exists()
    assert client.post("/customers/views/arrange", {"order": "\x00"}).status_code == 302


def test_tabs_are_arranged_for_oneself_and_for_those_who_did_not(client: Any, charlie: Any, signed_in: Any) -> None:
    for name, kind in (("Ada", "person"), ("Acme", "organisation")):
        make_customer(name, owner=charlie, kind=kind)
    own = keep(client, "Firms", f="kind:is:organisation").partition("view=")[2]
    reader = signed_in(charlie)
    assert names_of(reader, "/customers/") == ["Acme", "Ada"]
    refused = client.post("/customers/views/arrange", {"default": own, "everybody": "1"}, follow=True)
    assert "shared with nobody" in refused.content.decode()
    client.post(f"/customers/views/{own}/change", {"name": "Firms", "shared": "1"})
    client.post("/customers/views/arrange", {"order": [own, "all"], "default": own, "everybody": "1"})
    for person in (client, reader):
        assert names_of(person, "/customers/") == ["Acme"] and tabs(person)[:2] == ["Firms", "All"]
        assert names_of(person, "/customers/?view=all") == ["Acme", "Ada"]
    reader.post("/customers/views/arrange", {"order": ["mine", own], "default": "mine"})
    assert names_of(reader, "/customers/") == ["Acme", "Ada"] and tabs(reader)[:2] == ["Mine", "Firms"]
    assert names_of(client, "/customers/") == ["Acme"]
    reader.post("/customers/views/arrange", {"default": "all", "everybody": "1"})  # who does not administer
    assert names_of(client, "/customers/") == ["Acme"]
    # Taken away, it is nobody's beginning any more.
    client.post(f"/customers/views/{own}/delete")
    assert names_of(client, "/customers/") == ["Acme", "Ada"]


def test_a_view_is_found_in_the_palette(client: Any, charlie: Any, signed_in: Any) -> None:
    address = keep(client, "Late payers", f="kind:is:person")
    assert address in client.get("/palette?q=payers").content.decode()
    assert address not in signed_in(charlie).get("/palette?q=payers").content.decode()


def test_a_column_whose_attribute_is_archived_is_told_dropped_or_comes_back(client: Any, alice: User) -> None:
    make_attributes()
    make_customer("Ada")
    view = keep(client, "Places", sort="name", cols="owner,attr.city,known_since")
    archive_attribute(system(), "city")
    page = client.get(view)
    said = page.content.decode()
    assert page.status_code == 200 and "not shown as a column: City." in said and "Changed from" not in said
    assert page.context["query"].columns == ["owner", "known_since"]
    kept = dict(page.context["query"].kept) | {"sort": "-name", "keep": "1"}
    client.post(f"/customers/views/{view.partition('=')[2]}/change", kept)
    restore_attribute(system(), "city")
    assert client.get(view).context["query"].columns == ["owner", "attr.city", "known_since"]
    archive_attribute(system(), "city")
    page = client.get(view)
    dropped = client.post(
        f"/customers/views/{view.partition('=')[2]}/change", dict(page.context["query"].without_away) | {"keep": "1"}
    )
    page = client.get(dropped["Location"])
    assert "not shown as a column" not in page.content.decode()
    assert SavedView.objects.get().state.columns == ("owner", "known_since")
    undo(client, page)
    assert SavedView.objects.get().state.columns == ("owner", "attr.city", "known_since")


def test_an_archived_column_of_an_attribute_one_may_not_see_is_not_told(make_user: Any, signed_in: Any) -> None:
    make_attributes()
    seller = make_user("seller", role="sales")
    own = signed_in(seller)
    view = keep(own, "Places", cols="owner,attr.city")
    change_attribute(system(), "city", visible_to=[])
    archive_attribute(system(), "city")
    assert "City" not in own.get(view).content.decode()


def test_a_shared_view_does_not_tell_of_facts_about_others_to_who_sees_some(
    client: Any, make_user: Any, signed_in: Any
) -> None:
    """What a household is worth is for who sees all customers: neither its name nor what is asked of it is told."""
    roles.change_role(system(), "manager", reaches={"customers": "own", "audit": "all"})
    mary = make_user("mary", role="manager")
    make_run()
    give_score(make_customer("Ada", owner=mary), value=50_00, household_members=2, household_value=77_123_00)
    asked: dict[str, Any] = {"f": "household_value:min:70123", "sort": "-household_value", "cols": "household_value"}
    views = [
        keep(client, "Filtered", **asked, shared="1"),
        keep(client, "Ruled", rule="household_value > 70123 or value > 2", shared="1"),
    ]
    hers = signed_in(mary)
    api = Client(
        headers={"authorization": f"Bearer {make_api_token(system(), mary, 'test', scopes=['see', 'export'])}"}
    )
    told = api.get("/api/v1/views").json()["data"]
    for view in views:
        key = view.partition("view=")[2]
        assert "70,123" in client.get(view).content.decode() and names_of(client, view) == ["Ada"]
        pages = [hers.get(f"{door}?view={key}") for door in ("/customers/", "/customers/groups", "/customers/count")]
        answers = [
            api.get(f"/api/v1/views/{key}"),
            *(api.get(f"/api/v1/lists/customers{door}?view={key}") for door in ("", "/count", "/export")),
        ]
        assert "something that you do not see" in pages[0].content.decode()
        assert [answer.status_code for answer in answers] == [200, 422, 422, 422]
        assert "do not see" in answers[1].json()["detail"]
        for answer in (*pages, *answers):
            assert not re.search("household_value|of the household|70.?123|Ada", answer.content.decode(), re.IGNORECASE)
    assert not re.search("household|70123", str(told)) and "hidden:" in str(told)
    # The audit log, where a view stands with all it asks for, keeps to the same.
    log = hers.get("/settings/audit/", {"record": "view"}).content.decode()
    assert "Filtered" in log and not re.search("household|70123", log)
