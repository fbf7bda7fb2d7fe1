"""The filter grammar: what each operator finds, what is refused and how, and that text, words and form agree."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from rondo.analysis.models import LeadOf, NextOf, Score
from rondo.catalogue.models import Category
from rondo.customers.actions import merge
from rondo.foundation.actors import system
from rondo.web.customers import selection
from rondo.web.customers.fields import catalogue
from rondo.web.customers.filters import FilterError, from_form, operators, parse_one
from rondo.web.customers.query import ListQuery
from rondo.web.tests.customers_data import (
    give_score,
    make_attributes,
    make_customer,
    make_run,
    names_of,
    purchase,
    set_value,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(installation: Any, alice: Any, signed_in: Any) -> Any:
    """Alice, who sees everybody."""
    return signed_in(alice)


@pytest.fixture
def base(alice: Any) -> None:
    """Ada active and worth 100, Bea late and worth 200, Cleo without a fact known, Dan without a score."""
    attributes = make_attributes()
    for name in ("TEA|MATE", "COFFEE"):
        Category.objects.create(name=name, path=name, depth=1)
    ada = make_customer("Ada", owner=alice, kind="household", known_since="2017-01-05")
    bea = make_customer("Bea", kind="person", known_since="2017-03-01")
    cleo = make_customer("Cleo", kind="organisation")
    dan = make_customer("Dan", kind="person")
    NextOf.objects.create(customer=ada, next_category="COFFEE", next_due="2018-01-03", habits="[]", products="[]")
    LeadOf.objects.create(customer=dan, lead_chance=0.25, reasons="")
    give_score(ada, value=100_00, activity="active", orders=3, alive=0.5, last_purchase="2017-12-01",
               favourite_category="TEA|MATE")  # fmt: skip
    give_score(bea, value=200_50, activity="late", orders=9, alive=0.25, last_purchase="2017-06-01",
               favourite_category="COFFEE")  # fmt: skip
    give_score(cleo)
    set_value(ada, attributes["size"], text="s")
    set_value(bea, attributes["size"], text="l")
    set_value(ada, attributes["city"], text="Ulm")
    set_value(ada, attributes["pets"], number=1)
    set_value(bea, attributes["pets"], number=0)
    set_value(bea, attributes["rent"], number=850_00)
    set_value(bea, attributes["moved"], day="2017-02-03")
    set_value(ada, attributes["children"], number=2.5)


EACH = [
    ("next_due:max:2018-01-03", "Ada"),
    ("next_category:not:COFFEE", "Bea Cleo Dan"),
    ("lead_chance:min:20%", "Dan"),
    ("lead_chance:unknown", "Ada Bea Cleo"),
    ("activity:is:late", "Bea"),
    ("activity:is:late|active", "Ada Bea"),
    ("activity:not:late", "Ada Cleo Dan"),
    ("activity:known", "Ada Bea"),
    ("activity:unknown", "Cleo Dan"),
    ("value:min:200.50", "Bea"),
    ("value:above:100", "Bea"),
    ("value:max:100", "Ada"),
    ("value:below:200.5", "Ada"),
    ("value:between:100..200.49", "Ada"),
    ("value:unknown", "Cleo Dan"),
    ("orders:is:3|9", "Ada Bea"),
    ("orders:not:3", "Bea Cleo Dan"),
    ("alive:min:50%", "Ada"),
    ("alive:max:0.25", "Bea"),
    ("last_purchase:between:2017-06-01..2017-06-30", "Bea"),
    ("favourite_category:is:TEA\\|MATE", "Ada"),
    ("favourite_category:is:TEA\\|MATE|COFFEE", "Ada Bea"),
    ("kind:is:person", "Bea Dan"),
    ("kind:not:person|household", "Cleo"),
    ("owner:is:me", "Ada"),
    ("owner:is:alice@example.org", "Ada"),
    ("owner:unknown", "Bea Cleo Dan"),
    ("known_since:min:2017-02-01", "Bea"),
    ("known_since:unknown", "Cleo Dan"),
    ("attr.size:is:s|m", "Ada"),
    ("attr.size:unknown", "Cleo Dan"),
    ("attr.city:is:Ulm", "Ada"),
    ("attr.pets:is:yes", "Ada"),
    ("attr.pets:is:0", "Bea"),
    ("attr.pets:not:1", "Bea Cleo Dan"),
    ("attr.rent:min:850", "Bea"),
    ("attr.moved:max:2017-02-03", "Bea"),
    ("attr.children:above:2", "Ada"),
]
"""A filter, and whom it finds."""


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize("sort", ["name", "-value", "attr.size", "kind"])
@pytest.mark.parametrize(
    ("text", "found"),
    EACH,
)
def test_what_each_operator_finds_whatever_the_sort(client: Any, text: str, found: str, sort: str) -> None:
    assert " ".join(sorted(names_of(client, f"/customers/?f={text.replace('%', '%25')}&sort={sort}"))) == found


@pytest.mark.usefixtures("base")
def test_all_filters_must_hold(client: Any) -> None:
    assert names_of(client, "/customers/?f=kind:is:person&f=value:known&f=attr.size:is:l") == ["Bea"]
    assert names_of(client, "/customers/?f=kind:is:household&f=activity:is:late") == []


@pytest.mark.usefixtures("base")
def test_filters_find_the_same_when_nothing_is_narrow(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a large base no condition is selective, and the sort's own index leads."""
    monkeypatch.setattr("rondo.web.customers.selection.NARROW", 0)
    assert names_of(client, "/customers/?f=activity:is:late&sort=-value") == ["Bea"]
    assert names_of(client, "/customers/?f=activity:not:late&sort=-value") == ["Ada", "Cleo", "Dan"]
    assert names_of(client, "/customers/?f=attr.size:is:s&sort=-orders") == ["Ada"]
    assert names_of(client, "/customers/?f=kind:is:person&f=orders:min:1&sort=attr.size") == ["Bea"]


@pytest.mark.usefixtures("base")
def test_an_attribute_of_a_merged_record_counts_where_the_survivor_has_none(client: Any) -> None:
    from rondo.customers.models import AttributeDefinition, Customer

    city = AttributeDefinition.objects.get(key="city")
    lost = make_customer("Lost")
    set_value(lost, city, text="Bonn")
    merge(system(), lost, Customer.objects.get(name="Dan"))
    assert names_of(client, "/customers/?f=attr.city:is:Bonn&sort=name") == ["Dan"]
    assert names_of(client, "/customers/?f=attr.city:is:Bonn&sort=attr.city") == ["Dan"]
    assert names_of(client, "/customers/?f=attr.city:unknown&sort=name") == ["Bea", "Cleo"]
    merge(system(), make_customer("Also lost", kind="household"), Customer.objects.get(name="Ada"))
    assert names_of(client, "/customers/?f=attr.city:is:Ulm&sort=name") == ["Ada"]


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("shoe:is:4", "there is no field “shoe”"),
        ("value:is:4", "“is” does not go with"),
        ("value", "“” does not go with"),
        ("value:min:", "the value is missing"),
        ("value:min:abc", "“abc” is no number; write it as 1204.50"),
        ("value:min:1,5", "“1,5” is no number"),
        ("value:min:1e9", "“1e9” is no number"),
        ("value:min:999999999999999", "minor units"),
        ("value:min:1.000", "“1.000” has more decimals than USD; write a thousand as 1000."),
        ("value:between:0..0.001", "more decimals than USD"),
        ("churn:min:50", "“50” is no share: write 0% to 100%"),
        ("churn:between:-0.5..0.5", "“-0.5” is no share"),
        ("value:min:1|2", "more than one value"),
        ("value:between:5", "write it as low..high"),
        ("value:between:5..1", "“5” is greater than “1”"),
        ("value:known:1", "takes no value"),
        ("activity:is:sleepy", "use one of active, late, asleep, never"),
        ("last_purchase:min:31.12.2017", "write it as 2017-12-31"),
        ("owner:is:zoe@example.org", "nobody here has the address"),
        ("attr.pets:is:maybe", "maybe"),
        ("attr.gone:known", "attr.gone"),
    ],
)
def test_a_filter_not_understood_names_value_and_remedy_and_shows_no_wrong_list(
    client: Any, text: str, words: str
) -> None:
    response = client.get("/customers/", {"f": text})
    page = response.content.decode()
    assert response.status_code == 400
    assert words in page and "Filter 1" in page
    assert response.context["rows"] == []
    assert client.get("/customers/export.csv", {"f": text}).status_code == 400
    assert client.get("/customers/count", {"f": text}).status_code == 200


def test_too_many_filters_are_refused(client: Any) -> None:
    response = client.get("/customers/", {"f": ["kind:is:person"] * 21})
    assert response.status_code == 400 and "at most 20" in response.content.decode()


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize(
    "text",
    ["value:min:1204.50", "value:between:-5..0", "alive:max:0.333333333", "activity:not:late|asleep", "owner:known",
     "favourite_category:is:a\\|b|c\\\\", "attr.moved:above:2017-02-03", "orders:is:3", "owner:is:alice@example.org"],
)  # fmt: skip
def test_the_text_of_a_filter_gives_the_same_filter(alice: Any, text: str) -> None:
    once = parse_one(text, catalogue(), alice)
    again = parse_one(once.text(), catalogue(), alice)
    assert (again.values, again.operator, again.field.key) == (once.values, once.operator, once.field.key)


@pytest.mark.usefixtures("base")
def test_every_operator_of_every_field_has_words(alice: Any) -> None:
    for field in catalogue().values():
        for operator in operators(field):
            sample = {"date": "2017-01-01", "user": "me", "text": "x"}.get(field.type) or (
                field.choices[0][0] if field.choices else "1"
            )
            value = f":{sample}..{sample}" if operator == "between" else f":{sample}"
            value = "" if operator in ("known", "unknown") else value
            condition = parse_one(f"{field.key}:{operator}{value}", catalogue(), alice)
            assert str(field.label) in condition.words()


@pytest.mark.usefixtures("base")
def test_chips_say_the_filter_and_lead_to_the_list_without_it(client: Any) -> None:
    response = client.get("/customers/?f=activity:is:late&f=value:min:100&q=bea")
    first, second = response.context["chips"]
    assert (first.words, second.words) == ("Activity: late", "Customer value at least $100")
    assert first.without == "?f=value:min:100&q=bea"


@pytest.mark.usefixtures("base")
def test_the_form_leads_to_the_list_with_one_more_filter(client: Any, alice: Any) -> None:
    form = {"f": "kind:is:person", "field": "value", "operator": "between", "value": ["1,000", "$2,000.50"], "q": "a"}
    leads_to = client.get("/customers/filter", form)["Location"]
    assert leads_to == "/customers/?f=kind:is:person&f=value:between:1000.00..2000.50&q=a"
    alice.language = "de"
    alice.save(update_fields=["language"])
    german = {"field": "value", "operator": "min", "value": "1.204,50 €"}
    assert client.get("/customers/filter", german)["Location"] == "/customers/?f=value:min:1204.50"
    several = {"field": "activity", "operator": "is", "value": ["late", "asleep"]}
    assert client.get("/customers/filter", several)["Location"] == "/customers/?f=activity:is:late%7Casleep"


@pytest.mark.usefixtures("base")
def test_a_value_typed_wrongly_in_the_form_is_explained_on_the_list(client: Any) -> None:
    answer = client.get("/customers/filter", {"field": "value", "operator": "min", "value": "much"}, follow=True)
    assert answer.status_code == 400 and "“much” is no number" in answer.content.decode()


@pytest.mark.usefixtures("base")
def test_the_filter_form_offers_what_fits_the_field(client: Any) -> None:
    assert "asleep" in client.get("/customers/filter-form?field=activity").content.decode()
    assert "COFFEE" in client.get("/customers/filter-form?field=favourite_category").content.decode()
    assert client.get("/customers/filter-form?field=nonsense").status_code == 200


@pytest.mark.parametrize(
    ("language", "typed", "plain"),
    [
        ("en", "1,204.50", "1204.50"),
        ("de", "1.204,50", "1204.50"),
        ("de", "1.5", "1.5"),
        ("en", "-3", "-3"),
        ("de", "viel", "viel"),
    ],
)
def test_numbers_are_read_as_the_language_writes_them(installation: Any, language: str, typed: str, plain: str) -> None:
    with override(language):
        assert from_form(catalogue()["value"], "min", [typed]) == f"value:min:{plain}"


def test_errors_are_of_the_one_tree(alice: Any) -> None:
    with pytest.raises(FilterError):
        parse_one("x:y:z", catalogue(), alice)


@pytest.mark.parametrize(("language", "typed"), [("en", "1e5"), ("en", "12/5"), ("de", "1.2 Mio."), ("en", "3 k")])
def test_what_is_no_plain_number_is_not_made_into_one(installation: Any, language: str, typed: str) -> None:
    with override(language):
        assert from_form(catalogue()["value"], "min", [typed]) == f"value:min:{typed}"


@pytest.mark.parametrize("typed", ["$1,204.50", "1,204.50 USD", "USD 1,204.50", "1,204.50 €"])
def test_a_sign_or_code_of_the_currency_may_stand_beside(installation: Any, typed: str) -> None:
    with override("en"):
        assert from_form(catalogue()["value"], "min", [typed]) == "value:min:1204.50"


def test_names_are_compared_as_the_search_compares_them(client: Any) -> None:
    make_customer("Jürgen Müller")
    make_customer("Ada")
    make_customer("")
    assert names_of(client, "/customers/?f=name:is:J%C3%BCrgen+M%C3%BCller") == ["Jürgen Müller"]
    assert names_of(client, "/customers/?f=name:is:Ada|JUERGEN+MUELLER") == ["Ada", "Jürgen Müller"]
    assert names_of(client, "/customers/?f=name:unknown") == [""]
    assert names_of(client, "/customers/?f=name:known") == ["Ada", "Jürgen Müller"]


@pytest.mark.usefixtures("base")
@pytest.mark.parametrize("text", [text for text, _found in EACH])
def test_every_filter_finds_what_its_rule_finds(client: Any, text: str) -> None:
    """Filters and rules mean the same: who is late, what ``not`` leaves in, and what is not known."""
    led = client.get("/customers/as-segment", {"f": text}).headers["Location"]
    rule = parse_qs(urlsplit(led).query)["text"][0]
    assert names_of(client, "/customers/?" + urlencode({"rule": rule, "sort": "name"})) == names_of(
        client, "/customers/?" + urlencode({"f": text, "sort": "name"})
    )


@pytest.mark.usefixtures("base")
def test_a_rule_holds_beside_filters_in_lists_counts_and_exports(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = "/customers/?" + urlencode({"rule": "value >= 100 or owner = me", "f": "kind:is:person"})
    assert names_of(client, asked) == ["Bea"]
    assert "1 customer fits" in client.get(asked.replace("?", "count?")).content.decode()
    export = b"".join(client.get(asked.replace("?", "export.csv?")).streaming_content).decode()
    assert "Bea" in export and "Ada" not in export
    monkeypatch.setattr("rondo.web.customers.selection.NARROW", 0)
    for sort in ("name", "-value", "attr.size", "kind"):
        assert names_of(client, f"{asked}&sort={sort}") == ["Bea"]
    assert "1 customer fits" in client.get(asked.replace("?", "count?")).content.decode()


@pytest.mark.usefixtures("base")
def test_that_a_condition_leaves_many_is_asked_once_a_minute_and_changes_no_row(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rondo.web.customers.selection.NARROW", 1)
    monkeypatch.setattr("rondo.web.customers.selection._beyond", {})
    asked = "/customers/?" + urlencode({"f": "value:min:50", "sort": "-value"})
    with CaptureQueriesContext(connection) as first:
        assert names_of(client, asked) == ["Bea", "Ada"]
    with CaptureQueriesContext(connection) as second:
        assert names_of(client, asked) == ["Bea", "Ada"]
    assert sum("OFFSET 1" in one["sql"] for one in first.captured_queries) == 1
    assert not any("OFFSET 1" in one["sql"] for one in second.captured_queries)
    Score.objects.filter(customer__name="Ada").update(value=0)
    assert names_of(client, asked) == ["Bea"]


@pytest.mark.usefixtures("base")
def test_a_rule_is_a_chip_and_a_wrong_one_says_where(client: Any) -> None:
    page = client.get("/customers/", {"rule": "value>=100 AND activity=late"}).content.decode()
    assert ">Customer value at least $100</button>" in page and ">Activity: late</button>" in page
    wrong = client.get("/customers/", {"rule": "valeu >= 100"})
    assert wrong.status_code == 400
    assert "line 1, column 1" in wrong.content.decode() and "Did you mean “value”?" in wrong.content.decode()


def make_segment(client: Any, rule: str) -> str:
    """A segment made on its page; its key."""
    made = client.post("/segments/new", {"name": "Top", "kind": "rule", "text": rule, "description": "", "form": ""})
    return str(made.headers["Location"].rstrip("/").rsplit("/", 1)[-1])


@pytest.mark.usefixtures("base")
def test_a_segment_of_a_list_says_what_the_list_says(client: Any) -> None:
    segment = make_segment(client, "value >= 200")
    led = client.get(
        "/customers/as-segment", {"f": ["kind:not:household", f"segment:is:{segment}"], "rule": "orders > 1"}
    )
    assert parse_qs(urlsplit(led.headers["Location"]).query)["text"] == [
        f"kind != household and in segment {segment} and orders > 1"
    ]
    assert client.get("/customers/as-segment", {"f": "value:min:abc"}).status_code == 400


def led_to(client: Any, **asked: Any) -> dict[str, list[str]]:
    """What the list is asked for after the builder's dialog was sent."""
    return parse_qs(urlsplit(client.get("/customers/conditions/use", asked).headers["Location"]).query)


@pytest.mark.usefixtures("base")
def test_what_a_filter_can_say_is_a_filter_again(client: Any) -> None:
    """Through the builder and back a list stays as fast as it was, and finds the same."""
    for text, found in EACH:
        led = client.get("/customers/as-segment", {"f": text}).headers["Location"]
        rule = parse_qs(urlsplit(led).query)["text"][0]
        asked = led_to(client, rule=rule)
        if "attr.city" in text or "category" in text or "owner:is" in text:
            assert asked == {"rule": [rule]}  # texts are compared folded in rules alone; people are who they are
        else:
            assert set(asked) == {"f"}, text
            assert client.get("/customers/as-segment", asked).headers["Location"] == led, text
        assert " ".join(sorted(names_of(client, "/customers/?" + urlencode(asked, doseq=True)))) == found, text


@pytest.mark.usefixtures("base")
def test_the_builder_holds_all_that_a_list_asks_for_and_gives_it_back(client: Any) -> None:
    segment = make_segment(client, "value >= 200 and activity in (active, late)")
    asked = {
        "f": ["kind:is:person", f"segment:is:{segment}"],
        "rule": "orders > 1 or value > 5",
        "q": "e",
        "sort": "name",
    }
    form = client.get("/customers/conditions", asked).content.decode()
    whole = f"kind = person and in segment {segment} and (orders &gt; 1 or value &gt; 5.00)"
    assert f">{whole}</textarea>" in form and 'name="f"' not in form and 'name="q" value="e"' in form
    back = led_to(client, rule=whole.replace("&gt;", ">"), sort="name")
    assert back == {"f": asked["f"], "rule": ["orders > 1 or value > 5.00"], "sort": ["name"]}
    # Nothing asked, a rule that cannot be read, and a filter that cannot: each is what it was.
    assert led_to(client, rule="everybody", q="e") == {"q": ["e"]}
    assert led_to(client, rule="valeu >") == {"rule": ["valeu >"]}
    kept = client.get("/customers/conditions", {"f": "value:min:abc", "rule": "orders > 1"}).content.decode()
    assert 'name="f" value="value:min:abc"' in kept and ">orders &gt; 1</textarea>" in kept
    # A segment's rule as filters of a list.
    detail = client.get(f"/segments/{segment}/").content.decode()
    assert "Customer value at least $200 and Activity: active or late" in detail
    assert (
        "/customers/conditions/use?rule=value%20%3E%3D%20200.00%20and%20activity%20in%20%28active%2C%20late%29"
        in detail
    )


@pytest.mark.usefixtures("base")
def test_each_part_of_a_rule_is_a_chip_in_words_that_goes_alone(client: Any, alice: Any) -> None:
    rule = "(value > 1 or orders = 2) and did purchase where category = COFFEE at least 2 times within 90 days"
    with override("en"):
        chips = ListQuery(alice, QueryDict(urlencode({"rule": rule, "f": "kind:is:person"}))).chips()
    assert [chip.words for chip in chips] == [
        "Kind: Person",
        "Customer value more than $1 or Orders: 2",
        "Purchase (Category: COFFEE) at least 2 times within the last 90 days",
    ]
    assert parse_qs(chips[2].without[1:]) == {"f": ["kind:is:person"], "rule": ["value > 1.00 or orders = 2"]}


def test_a_rule_that_holds_for_many_of_a_large_base_is_not_looked_for_as_a_whole(
    installation: Any, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the list is the same, whichever way it is found."""
    make_run()
    monkeypatch.setattr(selection, "SAMPLES", ((0, 10**9), (1, 10**9)))  # all keys: PostgreSQL begins at no certain one
    for number in range(40):
        row = make_customer(f"C{number:02}")
        give_score(row, value=100 * (number * 7 % 40))
        if number % 2:
            purchase(row, datetime(2017, 12, 20, tzinfo=UTC), 100 if number > 1 else 90_000, f"{number}")

    def found(rule: str) -> tuple[list[int], list[int] | None, tuple[int, int | None]]:
        query = ListQuery(alice, QueryDict(urlencode({"rule": rule, "sort": "-value"})))
        page = query.page().ids
        assert not query.errors
        return page, query.selection.narrow, query.selection.count()

    for rule, many in (
        ("did purchase within 30 days", True),
        ("did purchase for at least 500 within 30 days", False),
        ("did not purchase within 30 days", True),
    ):
        monkeypatch.setattr(selection, "SAMPLED_FROM", 50_000)
        plain = found(rule)
        assert plain[0] and plain[1] is not None
        monkeypatch.setattr(selection, "SAMPLED_FROM", 0)
        sampled = found(rule)
        assert (sampled[1] is None) == many and (sampled[0], sampled[2]) == (plain[0], plain[2])
