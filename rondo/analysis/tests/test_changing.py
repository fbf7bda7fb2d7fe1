"""Changes of buying reach the facts, the part and the figures of who sees a part."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from rondo.analysis.actions import run_analysis
from rondo.analysis.changing import beside
from rondo.analysis.modelling import Log
from rondo.analysis.models import Score
from rondo.analysis.queries import part
from rondo.analysis.tests.world import customer, product, purchase
from rondo.customers.models import Customer
from rondo.foundation.actors import system
from rondo.foundation.models import User
from rondo.interactions.models import Interaction
from rondo.science.summary import merge_days

LAST = date(2024, 12, 29)


def days_of(person: int, falls: bool) -> list[int]:
    """Day numbers back from the last day: twice a week for a year; who falls has bought once in the last 8 weeks."""
    days = [7 * week + (week * 3 + person) % 3 + shift for week in range(50) for shift in (0, 3)]
    return [day for day in days if not falls or day >= 56 or day < 3]


def test_the_clearest_change_of_a_customer_is_the_fact() -> None:
    rng = np.random.default_rng(2)
    who, when, money = [], [], []
    for code in range(150):
        for back in days_of(code, falls=code < 6):
            who.append(code)
            when.append(20_000 - back)
            money.append(int(rng.gamma(4, 500)) + 100)
    log = Log(np.arange(150, dtype=np.int64) * 2 + 11, merge_days(who, when, money, 150))
    # One customer of the log has no row: the load it came with was taken back.
    facts = pa.table({"customer_id": pa.array(log.customers[1:])})
    found, judged = beside(facts, log, 20_000)
    changes = dict(zip(found["customer_id"].to_pylist(), found["change"].to_pylist(), strict=True))
    assert judged.tolist() == log.customers[1:].tolist()
    assert [changes[key] for key in log.customers[1:6].tolist()] == ["rarer"] * 5
    assert all(changes[key] is None for key in log.customers[6:].tolist())
    assert {weeks for weeks in found["change_weeks"].to_pylist() if weeks} <= {4, 8, 13}


@pytest.mark.django_db
def test_who_turns_to_other_things_and_to_another_channel_is_told_with_what() -> None:
    """Ten households buy one thing of three departments a day; one turns to fish, one from the store to the web."""
    things = [product(name, f"{name} > ALL") for name in ("BREAD", "MILK", "FISH")]
    people = [customer(f"C{number}") for number in range(10)]
    for number, person in enumerate(people):
        for place, back in enumerate(days_of(number, falls=False)):
            thing = things[2] if number == 0 and back < 56 else things[place % 2]
            order = purchase(
                person, LAST - timedelta(days=back), 1000 + place % 7, lines=[(thing, 1000 + place % 7, 0)]
            )
            if number == 1 and back < 56:
                Interaction.objects.filter(pk=order.pk).update(channel="web")
    run_analysis(system(), LAST)
    told = {row.customer_id: (row.change, row.change_to) for row in Score.objects.exclude(change=None)}
    assert told == {people[0].pk: ("other", "FISH"), people[1].pk: ("elsewhere", "web")}


@pytest.mark.django_db
def test_a_run_tells_who_changed_and_owners_get_their_own(make_user: Callable[..., User], alice: User) -> None:
    people = [customer(f"C{number}") for number in range(8)]
    for number, person in enumerate(people):
        for back in days_of(number, falls=number == 0):
            purchase(person, LAST - timedelta(days=back), 1000 + 10 * number + back)
    dora = make_user("dora", role="sales", reach="own")
    Customer.objects.filter(pk=people[1].pk).update(owner=dora)
    run = run_analysis(system(), LAST)
    assert Score.objects.get(pk=people[0].pk).change == "rarer"
    assert Score.objects.filter(change="rarer").count() == 1
    whole, own = part(alice, run.pk, "changes"), part(dora, run.pk, "changes")
    assert [(one["change"], one["customers"]) for one in whole["counts"] if one["change"] == "rarer"] == [("rarer", 1)]
    assert whole["judged"] == 8
    assert not [one for one in own["counts"] if one["change"] == "rarer"]
