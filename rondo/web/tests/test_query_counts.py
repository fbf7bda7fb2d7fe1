"""How often the database is asked does not grow with rows: every page and every read of the API, with 3 rows of each
kind and with 40.

The addresses are those of docs/rights.md, so that a new one is walked from its first day.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rondo.analysis.ruled import STAGE
from rondo.analysis.segments.models import Membership, Refresh, Segment
from rondo.campaigns.models import Campaign, Exposure
from rondo.catalogue.models import Category, Product
from rondo.customers import actions as customers
from rondo.customers.actions import define_attribute, link, merge
from rondo.customers.models import Address, Consent, Customer, Source
from rondo.duplicates.models import Decision, Pair
from rondo.foundation.actors import Actor, system
from rondo.foundation.api_tokens import add_service_account, make_api_token
from rondo.foundation.invitations import invite
from rondo.foundation.models import Load, Role, Team, User
from rondo.interactions.actions import log_interaction
from rondo.interactions.models import ImportFile, Interaction
from rondo.lists.actions import save_view
from rondo.lists.states import State
from rondo.reports.actions import create_report
from rondo.reports.models import Report
from rondo.web.tests.customers_data import AS_OF, give_score, make_customer, purchase
from rondo.web.tests.sample import store_run
from rondo.web.tests.test_rights import OPERATIONS, PAGES

pytestmark = pytest.mark.django_db
ACTOR = system()
FEW, MANY = 3, 40
KEPT = re.compile(r'FROM "foundation_installation"|UPDATE "foundation_apitoken"')
PIECES = ("/customers/?as=board&by=owner", "/settings/audit/log.csv")
"""What may ask more often: a board has a lane for each user, up to forty; a file is read in pieces of a thousand."""
GROUPS = ("kind", "activity", "owner", "attr.size")
LISTS = (
    *(f"/customers/?as={layout}&by={by}" for layout in ("board", "chart") for by in GROUPS),
    *(f"/customers/groups?as={layout}&by={by}" for layout in ("board", "chart") for by in GROUPS),
    "/customers/?cols=value,owner,activity,attr.size,attr.tags,attr.city,segment&size=200&sort=-value",
    "/customers/?q=row&size=200",
    "/customers/?rule=did purchase within 400 days&sort=attr.city",
    "/customers/count?rule=did purchase within 400 days",
    "/palette?q=row",
)
"""Lists as people draw them, beside the bare addresses."""


@pytest.fixture
def walker(db: None) -> User:
    run = store_run()
    run.results["standing"]["stages"] = [{"key": key, "customers": 1, "value": 100} for key, _label in STAGE]
    run.save()
    define_attribute(ACTOR, "city", label_en="City", type="text", form="geographic")
    define_attribute(ACTOR, "size", label_en="Size", type="choice", form="benefit", choices=[{"value": "s", "en": "S"}])
    tags = [{"value": f"t{n}", "en": f"T{n}"} for n in range(5)]
    define_attribute(ACTOR, "tags", label_en="Tags", type="multi", form="benefit", choices=tags)
    walker = User.objects.create_user("walker@example.org", name="Walker", role="administrator")
    make_customer("Main Person", owner=walker)
    make_customer("Main House", kind="household")
    Source.objects.create(name="till")
    Segment.objects.create(key="main", name="Main", text="kind = person", status="fresh", as_of=AS_OF)
    Campaign.objects.create(
        source=Source.objects.get(), number="main", name="Main", starts_on=AS_OF, ends_on=AS_OF, type="A"
    )
    ImportFile.objects.create(user=walker, file_name="main.csv", stored_as="main", size=1)
    return walker


def main() -> Customer:
    return Customer.objects.get(name="Main Person")


def add(numbers: range, walker: User) -> None:
    """One row more of each kind that pages and the API list, for each number; most of them the main customer's too."""
    person, house, source = main(), Customer.objects.get(name="Main House"), Source.objects.get(name="till")
    at = datetime(2017, 6, 1, 12, tzinfo=UTC)
    segment, campaign = Segment.objects.get(key="main"), Campaign.objects.get(number="main")
    refresh = Refresh.objects.create(segment=segment, as_of=AS_OF, size=numbers.stop)
    for n in numbers:
        team = Team.objects.create(name=f"Team {n}", parent=Team.objects.last())
        user = User.objects.create_user(f"u{n}@example.org", name=f"U{n}", role="sales", team=team)
        Role.objects.create(key=f"role-{n}", name=f"Role {n}", rights=["see"])
        add_service_account(ACTOR, f"Service {n}", role="reader")
        make_api_token(Actor(walker, "web"), walker, f"token {n}")
        invite(ACTOR, [f"i{n}@example.org"], role="reader")
        row = make_customer(f"Row Person{n}", owner=user, team=team, load=load_of(n, walker))
        give_score(row, value=100 * n, activity="active", orders=n, last_purchase=AS_OF)
        customers.add_identifier(ACTOR, row, "email", f"r{n}@example.org")
        customers.set_attribute(ACTOR, row, "city", f"Town {n}")
        customers.set_attribute(ACTOR, row, "size", "s")
        customers.set_attribute(ACTOR, row, "tags", [f"t{n % 5}"])
        Address.objects.create(customer=person, street=f"Road {n}", city="Town", postal_code=f"{n}", country="DE")
        Consent.objects.create(customer=person, channel="mail", state="given", at=at + timedelta(days=n))
        link(ACTOR, row, house, "member")
        link(ACTOR, person, make_customer(f"Friend {n}"), "partner")
        second = make_customer(f"Second {n}")
        customers.add_identifier(ACTOR, second, "external", f"A-{n}", source="till")
        merge(ACTOR, second, person)
        sent = log_interaction(ACTOR, row, "campaign_mail", title=f"Mail {n}")
        Exposure.objects.create(campaign=campaign, customer=row, sent_on=AS_OF, interaction=sent)
        Campaign.objects.create(
            source=source, number=f"c{n}", name=f"C{n}", type=f"T{n}", starts_on=AS_OF, ends_on=AS_OF
        )
        log_interaction(ACTOR, person, "note", title=f"Note {n}", body="Said")
        category = Category.objects.create(name=f"KIND {n}", path=f"KIND {n}", depth=0)
        Product.objects.create(source=source, number=f"X{n}", name=f"Product {n}", category=category)
        purchase(person, at + timedelta(days=n), 100 * n + 100, f"main-{n}", lines=2)
        other = Segment.objects.create(
            key=f"s{n}", name=f"S{n}", text="kind = person", status="fresh", owner=user, as_of=AS_OF
        )
        Membership.objects.create(segment=segment, customer=row, entered_at=at, entered_by=refresh)
        Refresh.objects.create(segment=other, as_of=AS_OF, size=n)
        save_view(Actor(walker, "web"), f"View {n}", State(filters=("activity:is:late",)), shared=True)
        create_report(
            Actor(walker, "web"), name=f"Report {n}", addresses=[("/", "Home")], recipients=[walker.pk, user.pk]
        )
        left, right = sorted((row.pk, make_customer(f"Row Persn{n}").pk))
        pair = Pair.objects.create(
            left_id=left, right_id=right, probability=0.9, weight=5.0, prior=-9.0, left_print="a", right_print="b"
        )
        Decision.objects.create(pair=pair, decided="later", probability=0.9, by=user)
        ImportFile.objects.create(user=user, file_name=f"f{n}.csv", stored_as=f"f{n}", size=1, load=load_of(n, walker))
        words = [{"value": "a", "en": "A"}]
        define_attribute(ACTOR, f"own_{n}", label_en=f"Own {n}", type="choice", form="benefit", choices=words)


def load_of(n: int, user: User) -> Load:
    made, _new = Load.objects.get_or_create(
        fingerprint=f"f{n}",
        defaults={
            "kind": "customers", "file_name": f"f{n}.csv", "status": "visible", "actor": user,
            "finished_at": timezone.now(), "counts": {"created": 1},
        },
    )  # fmt: skip
    return made


def addresses() -> list[str]:
    """Every page that is read, and every read of the API, about the main rows."""
    person = main()
    purchase_ = Interaction.objects.filter(customer=person, kind="purchase").earliest("pk")
    names = {
        "public_id": person.public_id, "customer_id": person.public_id, "interaction_id": purchase_.public_id,
        "order_id": purchase_.order.public_id, "stage": "purchase", "level": "product", "which": "count",
        "form": "csv", "user_id": str(User.objects.get(email="walker@example.org").pk), "token": "x",
        "team_id": str(Team.objects.earliest("pk").pk), "run": str(Load.objects.earliest("pk").pk),
        "report_id": str(Report.objects.earliest("pk").pk), "kind": "customer",
    }  # fmt: skip
    keys = {"segment": "main", "role": "sales", "attribute": "city", "customer-cell": "attr.city", "record-": "c"}
    records = {
        "campaign": Campaign.objects.get(number="main").public_id,
        "import-file": ImportFile.objects.earliest("pk").public_id,
    }

    def filled(name: str, address: str) -> str:
        own = dict(names)
        own["key"] = next((value for begun, value in keys.items() if name.startswith(begun)), "main")
        if name == "record-changes":
            own["key"] = person.public_id
        for begun, value in records.items():
            if name.startswith(begun):
                own["public_id"] = value
        if name == "service-account":
            own["user_id"] = str(User.objects.filter(is_service=True).earliest("pk").pk)
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda part: own.get(part[1], "1"), address)

    pages = [filled(name, row[1]) for name, row in PAGES.items() if row[0] == "GET" and "sign-in-by" not in name]
    reads = [path.format(**names) for verb, path in OPERATIONS if verb == "GET"]
    return [*pages, *LISTS, *reads]


def counts(get: Callable[[str], Any], walked: list[str]) -> dict[str, int]:
    """Queries of each address that answers. What the process keeps by the clock is not counted."""
    found = {}
    for address in walked:
        with CaptureQueriesContext(connection) as caught:
            answer = get(address)
            if answer.streaming:
                b"".join(answer.streaming_content)
        assert answer.status_code < 500, address
        if answer.status_code == 200:
            asked = [query["sql"] for query in caught.captured_queries if not KEPT.search(query["sql"])]
            found[address] = len(asked)
    return found


def test_no_page_and_no_read_of_the_api_asks_more_often_where_there_are_more_rows(
    walker: User, signed_in: Callable[[User], Client]
) -> None:
    add(range(FEW), walker)
    client = signed_in(walker)
    token = make_api_token(ACTOR, walker, "walk", scopes=["see", "merge"])
    bearer = {"authorization": f"Bearer {token}"}

    def get(address: str) -> Any:
        return client.get(address, headers=bearer if address.startswith("/api/v1/") else {"accept-language": "en"})

    before = counts(get, addresses())
    assert len(before) > 100
    add(range(FEW, MANY), walker)
    after = counts(get, list(before))
    # A page counts what lies behind it only where there is something: one query more.
    grown = {address: (number, after[address]) for address, number in before.items() if after[address] > number + 1}
    assert not {address for address in grown if not address.startswith(PIECES)}, grown
