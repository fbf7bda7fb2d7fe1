"""The customers list: who sees whom, paging by key over ties and gaps, sorting, searching, columns, the count."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rondo.analysis.models import InterestOf, LeadOf, NextOf
from rondo.customers.actions import add_identifier, merge
from rondo.customers.models import Customer, Identifier
from rondo.foundation.actors import system
from rondo.foundation.models import Load
from rondo.web.customers import lists, query
from rondo.web.tests.customers_data import (
    give_score,
    make_attributes,
    make_customer,
    make_run,
    names_of,
    owned,
    set_value,
    walk,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(installation: Any, alice: Any, signed_in: Any) -> Any:
    """Alice, who sees everybody."""
    return signed_in(alice)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of three rows, so that few customers fill several."""
    monkeypatch.setattr(query, "PAGE_SIZE", 3)


def test_everybody_must_sign_in(installation: Any) -> None:
    from django.test import Client

    assert Client().get("/customers/").status_code == 302


def test_the_list_opens_with_what_is_worth_most(client: Any) -> None:
    for name, value in (("Ada", 100), ("Bea", 300), ("Cleo", 200)):
        give_score(make_customer(name), value=value)
    assert names_of(client, "/customers/") == ["Bea", "Cleo", "Ada"]


def test_without_an_analysis_it_opens_by_name(client: Any) -> None:
    for name in ("Cleo", "Ada", "Bea"):
        make_customer(name)
    assert names_of(client, "/customers/") == ["Ada", "Bea", "Cleo"]


def test_an_empty_base_says_how_to_fill_it(client: Any) -> None:
    text = client.get("/customers/").content.decode()
    assert "rondo import customers" in text


def test_viewers_see_rows_and_counts_within_their_reach(client: Any, bob: Any, charlie: Any, signed_in: Any) -> None:
    owned(charlie, "Charlie's own")
    make_customer("Of the team", team=bob.team)
    make_customer("Nobody's")
    assert names_of(client, "/customers/") == ["Charlie's own", "Nobody's", "Of the team"]
    assert names_of(signed_in(charlie), "/customers/") == ["Charlie's own"]
    assert names_of(signed_in(bob), "/customers/") == ["Of the team"]
    assert "1 customer" in signed_in(charlie).get("/customers/count").content.decode()
    assert "3 customers" in client.get("/customers/count").content.decode()


def test_reach_holds_for_every_sort_and_for_search(charlie: Any, signed_in: Any, installation: Any) -> None:
    mine = owned(charlie, "Anna Mine")[0]
    other = make_customer("Anna Other")
    for customer in (mine, other):
        give_score(customer, value=5, orders=1)
    viewer = signed_in(charlie)
    for sort in ("name", "-name", "value", "-orders", "kind", "owner", "known_since"):
        assert names_of(viewer, f"/customers/?sort={sort}") == ["Anna Mine"], sort
    assert names_of(viewer, "/customers/?q=anna") == ["Anna Mine"]
    assert names_of(viewer, "/customers/?f=value:min:0") == ["Anna Mine"]


def test_merged_and_hidden_records_are_left_out(client: Any) -> None:
    kept, lost = make_customer("Kept"), make_customer("Lost")
    merge(system(), lost, kept)
    load = Load.objects.create(kind="customers", file_name="x", fingerprint="x", status=Load.Status.UNDONE)
    make_customer("Undone", load=load)
    assert names_of(client, "/customers/") == ["Kept"]


def _ties_and_gaps() -> list[str]:
    """Eleven customers: values with ties, three without a value, two without any score; in the order of -value."""
    values = [("a", 5), ("b", 5), ("c", 5), ("d", 5), ("e", 9), ("f", 0), ("g", None), ("h", None), ("i", None)]
    for name, value in values:
        give_score(make_customer(name), value=value, orders=1)
    for name in ("j", "k"):
        make_customer(name)
    return ["e", "d", "c", "b", "a", "f", "g", "h", "i", "k", "j"]


@pytest.mark.usefixtures("small_pages")
def test_what_is_worked_out_after_a_run_is_shown_sorted_and_exported(client: Any) -> None:
    """Who has no row there comes last in either direction, the newest first; the file says the same as the page."""
    people = {name: make_customer(name) for name in "abcdefg"}
    for number, name in enumerate("abcd"):
        NextOf.objects.create(
            customer=people[name], next_category="TEA", next_due=None if name == "d" else date(2018, 1, 9 - number),
            upsell_gain=250 * number, habits="[]", products="[]",
        )  # fmt: skip
    LeadOf.objects.create(customer=people["e"], lead_chance=0.25, lead_reason="kind.web_visit", reasons="")
    InterestOf.objects.create(customer=people["a"], interest_category="SOAP", interest_chance=0.125, interests="")
    assert walk(client, "?sort=next_due") == ["c", "b", "a", "d", "g", "f", "e"]
    assert walk(client, "?sort=-next_due") == ["a", "b", "c", "d", "g", "f", "e"]
    columns = "next_category,next_due,lead_chance,lead_reason,interest_category,interest_chance,upsell_gain"
    address = f"sort=-lead_chance&cols={columns}&f=upsell_category:unknown"
    with CaptureQueriesContext(connection) as asked:
        page = client.get(f"/customers/?{address}")
    assert [row.customer.name for row in page.context["rows"]] == ["e", "g", "f"]
    assert sum('FROM "analysis_next" WHERE "analysis_next"."customer_id" IN' in q["sql"] for q in asked) == 1
    assert [cell.text for cell in page.context["rows"][0].cells][2:4] == ["25%", "Visit of the website"]
    lines = client.get(f"/customers/export.csv?{address}").getvalue().decode().splitlines()
    told = {line.split(",")[1]: line.split(",")[2:] for line in lines[1:]}
    assert told["e"] == ["", "", "0.25", "Visit of the website", "", "", ""]
    assert told["b"] == ["TEA", "2018-01-08", "", "", "", "", "2.50"]
    assert told["a"] == ["TEA", "2018-01-09", "", "", "SOAP", "0.125", "0.00"]


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("sort", ["-value", "value"])
def test_pages_follow_each_other_over_ties_and_gaps_in_both_directions(client: Any, sort: str) -> None:
    downward = _ties_and_gaps()
    expected = downward if sort == "-value" else ["f", "a", "b", "c", "d", "e", *downward[6:]]
    forward = walk(client, f"?sort={sort}")
    assert forward == expected
    last = client.get("/customers/" + f"?sort={sort}")
    while last.context["more"]:
        last = client.get("/customers/" + last.context["more"])
    rest = [row.customer.name for row in last.context["rows"]]
    assert walk(client, last.context["earlier"], "earlier") + rest == expected


@pytest.mark.usefixtures("small_pages")
def test_a_row_that_goes_in_between_neither_hides_nor_repeats_others(client: Any) -> None:
    expected = _ties_and_gaps()
    first = client.get("/customers/?sort=-value")
    Customer.objects.filter(name="d").update(is_merged=True)
    following = names_of(client, "/customers/" + first.context["more"])
    assert [row.customer.name for row in first.context["rows"]] == expected[:3]
    assert following == expected[3:6]


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize(
    "sort",
    ["name", "-name", "kind", "-kind", "owner", "-owner", "known_since", "-known_since", "activity", "-activity",
     "last_purchase", "-favourite_category", "attr.size", "-attr.size", "attr.city", "-attr.children", "attr.moved",
     "-attr.pets", "attr.rent"],
)  # fmt: skip
def test_every_column_sorts_and_pages_without_loss(client: Any, alice: Any, bob: Any, sort: str) -> None:
    """Each customer appears exactly once whichever column leads, and backward is forward turned round."""
    attributes = make_attributes()
    kinds = list(Customer.Kind.values)
    for number in range(14):
        customer = make_customer(
            f"Name {number % 4}" if number != 5 else "",
            kind=kinds[number % 3],
            owner=(alice, bob, None)[number % 3],
            known_since=f"2017-01-{1 + number % 5:02d}" if number % 4 else None,
        )
        if number % 5:
            give_score(
                customer,
                activity=("active", "late", "asleep", "never", None)[number % 5],
                last_purchase=f"2017-0{1 + number % 3}-01" if number % 2 else None,
                favourite_category=("A", "B", None)[number % 3],
            )
        if number % 2:
            set_value(customer, attributes["size"], text=("s", "l", "m", "gone")[number % 4])
            set_value(customer, attributes["city"], text=("Ulm", "Bonn")[number % 3 == 0])
            set_value(customer, attributes["children"], number=number % 3)
            set_value(customer, attributes["moved"], day=f"2017-01-0{1 + number % 3}")
            set_value(customer, attributes["pets"], number=number % 2)
            set_value(customer, attributes["rent"], number=number * 100)
    every = sorted(Customer.objects.values_list("pk", flat=True))

    def pages(address: str, link: str) -> list[list[int]]:
        found = []
        while address:
            response = client.get("/customers/" + address)
            found.append([row.customer.pk for row in response.context["rows"]])
            address = response.context[link]
        return found

    forward = pages(f"?sort={sort}", "more")
    flat = [pk for page in forward for pk in page]
    assert sorted(flat) == every
    last = client.get("/customers/" + f"?sort={sort}")
    while last.context["more"]:
        last = client.get("/customers/" + last.context["more"])
    backward = pages(last.context["earlier"], "earlier")
    assert [pk for page in reversed(backward) for pk in page] == flat[: -len(forward[-1])]


def test_choices_sort_in_their_natural_order_and_unknown_comes_last(client: Any) -> None:
    size = make_attributes()["size"]
    for name, value in (("L", "l"), ("S", "s"), ("M", "m")):
        set_value(make_customer(name), size, text=value)
    make_customer("None")
    assert names_of(client, "/customers/?sort=attr.size") == ["S", "L", "M", "None"]
    assert names_of(client, "/customers/?sort=-attr.size") == ["M", "L", "S", "None"]


def test_on_a_large_base_those_without_a_value_wait_for_the_next_page(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "LARGE_BASE", 1)
    give_score(make_customer("Scored"), value=5)
    make_customer("New")
    first = client.get("/customers/?sort=-value")
    assert [row.customer.name for row in first.context["rows"]] == ["Scored"]
    assert first.context["late"]
    assert names_of(client, "/customers/" + first.context["more"]) == ["New"]


@pytest.mark.parametrize("text", ["x", "bm90IGpzb24", "WyJuYW1lIiwia25vd24iLDEsMl0", "WyItdmFsdWUiLCJnb25lIiwxLDJd"])
def test_a_page_address_that_does_not_fit_is_explained(client: Any, text: str) -> None:
    give_score(make_customer("Ada"), value=1)
    response = client.get(f"/customers/?sort=-value&after={text}")
    assert response.status_code == 400
    assert "begin at its first page" in response.content.decode()


def test_an_unknown_sort_is_explained(client: Any) -> None:
    response = client.get("/customers/?sort=-shoe_size")
    assert response.status_code == 400
    assert "shoe_size" in response.content.decode()


def test_the_number_of_queries_does_not_grow_with_the_rows(client: Any) -> None:
    attributes = make_attributes()
    address = "/customers/?cols=owner,value,orders,attr.size,attr.city&sort=-value&f=orders:min:1"

    def add(count: int) -> None:
        for number in range(count):
            customer = make_customer(f"Customer {number}", kind="household")
            give_score(customer, value=number, orders=2)
            set_value(customer, attributes["size"], text="s")

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            client.get(address)
        return len(caught)

    add(2)
    client.get(address)
    few = queries()
    add(40)
    assert queries() == few


def test_search_finds_beginnings_first_then_words_within(client: Any) -> None:
    for name in ("Anna Miller", "Miller household", "Müller", "Bert Millerson", "Old mill"):
        make_customer(name)
    assert names_of(client, "/customers/?q=mil") == ["Miller household", "Old mill", "Anna Miller", "Bert Millerson"]
    assert names_of(client, "/customers/?q=mueller") == ["Müller"]
    assert names_of(client, "/customers/?q=anna%20mil") == ["Anna Miller"]
    assert names_of(client, "/customers/?q=llerso") == []


@pytest.mark.usefixtures("small_pages")
def test_search_pages_through_all_it_finds(client: Any) -> None:
    for number in range(5):
        make_customer(f"Miller {number}")
        make_customer(f"Anna Miller {number}")
    expected = [f"Miller {n}" for n in range(5)] + [f"Anna Miller {n}" for n in range(5)]
    assert walk(client, "?q=miller") == expected


def test_search_finds_identifiers_of_merged_records_and_public_ids(client: Any) -> None:
    kept, lost = make_customer("Kept"), make_customer("Lost")
    Identifier.objects.create(customer=lost, kind="card", value="7781000042", shown="7781 000042")
    Identifier.objects.create(customer=kept, kind="email", value="kept@shop.example", shown="kept@shop.example")
    merge(system(), lost, kept)
    for text in ("7781 000042", "7781000042", "kept@shop.example", "KEPT@shop", kept.public_id, lost.public_id):
        assert names_of(client, f"/customers/?q={text}") == ["Kept"], text


def test_search_with_a_sort_keeps_to_the_sort(client: Any) -> None:
    for name, value in (("Miller A", 1), ("Miller B", 3), ("Else", 9), ("Anna Miller", 2)):
        give_score(make_customer(name), value=value)
    assert names_of(client, "/customers/?q=miller&sort=-value") == ["Miller B", "Anna Miller", "Miller A"]


@pytest.mark.parametrize("text", ["%", "_", "'; drop table", "\\", "💛", " " * 500, "a" * 5000])
def test_search_takes_any_text(client: Any, text: str) -> None:
    make_customer("Ada")
    assert client.get("/customers/", {"q": text}).status_code == 200


def test_the_sentence_counts_and_adds_up_what_fits(client: Any) -> None:
    make_run()
    for number in range(3):
        give_score(make_customer(f"Late {number}"), value=100_000, activity="late")
    give_score(make_customer("Active"), value=50_000, activity="active")
    assert "4 customers, together worth $3,500" in client.get("/customers/count").content.decode()
    late = client.get("/customers/count?f=activity:is:late").content.decode()
    assert "3 customers fit, together worth $3,000 over the next 12 months" in late
    assert "No customer fits" in client.get("/customers/count?f=value:min:9999").content.decode()


def test_columns_are_chosen_in_the_address_or_kept_for_the_viewer(client: Any, alice: Any, signed_in: Any) -> None:
    give_score(make_customer("Ada"), value=1, orders=7)

    def shown(address: str) -> list[str]:
        return [heading.field.key for heading in client.get(address).context["headings"]]

    assert shown("/customers/?cols=orders,stores,nonsense") == ["orders", "stores"]
    answer = client.post("/customers/columns", {"column": ["orders", "owner"], "f": "orders:min:1", "q": "ada"})
    assert answer["Location"] == "/customers/?f=orders:min:1&q=ada"
    assert shown("/customers/") == ["orders", "owner"]
    client.post("/customers/columns", {"column": ["value", "owner", "orders"]})
    assert shown("/customers/") == ["value", "owner", "orders"]
    client.post("/customers/columns", {"default": "1", "column": ["owner"]})
    assert "value" in shown("/customers/")


def test_htmx_gets_the_changing_part_alone(client: Any) -> None:
    make_customer("Ada")
    whole = client.get("/customers/").content.decode()
    part = client.get("/customers/?q=a", headers={"HX-Request": "true", "HX-Target": "list"}).content.decode()
    assert "<html" in whole and "<html" not in part and "Ada" in part
    rows = client.get("/customers/", headers={"HX-Request": "true", "HX-Target": "more"}).content.decode()
    assert rows.lstrip().startswith("<tr")


def test_the_palette_finds_customers(client: Any, charlie: Any, signed_in: Any) -> None:
    make_customer("Anna Miller")
    assert "Anna Miller" in client.get("/palette?q=mill").content.decode()
    assert "Anna Miller" not in signed_in(charlie).get("/palette?q=mill").content.decode()


def test_the_palette_tells_people_of_one_name_apart(client: Any) -> None:
    for email in ("anna@north.example", "anna@south.example"):
        add_identifier(system(), make_customer("Anna Miller"), "email", email)
    page = client.get("/palette?q=mill").content.decode()
    assert "Person · anna@north.example" in page and "Person · anna@south.example" in page


def test_german_pages_speak_german_numbers(client: Any, alice: Any) -> None:
    alice.language = "de"
    alice.save(update_fields=["language"])
    give_score(make_customer("Ada"), value=123_456_00, orders=1234, activity="late", last_purchase="2017-12-24")
    text = client.get("/customers/?cols=value,orders,last_purchase").content.decode()
    assert "123.456\u00a0$" in text and "1.234" in text and "24. Dez. 2017" in text


def test_an_attribute_of_a_run_that_is_not_visible_hides_nobody(client: Any) -> None:
    city = make_attributes()["city"]
    loading = Load.objects.create(kind="attributes", file_name="a.csv", fingerprint="f", status=Load.Status.LOADING)
    set_value(make_customer("Ada"), city, text="Ulm")
    set_value(make_customer("Bea"), city, text="Bonn", load=loading)
    assert names_of(client, "/customers/?sort=attr.city") == ["Ada", "Bea"]


def test_the_worth_of_the_whole_leaves_out_who_was_merged_or_taken_back(client: Any) -> None:
    make_run()
    undone = Load.objects.create(kind="customers", file_name="a.csv", fingerprint="f", status=Load.Status.UNDONE)
    rows = [make_customer("Ada"), make_customer("Bea"), make_customer("Cleo", load=undone)]
    for row, value in zip(rows, (100, 20, 3), strict=True):
        give_score(row, value=value)
    merge(system(), rows[1], rows[0])
    context = client.get("/customers/count").context
    assert (context["number"], context["value"]) == (1, 100)
