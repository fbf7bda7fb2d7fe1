"""The three compilers agree on random rules over random data: SQL of the store, Ibis on the copy, and plain Python."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, reject, settings

from rondo.campaigns.models import Campaign, Exposure
from rondo.customers.models import Customer, Source, Survivor
from rondo.customers.queries import record_ids, visible
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation
from rondo.foundation.models import User
from rondo.interactions.models import Interaction
from rondo.rules import (
    Context,
    Members,
    Record,
    RuleError,
    Schema,
    check,
    compile_ibis,
    compile_q,
    evaluate,
    format_rule,
    from_json,
    load_record,
    parse,
    schema,
    to_json,
)
from rondo.rules.schema import Segment
from rondo.rules.tests.strategies import rules
from rondo.rules.tests.worlds import AS_OF, build
from rondo.rules.tree import Node
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables

pytestmark = pytest.mark.django_db(transaction=True)
OPENED = "rondo.warehouse.tables.Tables"


class People:
    """Every customer as a record with all fields and events, made once."""

    def __init__(self, schema: Schema, context: Context) -> None:
        self.schema = schema
        self.context = context
        self.records: dict[int, Record] = {}
        for key in visible(None).order_by("pk").values_list("pk", flat=True):
            self.records[key] = self._record(key)

    def _record(self, key: int) -> Record:
        ids = record_ids(key)
        fields: dict[str, Any] = {}
        for source in self.schema.sources.values():
            fields |= source.values(ids, [term for term in self.schema.fields.values() if term.source == source.key])
        events = [
            event
            for chain in self.schema.events.values()
            for event in chain.load(ids, frozenset({"any"}), self.context.as_of, frozenset(self.schema.details))
        ]

        def linked(role: str, direction: str, _inner: Node | None) -> list[Record]:
            assert self.schema.links is not None
            return [self.records[other] for other in self.schema.links.load(ids, role, direction)]

        return Record(key, fields, events, linked)


@pytest.mark.parametrize("seed", [1, 2])
def test_sql_ibis_and_python_find_the_same_customers(seed: int, settings_of_copy: Path) -> None:
    build(seed)
    refresh()
    known = schema()
    some = list(visible(None).order_by("pk")[:7])
    outer = parse("in segment hot or in segment list", known)
    segments: dict[str, Segment] = {
        "hot": parse("value >= 10 or did purchase within 30 days", known),
        "list": Members(frozenset(person.pk for person in some[:3])),
        "outer": outer,
    }
    viewer = User.objects.get(email="ann@example.org").pk
    context = Context(AS_OF, viewer, segments.get)
    people = People(known, context)
    everybody = sorted(people.records)
    sizes = set()

    with open_tables() as tables:

        @settings(
            max_examples=100,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(rules(known, [person.public_id for person in some]))
        def agree(raw: Node) -> None:
            try:
                rule = check(raw, known)
            except RuleError:
                reject()  # links within links within links
            text = format_rule(rule, known)
            note(text)
            assert parse(text, known) == rule
            assert from_json(to_json(rule), known) == rule
            python = [key for key in everybody if evaluate(rule, people.records[key], known, context).holds]
            known.asked.clear()
            for as_set in (False, True, False):  # at last with what was gathered, as a list that looked for few
                q = compile_q(rule, known, context, as_set=as_set)
                assert sorted(visible(None).filter(q).values_list("pk", flat=True)) == python
            found = tables.arrow(compile_ibis(rule, known, context, tables))["customer_id"].to_pylist()
            assert sorted(found) == python
            if " then " in text:
                # By the order of a whole chain too, and by the engine's window, as where its rows are elsewhere.
                for where, value in (("rondo.warehouse.chronology.WORTH", 0), (f"{OPENED}.in_process", False)):
                    with pytest.MonkeyPatch.context() as patch:
                        patch.setattr(where, value)
                        found = tables.arrow(compile_ibis(rule, known, context, tables))["customer_id"].to_pylist()
                    assert sorted(found) == python
            one = everybody[len(text) % len(everybody)]
            assert evaluate(rule, load_record(record_ids(one), rule, known, context), known, context).holds == (
                one in python
            )
            sizes.add(len(python))

        agree()
    assert len(sizes) > 10, "The rules have to split the customers in many ways, or their agreement says nothing."


@pytest.fixture
def settings_of_copy(settings: Any, tmp_path: Path) -> Path:
    """A columnar copy of the test's own."""
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    return tmp_path


def test_who_opened_but_did_not_buy_is_found_alike_by_all_three(settings_of_copy: Path) -> None:
    """The sentence of docs/rules.md, and that an opened mail is still one that nobody answered."""
    change_installation(system(), currency="EUR", time_zone="Europe/Berlin")
    spring = Campaign.objects.create(
        source=Source.objects.create(name="till"), number="8", name="Spring", starts_on=AS_OF, ends_on=AS_OF
    )

    def did(who: Customer, kind: str, days: int, answers: Interaction | None = None) -> Interaction:
        on = AS_OF - timedelta(days=days)
        outbound = kind == "campaign_mail"
        row: Interaction = Interaction.objects.create(
            customer=who,
            kind=kind,
            channel="email",
            direction="outbound" if outbound else "inbound",
            initiative="push" if outbound else "pull",
            medium="owned",
            occurred_at=f"{on}T10:00:00Z",
            business_date=on,
            in_response_to=answers,
        )
        if outbound:
            Exposure.objects.create(campaign=spring, customer=who, interaction=row)
        return row

    people = {name: Customer.objects.create(name=name) for name in ("opened", "bought", "asleep", "late", "old", "new")}
    mails = {name: did(one, "campaign_mail", 40) for name, one in people.items() if name != "new"}
    for name, days in (("opened", 0), ("bought", 29), ("late", 30), ("old", 1)):
        did(people[name], "mail_open", days, mails[name])
    for name, days in (("bought", 0), ("old", 30), ("new", 3)):
        did(people[name], "purchase", days)
    did(people["old"], "redemption", 2, mails["old"])
    Survivor.objects.create(customer=people["old"], survivor=people["new"])
    Customer.objects.filter(pk=people["old"].pk).update(is_merged=True)
    refresh()
    known, context = schema(), Context(AS_OF)
    asked = {
        "did mail_open within 30 days and not did purchase within 30 days": {"opened"},
        "did mail_open within 30 days": {"opened", "bought", "new"},
        "did campaign_mail where answered = no": {"opened", "bought", "asleep", "late"},
        "did mail_open where campaign = Spring then not purchase": {"opened", "late", "new"},
    }
    with open_tables() as tables:
        for text, names in asked.items():
            rule, wanted = parse(text, known), sorted(people[name].pk for name in names)
            copied = tables.arrow(compile_ibis(rule, known, context, tables))["customer_id"].to_pylist()
            listed = visible(None).filter(compile_q(rule, known, context)).values_list("pk", flat=True)
            alone = [
                key
                for key in visible(None).values_list("pk", flat=True)
                if evaluate(rule, load_record(record_ids(key), rule, known, context), known, context).holds
            ]
            assert (sorted(copied), sorted(listed), sorted(alone)) == (wanted, wanted, wanted), text


def test_the_deepest_rules_are_not_too_deep_for_the_database(settings_of_copy: Path) -> None:
    build(3)
    known = schema()
    step = "purchase where (category = FOOD and answered is known and campaign != 8 and brand is known)"
    text = f"did {step} then {step} then not {step} within 7 days"
    for level in range(7):
        text = f"not (value > 1 or {text})" if level % 2 else f"(kind = person and {text})"
    context = Context(AS_OF)
    rule = parse(text, known)
    list(visible(None).filter(compile_q(rule, known, context)))
    list(visible(None).filter(compile_q(rule, known, context, as_set=True)))
    nested = parse(f"linked any (linked by any (did {step} then {step} then not {step}))", known)
    list(visible(None).filter(compile_q(nested, known, context)))
