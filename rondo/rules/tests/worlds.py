"""A small store full of edges to ask rules of: unknown values, letter case, umlauts, days at the ends of windows,
merged records, retracted interactions, hidden loads, foreign currencies, equal moments."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pyarrow as pa

from rondo.analysis.buying_stages.texts import LETTERS, STAGES
from rondo.analysis.buying_stages.working import MOVED, STOOD
from rondo.analysis.models import Membership, NextOf, Refresh, Score, Segment, StageFound, StageOf
from rondo.analysis.next.actions import DUE
from rondo.analysis.scores import schema as score_schema
from rondo.analysis.standing import LEDGER
from rondo.campaigns.models import Campaign, Exposure
from rondo.catalogue.models import Category, Product
from rondo.customers.models import AttributeDefinition, AttributeValue, Consent, Customer, Link, Source, Survivor
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import Load, User
from rondo.foundation.search import fold
from rondo.interactions.models import Departure, Interaction, Order, OrderLine, Retraction
from rondo.science.buying_stages import STAGE_OF, Reason
from rondo.warehouse import delta

AS_OF = date(2024, 3, 15)
NAMES = ["Müller", "MUELLER Anna", "muller", "Änne Öztürk", "Straße 5", "strasse", "", "Zoë", "O'Neil", "Анна"]
TEXTS = ["Köln", "koeln", "KÖLN", "Bonn", "bonn am rhein", "Łódź"]
PATHS = ["FOOD", "FOOD > COFFEE", "FOOD > COFFEE > BEANS", "FOOD > TEA", "DRINKS", "DRINKS > COFFEE", "Süßes"]
OFFSETS = [-800, -400, -366, -365, -100, -91, -90, -89, -31, -30, -29, -15, -8, -7, -6, -2, -1, 0, 0, 1, 5]
MONEY = [-500, 0, 1, 999, 1000, 1001, 5000, 123456]
NUMBERS = [-2.5, -1.0, 0.0, 0.5, 1.0, 2.0, 7.0, 7.5]
SHARES = [0.0, 0.25, 0.5, 1.0]
COUNTS = [0, 1, 2, 3, 7]
FACTS = ["value", "activity", "last_purchase", "orders", "typical_gap_days", "discount_share"]
FACTS += ["recency_days", "favourite_category", "household_members", "household_value"]
KINDS = [
    "purchase",
    "purchase",
    "purchase",
    "visit",
    "campaign_mail",
    "redemption",
    "complaint",
    "mail_open",
    "cancellation",
]


def build(seed: int) -> None:
    """Fill the empty database."""
    World(random.Random(seed)).build()


class World:
    """The pieces of one store."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def pick(self, values: list[Any], unknown: float = 0.25) -> Any:
        return None if self.chance.random() < unknown else self.chance.choice(values)

    def day(self) -> date:
        return AS_OF + timedelta(days=self.chance.choice(OFFSETS))

    def build(self) -> None:
        change_installation(system(), currency="EUR", time_zone="Europe/Berlin")
        self.source = Source.objects.create(name="till")
        self.hidden = Load.objects.create(kind="orders", fingerprint="h", status=Load.Status.UNDONE)
        self.shown = Load.objects.create(kind="orders", fingerprint="s", status=Load.Status.VISIBLE)
        self.users = [User.objects.create_user(f"{name}@example.org", name=name) for name in ("ann", "ben")]
        self.catalogue()
        self.customers()
        self.attributes()
        self.consents()
        self.scores()
        self.next()
        self.stages()
        self.ledgers()
        self.memberships()
        self.chain()
        self.campaigns()

    def load(self) -> Load | None:
        return self.chance.choice([None, None, None, self.shown, self.shown, self.hidden])

    def catalogue(self) -> None:
        known: dict[str, Category] = {}
        for path in PATHS:
            parent, _, name = path.rpartition(" > ")
            known[path] = Category.objects.create(
                path=path, name=name, parent=known.get(parent), depth=path.count(" > ")
            )
        self.products = [
            Product.objects.create(
                source=self.source,
                number=str(number),
                name=f"Product {number}",
                category=self.pick(list(known.values()), 0.1),
                brand=self.chance.choice(["", "Lavazza", "LAVAZZA", "Själv"]),
                own_label=self.pick([True, False]),
                load=self.hidden if number == 3 else None,
            )
            for number in range(10)
        ]

    def customers(self) -> None:
        for _number in range(30):
            name = self.chance.choice(NAMES)
            Customer.objects.create(
                name=name,
                folded_name=fold(name),
                kind=self.chance.choice(Customer.Kind.values),
                owner=self.pick(self.users),
                known_since=self.pick([self.day(), date(2020, 2, 29)]),
                birth_date=self.pick([date(2000, 2, 29), date(1990, 3, 15), date(1990, 3, 21), date(1980, 12, 31)]),
                load=self.hidden if self.chance.random() < 0.08 else self.chance.choice([None, self.shown]),
            )
        self.people = list(Customer.objects.order_by("pk"))
        shuffled = self.chance.sample(self.people, 9)
        # Two single merges, and one survivor of several records, older and younger than itself.
        for survivor, *merged in (shuffled[0:2], shuffled[2:4], shuffled[4:9]):
            for record in merged:
                Survivor.objects.create(customer=record, survivor=survivor)
                Customer.objects.filter(pk=record.pk).update(is_merged=True)
        for _number in range(25):
            subject, other = self.chance.sample(self.people, 2)
            Link.objects.get_or_create(
                subject=subject, object=other, role=self.chance.choice(["member", "referred", "partner"])
            )

    def attributes(self) -> None:
        pools: dict[str, tuple[str, str, list[Any]]] = {
            "age_group": ("choice", "text", ["19-24", "45-54", "65+"]),
            "drinks": ("multi", "text", ["|tea|", "|tea|wine|", "|wine|", "|green tea|wine|"]),
            "city": ("text", "text", TEXTS),
            "children": ("number", "number", NUMBERS),
            "member": ("boolean", "number", [0.0, 1.0]),
            "contract_end": ("date", "day", [AS_OF + timedelta(days=offset) for offset in OFFSETS]),
            "budget": ("money", "number", [float(money) for money in MONEY]),
        }
        drinks = [{"value": value, "en": value} for value in ("tea", "green tea", "wine", "water")]
        for key, (kind, column, values) in pools.items():
            choices = drinks if kind == "multi" else [{"value": v, "en": v} for v in values] if kind == "choice" else []
            definition = AttributeDefinition.objects.create(
                key=key,
                label_en=key,
                type=kind,
                form="demographic",
                choices=choices,
            )
            for person in self.people:
                value = self.pick(values, 0.4)
                if value is not None:
                    AttributeValue.objects.create(
                        customer=person, definition=definition, load=self.load(), **{column: value}
                    )

    def consents(self) -> None:
        """A ledger whose entries overtake each other, on merged records too, at equal moments, taken back, hidden."""
        moments = [datetime.combine(self.day(), time(12), UTC) for _number in range(6)]
        for _number in range(120):
            Consent.objects.create(
                customer=self.chance.choice(self.people),
                channel=self.chance.choice(["email", "email", "phone"]),
                purpose=self.chance.choice(["marketing", "marketing", "surveys"]),
                state=self.chance.choice(Consent.State.values),
                at=self.chance.choice(moments),
                load=self.load(),
            )

    def scores(self) -> None:
        rows = []
        for person in self.people:
            if self.chance.random() < 0.2:
                continue
            rows.append(
                Score(
                    customer_id=person.pk,
                    value=self.pick(MONEY),
                    activity=self.pick(["active", "late", "asleep", "never"]),
                    last_purchase=self.pick([self.day()]),
                    orders=self.pick(COUNTS),
                    typical_gap_days=self.pick(NUMBERS),
                    discount_share=self.pick(SHARES),
                    favourite_category=self.pick(["COFFEE", "TEA", "Süßes"]),
                    recency_days=self.pick([0, 6, 7, 8, 30]),
                    household_members=self.pick(COUNTS),
                    household_value=self.pick(MONEY),
                    change_to=self.pick(["COFFEE", "TEA", "Süßes"]),
                )
            )
        Score.objects.bulk_create(rows)
        columns = score_schema()
        served = list(Score.objects.order_by("customer_id").values(*columns.names))
        table = pa.Table.from_pylist(served, schema=columns)
        delta.commit("scores", delta.Rows(table.to_reader(), len(served)), replace=True, notes={})

    def next(self) -> None:
        """What is due next, of some."""
        rows = [
            NextOf(
                customer_id=person.pk,
                next_category=self.pick(["COFFEE", "TEA", "Süßes"]),
                next_due=self.pick([self.day()]),
                next_chance=self.pick(SHARES),
                upsell_category=self.pick(["COFFEE", "TEA", "Süßes"]),
                upsell_chance=self.pick(SHARES),
                upsell_gain=self.pick(MONEY),
                habits="[]",
                products="[]",
            )
            for person in self.people
            if self.chance.random() > 0.3
        ]
        NextOf.objects.bulk_create(rows)
        found = list(NextOf.objects.order_by("customer_id").values(*DUE.names))
        table = pa.Table.from_pylist(found, schema=DUE)
        delta.commit("next_due", delta.Rows(table.to_reader(), len(found)), replace=True, notes={})

    def stages(self) -> None:
        """Where some stand in buying, in some categories."""
        places = list(Category.objects.filter(depth=1).order_by("pk"))
        StageFound.objects.create(run_id=1, as_of=AS_OF, results={})
        served, copied = [], []
        for person in self.people:
            if self.chance.random() < 0.2:
                continue
            text, counts = "", dict.fromkeys(STAGES, 0)
            for place in places:
                reason = self.pick(list(Reason), 0.4)
                if reason is None:
                    continue
                text += f"|{place.pk}{LETTERS[reason]}3.4.14"
                stage = STAGES[STAGE_OF[reason]]
                counts[stage] += 1
                copied.append(
                    {"customer_id": person.pk, "category_id": place.pk, "category": place.path, "stage": stage}
                )
            if text:
                served.append(StageOf(customer_id=person.pk, stages=text, **counts))
        StageOf.objects.bulk_create(served)
        table = pa.Table.from_pylist(copied, schema=STOOD)
        delta.commit("buying_stages", delta.Rows(table.to_reader(), len(copied)), replace=True, notes={})

    def ledgers(self) -> None:
        """Where some came to stand on the scales and in buying, on which days."""
        places = [place.pk for place in Category.objects.filter(depth=1).order_by("pk")]
        scales: dict[Any, list[str]] = {
            "stage": ["growth", "maturity", "decline"],
            "ladder": ["customer", "client"],
            **{place: ["purchase", "need_recognised", "unaware"] for place in places},
        }
        rows: dict[str, list[dict[str, Any]]] = {"standing": [], "buying_moves": []}
        for person in self.people:
            for scale, states in scales.items():
                days = sorted({self.day() for _entry in range(self.chance.choice([0, 1, 2, 4]))})
                before = None
                for day in days:
                    after = self.chance.choice([state for state in states if state != before])
                    entry = {"customer_id": person.pk, "day": day, "before": before, "after": after}
                    if isinstance(scale, str):
                        rows["standing"].append(entry | {"scale": scale})
                    else:
                        rows["buying_moves"].append(entry | {"category_id": scale})
                    before = after
        for name, columns in (("standing", LEDGER), ("buying_moves", MOVED)):
            table = pa.Table.from_pylist(rows[name], schema=columns)
            delta.commit(name, delta.Rows(table.to_reader(), table.num_rows), replace=True, notes={})

    def memberships(self) -> None:
        """Stays in two segments, some of which are over, and in one that was deleted."""
        at = datetime.combine(AS_OF, time(6), UTC)
        days = [AS_OF + timedelta(days=offset) for offset in (-100, -30, 0, 1)]
        for key in ("top", "late", "gone"):
            segment = Segment.objects.create(key=key, name=key, retired_at=at if key == "gone" else None)
            done = [Refresh.objects.create(segment=segment, as_of=day) for day in days]
            for person in self.people:
                place = 0
                while (came := place + self.chance.choice([0, 1, 2, 5])) < len(done):
                    went = came + self.chance.choice([1, 2, 9])
                    over = went < len(done)
                    Membership.objects.create(
                        segment=segment,
                        customer=person,
                        entered_at=at + timedelta(days=came),
                        entered_by=done[came],
                        left_at=at + timedelta(days=went) if over else None,
                        left_by=done[went] if over else None,
                    )
                    place = went

    def chain(self) -> None:
        self.events: list[Interaction] = []
        for _number in range(320):
            kind = self.chance.choice(KINDS)
            day = self.day()
            at = datetime.combine(day, time(self.chance.choice([8, 8, 12, 18])), UTC)
            earlier = [event for event in self.events[-40:] if event.kind == "campaign_mail"]
            event = Interaction.objects.create(
                customer=self.chance.choice(self.people),
                kind=kind,
                channel=self.chance.choice(["store", "web", "mail"]),
                direction="outbound" if kind == "campaign_mail" else "inbound",
                initiative=self.chance.choice(["push", "pull"]),
                medium="owned",
                occurred_at=at,
                business_date=day,
                amount=self.pick(MONEY, 0.1) if kind == "purchase" else None,
                currency=self.chance.choice(["EUR", "EUR", "EUR", "USD"]) if kind == "purchase" else "",
                in_response_to=self.chance.choice(earlier)
                if earlier and kind in ("redemption", "visit", "mail_open")
                else None,
                load=self.load(),
            )
            self.events.append(event)
            if kind == "cancellation" and self.chance.random() < 0.7:
                why, more = self.chance.choice([("product", "price"), ("product", ""), ("competitor", "better")])
                Departure.objects.create(interaction=event, reason=why, sub_reason=more, load=event.load)
            if kind == "purchase" and self.chance.random() < 0.9:
                self.order(event)
        for event in self.chance.sample(self.events, 30):
            Retraction.objects.create(interaction=event, reason="mistake")

    def order(self, event: Interaction) -> None:
        lines = self.chance.sample(self.products, self.chance.choice([1, 1, 2, 3]))
        order = Order.objects.create(
            interaction=event,
            source=self.source,
            number=str(event.pk),
            store=self.chance.choice(["", "S1", "s1", "S2"]),
            total=event.amount or 0,
            currency=event.currency,
            line_count=len(lines),
            load=event.load,
        )
        OrderLine.objects.bulk_create(
            OrderLine(order=order, product=product, quantity_milli=1000, total=self.chance.choice(MONEY))
            for product in lines
        )

    def campaigns(self) -> None:
        campaigns = [
            Campaign.objects.create(
                source=self.source,
                number=number,
                name=name,
                starts_on=AS_OF,
                ends_on=AS_OF,
                load=load,
            )
            for number, name, load in (
                ("8", "Spring", None),
                ("13", "Süßes für alle", None),
                ("18", "Gone", self.hidden),
            )
        ]
        for event in self.events:
            if event.kind == "campaign_mail" and self.chance.random() < 0.8:
                campaign = self.chance.choice(campaigns)
                if not Exposure.objects.filter(campaign=campaign, customer=event.customer, load=event.load).exists():
                    Exposure.objects.create(
                        campaign=campaign, customer=event.customer, interaction=event, load=event.load
                    )
