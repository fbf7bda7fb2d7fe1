"""The pages of segments show what the viewer may see, check rules as they are written, and change by actions."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import Score
from rondo.analysis.segments.actions import add_members, change_segment, create_segment
from rondo.analysis.segments.models import Membership, Segment
from rondo.analysis.segments.refreshing import refresh_all
from rondo.analysis.tests.world import seeded_base
from rondo.customers.models import AttributeDefinition, Customer
from rondo.foundation.actors import Actor, system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import User
from rondo.foundation.roles import change_role
from rondo.rules import SegmentError
from rondo.web.tests.charted import words

pytestmark = pytest.mark.django_db

SignIn = Callable[[User], Client]


@pytest.fixture(scope="module")
def base(module_world: Path) -> None:
    seeded_base(customers=30)
    run_analysis(system())


@pytest.fixture
def people(base: None, world_copy: Path) -> list[Customer]:
    return list(Customer.objects.order_by("pk"))


@pytest.fixture
def often(people: list[Customer]) -> Segment:
    made = create_segment(system(), name="Often here", text="orders >= 4", form="behavioural")
    refresh_all()
    made.refresh_from_db()
    return made


def body(response: Any) -> str:
    return str(response.content.decode())


@pytest.mark.parametrize("days", [-1, 1])
def test_a_segment_of_another_day_than_the_analysis_is_marked(
    alice: User, signed_in: SignIn, often: Segment, days: int
) -> None:
    page, said = signed_in(alice), "of another day than the analysis"
    assert said not in body(page.get("/segments/")) and said not in body(page.get(f"/segments/{often.key}/"))
    assert often.as_of is not None
    Segment.objects.filter(pk=often.pk).update(as_of=often.as_of + timedelta(days=days))
    assert said in body(page.get("/segments/")) and said in body(page.get(f"/segments/{often.key}/"))


def test_the_list_teaches_then_shows_failed_ones_first(alice: User, signed_in: SignIn, people: list[Customer]) -> None:
    page = signed_in(alice)
    assert "New segment" in body(page.get("/segments/"))
    create_segment(system(), name="A good one", text="orders >= 4")
    bad = create_segment(system(), name="Bad one", text="orders >= 4")
    Segment.objects.filter(pk=bad.pk).update(rule={"version": 1, "rule": {"segment": "gone"}})
    refresh_all()
    text = body(page.get("/segments/"))
    assert "1 of 2 segments failed" in text and text.index("Bad one") < text.index("A good one")
    assert "no segment “gone”" in body(page.get("/segments/bad-one/"))


def test_the_page_leads_to_the_customers(alice: User, signed_in: SignIn, often: Segment) -> None:
    page = signed_in(alice)
    text = body(page.get("/segments/often-here/"))
    assert f"Often here: {often.size} customers" in words(text) and "orders &gt;= 4" in text
    wanted = set(Score.objects.filter(orders__gte=4).values_list("pk", flat=True))
    listed = page.get("/customers/?f=segment:is:often-here")
    assert {row.customer.pk for row in listed.context["rows"]} == wanted and len(wanted) == often.size
    outside = page.get("/customers/?f=segment:not:often-here")
    assert {row.customer.pk for row in outside.context["rows"]}.isdisjoint(wanted)
    assert len(outside.context["rows"]) == 30 - len(wanted)
    count = body(page.get("/customers/count?f=segment:is:often-here"))
    assert str(len(wanted)) in count
    assert page.get("/customers/?sort=segment").status_code == 400
    (link,) = re.findall(r'href="(/customers/\?rule=did\+membership[^"]*)"', text)
    assert {row.customer.pk for row in page.get(unescape(link)).context["rows"]} == wanted


def test_who_left_by_a_refresh_is_a_list_that_hides_what_the_viewer_may_not_see(
    alice: User, signed_in: SignIn, often: Segment, make_user: Any
) -> None:
    """The numbers of the ledger open their customers; of a segment that somebody may not see, a rule finds nobody."""
    change_segment(system(), often.key, expected_version=often.version, text="orders >= 5")
    refresh_all()
    left = {one.customer_id for one in Membership.objects.filter(segment=often, left_at__isnull=False)}
    assert left
    text = body(signed_in(alice).get(f"/segments/{often.key}/"))
    (link,) = {unescape(one) for one in re.findall(r'href="(/customers/\?rule=[^"]*left_by[^"]*)"', text)}
    table = signed_in(alice).get(f"/segments/{often.key}/sizes.csv").content.decode().splitlines()
    assert [int(line.split(",")[4]) for line in table[1:]] == [0, len(left)]
    picture = signed_in(alice).get(f"/segments/{often.key}/sizes.csv?as=png")
    assert picture.content[:4] == b"\x89PNG"
    assert {row.customer.pk for row in signed_in(alice).get(link).context["rows"]} == left
    change_role(system(), "sales", reaches={"segments": "none"})
    sam = signed_in(make_user("sam", role="sales", reach="all"))  # sees all customers and no segment
    for address in (link, f"/customers/?rule=did+membership+where+segment+%3D+{often.key}"):
        assert len(sam.get(address).context["rows"]) == 0


def test_who_sees_few_counts_few(charlie: User, signed_in: SignIn, often: Segment, people: list[Customer]) -> None:
    Customer.objects.filter(pk__in=[one.pk for one in people[:8]]).update(owner=charlie)
    mine = Score.objects.filter(orders__gte=4, pk__in=[one.pk for one in people[:8]]).count()
    page = signed_in(charlie)
    assert 0 < mine < often.size
    text = body(page.get("/segments/often-here/"))
    assert f"Often here: {mine} customer" in words(text) and "What sets them apart" not in text
    assert "Edit" not in text
    assert page.get("/segments/").context["rows"][0].trend == [mine]
    assert len(page.get("/customers/?f=segment:is:often-here").context["rows"]) == mine


@pytest.mark.parametrize("name", ["segment-edit", "segment-delete", "segment-refresh", "segment-members"])
def test_only_who_may_changes(charlie: User, signed_in: SignIn, often: Segment, name: str) -> None:
    address = reverse(name, args=[often.key])
    page = signed_in(charlie)
    assert page.post(address).status_code == 403
    assert page.post("/segments/new", {"name": "X", "text": "everybody"}).status_code == 403
    assert Segment.objects.filter(retired_at__isnull=True).count() == 1


def test_a_page_tells_why_and_a_snapshot_is_kept(alice: User, signed_in: SignIn, often: Segment) -> None:
    page = signed_in(alice)
    inside = Score.objects.filter(orders__gte=4).order_by("pk").first()
    outside = Score.objects.filter(orders__lt=4).order_by("pk").first()
    assert inside is not None and outside is not None
    text = body(page.get(reverse("segment-why", args=[often.key, inside.customer.public_id])))
    assert "is in “Often here”" in text and "first time" in text
    assert "orders &gt;= 4" in text and f">{inside.orders}</span>" in text
    text = body(page.get(reverse("segment-why", args=[often.key, outside.customer.public_id])))
    assert "is not in “Often here”" in text and "does not hold" in text and f">{outside.orders}</span>" in text
    assert page.get(reverse("segment-why", args=[often.key, "c_nobody"])).status_code == 404
    panel = body(page.get(f"/customers/{inside.customer.public_id}/"))
    assert reverse("segment-why", args=[often.key, inside.customer.public_id]) in panel
    kept = page.post(reverse("segment-snapshot", args=[often.key]), follow=True)
    assert f"{often.size} customers" in body(kept) and "by name" in body(kept)


def test_why_is_of_customers_whom_the_viewer_may_see(charlie: User, signed_in: SignIn, often: Segment) -> None:
    someone = Customer.objects.order_by("pk")[0]
    assert signed_in(charlie).get(reverse("segment-why", args=[often.key, someone.public_id])).status_code == 404


class TestBuilder:
    def test_a_rule_is_counted_and_sampled(self, alice: User, signed_in: SignIn, often: Segment) -> None:
        answer = body(signed_in(alice).post("/segments/check", {"text": "in segment often-here"}))
        assert (
            f">{often.size}</strong> customers" in answer
            and "76.7%" in answer
            and answer.count("/customers/c_") == min(20, often.size)
        )

    def test_a_segment_that_is_missing_or_leads_back_is_told_at_its_place(
        self, alice: User, signed_in: SignIn, often: Segment
    ) -> None:
        page = signed_in(alice)
        text = body(page.post("/segments/check", {"text": "orders >= 1 and\nnot in segment often-her"}))
        assert "line 2, column 16: There is no segment “often-her”. Did you mean “often-here”?" in text
        assert "not in segment <mark>often-her</mark>" in text
        create_segment(system(), name="Outer", text="in segment often-here")
        circle = {"text": "orders >= 1 or in segment outer", "key": often.key}
        text = body(page.post("/segments/check", circle))
        assert "line 1, column 27: Segment “often-here” refers to itself: often-here → outer → often-here." in text
        refused = page.post("/segments/new", {"kind": "rule", "name": "X", "text": "in segment nowhere"})
        assert "line 1, column 12: There is no segment “nowhere”." in body(refused)
        listed = page.get("/customers/?rule=value+is+known+and+in+segment+nowhere")
        assert listed.status_code == 400 and "line 1, column 31" in body(listed)

    def test_a_circle_names_no_segment_that_is_not_ones_own_to_see(
        self, alice: User, make_user: Callable[..., User], signed_in: SignIn, often: Segment
    ) -> None:
        """Dora's segment leads over Alice's, which she does not see, back to another one of hers."""
        change_role(system(), "marketing", reaches={"segments": "own", "customers": "all"})
        dora = make_user("dora", role="marketing", reach="all")
        mine = create_segment(Actor(dora, "web"), name="Mine", text="orders > 1")
        create_segment(Actor(alice, "web"), name="Secret", text="in segment mine")
        create_segment(Actor(dora, "web"), name="Other", text="orders > 2")
        change_segment(Actor(alice, "web"), "other", text="in segment secret")
        for user, way in ((dora, "mine → other → … → mine"), (alice, "mine → other → secret → mine")):
            page = signed_in(user)
            tried = body(page.post("/segments/check", {"text": "in segment other", "key": mine.key}))
            assert f"Segment “mine” refers to itself: {way}." in tried
            assert ("secret" in tried) == (user == alice)
        with pytest.raises(SegmentError, match="…") as refused:
            change_segment(Actor(dora, "web"), "mine", text="in segment other")
        assert "secret" not in str(refused.value)
        Segment.objects.filter(key="secret").update(retired_at=timezone.now())
        tried = body(signed_in(dora).post("/segments/check", {"text": "in segment other"}))
        assert "Segment “other” refers to a segment that is not there." in tried and "secret" not in tried

    def test_stays_in_a_segment_that_is_missing_are_refused_at_their_place_wherever_a_rule_is_read(
        self, alice: User, make_user: Callable[..., User], signed_in: SignIn, often: Segment
    ) -> None:
        """On the list, its count and its file, by the builder, and over the API; of what one does not see likewise."""
        change_role(system(), "marketing", reaches={"segments": "own", "customers": "all"})
        dora = make_user("dora", role="marketing", reach="all")
        create_segment(Actor(alice, "web"), name="Never", kind="static")
        for user, key, hint in (
            (alice, "nope", "Write one of: never, often-here."),
            (alice, "often-her", "Did you mean “often-here”?"),
            (dora, "often-here", ""),
        ):
            page, text = signed_in(user), f"value > 0 or did membership where segment = {key}"
            token = make_api_token(system(), user, "hers", scopes=["see", "segment", "export"])
            api = Client(headers={"authorization": f"Bearer {token}"})
            if "-" in key:
                text = text.replace(key, f'"{key}"')
            told = f"line 1, column 45: There is no segment “{key}”. {hint}".strip()
            pages = [page.get(f"/customers/{path}", {"rule": text}) for path in ("", "groups", "export.csv")]
            pages.append(page.post("/segments/check", {"text": text}))
            pages.append(page.post("/segments/new", {"kind": "rule", "name": "X", "text": text}))
            assert [answer.status_code for answer in pages] == [400, 400, 400, 200, 400]
            for answer in pages:
                assert told in body(answer)
            answers = [
                api.get(f"/api/v1/{path}", {"rule": text})
                for path in ("customers", "lists/customers", "lists/customers/count", "lists/customers/export")
            ]
            kept = {"name": "X", "kept": {"rule": text}}
            for path, sent in (
                ("segments", {"name": "X", "rule": text}),
                ("rules/check", {"rule": text}),
                ("views", kept),
            ):
                answers.append(api.post(f"/api/v1/{path}", sent, content_type="application/json"))
            assert {answer.status_code for answer in answers} == {422}
            for answer in answers:
                assert told in str(answer.json())
        assert page.get("/customers/", {"rule": "did membership where segment is known"}).status_code == 200

    def test_the_place_of_an_error_is_marked(self, alice: User, signed_in: SignIn, people: list[Customer]) -> None:
        answer = body(signed_in(alice).post("/segments/check", {"text": "orders >= 4\nand valu > 3"}))
        assert "and <mark>valu</mark> &gt; 3" in answer and "line 2, column 5" in answer and "value" in answer
        assert "no segment" in body(signed_in(alice).post("/segments/check", {"text": "in segment gone"}))

    def test_who_sees_few_previews_few(
        self, make_user: Callable[..., User], signed_in: SignIn, people: list[Customer]
    ) -> None:
        dora = make_user("dora", role="marketing", reach="own")
        Customer.objects.filter(pk__in=[one.pk for one in people[:3]]).update(owner=dora)
        answer = body(signed_in(dora).post("/segments/check", {"text": "everybody"}))
        assert ">3</strong> customers" in answer and "100.0%" in answer and answer.count("/customers/c_") == 3

    def test_a_segment_that_one_may_not_see_is_not_there_for_rules(
        self, make_user: Callable[..., User], signed_in: SignIn, people: list[Customer], alice: User
    ) -> None:
        """Neither tried nor kept, by page or by API; a segment that one sees may have it behind it."""
        change_role(system(), "marketing", reaches={"segments": "own", "customers": "all"})
        dora = make_user("dora", role="marketing", reach="all")
        create_segment(Actor(alice, "web"), name="Secret", kind="static")
        add_members(system(), "secret", [people[0].public_id])
        page, text = signed_in(dora), "in segment secret"
        assert page.get("/segments/secret/").status_code == 404
        tried = body(page.post("/segments/check", {"text": text}))
        assert "There is no segment “secret”" in tried and "/customers/c_" not in tried
        made = page.post("/segments/new", {"name": "Mine", "text": text})
        assert made.status_code == 400 and "There is no segment “secret”" in body(made)
        token = make_api_token(system(), dora, "hers", scopes=["see", "segment"])
        client = Client(headers={"authorization": f"Bearer {token}"})
        for path, sent in (("segments", {"name": "Mine", "rule": text}), ("rules/check", {"rule": text})):
            answer = client.post(f"/api/v1/{path}", sent, content_type="application/json")
            assert answer.status_code == 422 and "There is no segment “secret”" in str(answer.json()), path
        assert Segment.objects.count() == 1

        given = create_segment(Actor(alice, "web"), name="Given", text=text)
        Segment.objects.filter(pk=given.pk).update(owner=dora)
        page.post("/segments/given/edit", {"name": "Called otherwise", "text": text, "version": "1"})
        given.refresh_from_db()
        assert given.name == "Called otherwise"
        other = page.post("/segments/given/edit", {"name": "X", "text": "not in segment secret", "version": "2"})
        assert other.status_code == 400 and "There is no segment “secret”" in body(other)
        assert ">1</strong> customer" in body(page.post("/segments/check", {"text": "in segment given"}))
        page.post("/segments/given/delete")
        page.post("/segments/given/restore")
        assert page.get("/segments/given/").status_code == 200

    def test_a_segment_that_asks_for_a_hidden_attribute_may_stand_in_another_rule(
        self, make_user: Callable[..., User], signed_in: SignIn, people: list[Customer]
    ) -> None:
        AttributeDefinition.objects.create(
            key="shoe", label_en="Shoe", type="number", form="demographic", visible_to=["analyst"]
        )
        create_segment(system(), name="Without", text="shoe is unknown")
        page, text = signed_in(make_user("dora", role="marketing", reach="all")), "in segment without"
        assert "there is no field “shoe”" in body(page.post("/segments/check", {"text": "shoe is unknown"}))
        assert f">{len(people)}</strong> customers" in body(page.post("/segments/check", {"text": text}))
        page.post("/segments/new", {"name": "Outer", "text": text})
        assert Segment.objects.get(key="outer").text == text

    def test_make_change_and_delete_with_undo(self, alice: User, signed_in: SignIn, people: list[Customer]) -> None:
        page = signed_in(alice)
        assert "data-insert" in body(page.get("/segments/new"))
        wrong = page.post("/segments/new", {"name": "Mine", "text": "valu > 3"})
        assert wrong.status_code == 400 and "valu &gt; 3" in body(wrong)
        assert page.post("/segments/new", {"name": "Mine", "text": "orders >= 4"})["Location"] == "/segments/mine/"
        change_segment(system(), "mine", expected_version=1, name="Theirs")
        stale = page.post("/segments/mine/edit", {"name": "Mine", "text": "orders >= 5", "version": "1"})
        assert stale.status_code == 400 and "changed meanwhile" in body(stale)
        page.post("/segments/mine/edit", {"name": "Mine", "text": "orders >= 5", "version": "2"})
        assert Segment.objects.get().text == "orders >= 5"
        gone = page.post("/segments/mine/delete", follow=True)
        assert "/segments/mine/restore" in body(gone) and page.get("/segments/mine/").status_code == 404
        page.post("/segments/mine/restore")
        assert page.get("/segments/mine/").status_code == 200

    def test_a_static_segment_of_selected_customers(
        self, alice: User, signed_in: SignIn, people: list[Customer]
    ) -> None:
        page = signed_in(alice)
        one, two = people[0].public_id, people[1].public_id
        assert f"{one}\n{two}" in body(page.get(f"/segments/new?id={one}&id={two}"))
        page.post("/segments/new", {"name": "Panel", "kind": "static", "ids": f"{one}, {two}"})
        page.post("/segments/panel/members", {"ids": one, "remove": "1"})
        assert [row.customer_id for row in Membership.objects.filter(left_at=None)] == [people[1].pk]
        refused = page.post("/segments/new", {"name": "Other", "kind": "static", "ids": "c_nobody"})
        assert refused.status_code == 400 and Segment.objects.count() == 1


def test_the_palette_finds_segments(alice: User, signed_in: SignIn, often: Segment) -> None:
    text = body(signed_in(alice).get("/palette?q=often"))
    assert "/segments/often-here/" in text
    assert "/segments/new" in body(signed_in(alice).get("/palette?q=new+seg"))


def test_the_list_asks_no_more_for_more_segments(alice: User, signed_in: SignIn, people: list[Customer]) -> None:
    page = signed_in(alice)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert page.get("/segments/").status_code == 200
        return len(queries)

    create_segment(system(), name="Panel", kind="static")
    add_members(system(), "panel", [people[0].public_id])
    page.get("/segments/")
    before = asked()
    for number in range(5):
        create_segment(system(), name=f"Panel {number}", kind="static")
        add_members(system(), f"panel-{number}", [one.public_id for one in people[number:]])
    assert asked() == before
