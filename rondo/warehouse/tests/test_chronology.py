"""By the order of the chain sequences are answered as the engine answers them, whatever happened since it was made."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rondo.customers.models import Bin, Customer, Survivor
from rondo.errors import StateError
from rondo.foundation.actors import system
from rondo.foundation.models import Load
from rondo.interactions.models import Interaction, Retraction
from rondo.rules import Context, compile_ibis, parse, schema
from rondo.warehouse import chronology, delta, jobs
from rondo.warehouse.models import CopyState
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import Tables, open_tables
from rondo.warehouse.tests.world import customer, load

pytestmark = pytest.mark.django_db(transaction=True)

AS_OF = date(2024, 3, 15)
RULES = (
    "did visit then purchase then visit within 2 days",
    "did visit then not purchase within 3 days",
    "did any then visit where channel = web then purchase",
    "did purchase then visit then not complaint",
    "did complaint within 12 days then any within 2 days",
)


@pytest.fixture(autouse=True)
def worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every chain is long enough, and none is put in order again for a few customers."""
    monkeypatch.setattr(chronology, "WORTH", 0)
    monkeypatch.setattr(chronology, "_FEW", 2)
    monkeypatch.setattr(chronology, "_ROOM", 10**6)  # tests before left the keys high


@pytest.fixture
def chance() -> random.Random:
    return random.Random(5)


def people(number: int = 60) -> list[Customer]:
    return [customer() for _one in range(number)]


def happen(chance: random.Random, some: Sequence[Customer], number: int = 1200, run: Load | None = None) -> None:
    """Contacts of some customers within 20 days, many at one moment, not in the order of their moments."""

    def one() -> Interaction:
        at = datetime(2024, 2, 25, tzinfo=UTC) + timedelta(hours=chance.randrange(20 * 24))
        kind, channel = chance.choice(["visit", "visit", "purchase", "complaint"]), chance.choice(["web", "store"])
        # Three hours before midnight it is tomorrow.
        return contact(chance.choice(some), at, kind, (at + timedelta(hours=3)).date(), channel, run)

    Interaction.objects.bulk_create([one() for _one in range(number)])


def contact(
    who: Customer, at: datetime, kind: str, day: date, channel: str = "store", run: Load | None = None
) -> Interaction:
    return Interaction(
        customer=who,
        kind=kind,
        channel=channel,
        direction="inbound",
        initiative="pull",
        medium="owned",
        occurred_at=at,
        business_date=day,
        load=run,
    )


def found(tables: Tables, text: str) -> set[int]:
    known = schema()
    keys = tables.arrow(compile_ibis(parse(text, known), known, Context(AS_OF), tables))["customer_id"].to_pylist()
    assert len(keys) == len(set(keys))
    return set(keys)


def agrees() -> None:
    """By the order and by the engine's window the same customers are found, more and fewer."""
    with open_tables() as tables:
        order = tables.chronology()
        assert order is not None
        sizes = set()
        for text in RULES:
            walked = found(tables, text)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Tables, "in_process", False)
                assert walked == found(tables, text), text
            sizes.add(len(walked))
        assert 0 not in sizes and len(sizes) > 2


def made() -> str:
    """The name of the one order there is."""
    (one,) = [folder.name for folder in delta.path_of(delta.CHRONOLOGY).iterdir()]
    return one


@pytest.mark.parametrize("lately", [-1, 3, 30])
def test_it_tells_of_whom_it_does_not_and_they_are_asked_otherwise(
    lately: int, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chronology, "_LATELY", lately)
    everybody, run = people(), load()
    happen(chance, everybody)
    happen(chance, everybody, 100, run)
    Survivor.objects.create(customer=everybody[1], survivor=everybody[0])
    quiet, part = customer(), customer()
    Survivor.objects.create(customer=part, survivor=quiet)
    contact(part, datetime(2024, 3, 1, 9, tzinfo=UTC), "visit", date(2024, 3, 1)).save()
    # By the days a visit follows the second purchase, by the clock the first one comes before.
    against = customer()
    for hour, (kind, day) in enumerate([("visit", 1), ("purchase", 12), ("purchase", 2), ("visit", 3)]):
        contact(against, datetime(2024, 3, 1, hour, tzinfo=UTC), kind, date(2024, 3, day)).save()
    refresh()
    agrees()
    first = made()

    happen(chance, everybody[8:12], 40)
    for hour, kind in ((10, "purchase"), (11, "visit")):
        contact(part, datetime(2024, 3, 1, hour, tzinfo=UTC), kind, date(2024, 3, 1)).save()
    refresh()
    agrees()
    Survivor.objects.create(customer=everybody[21], survivor=everybody[20])
    happen(chance, everybody[21:22], 20)
    refresh()
    agrees()
    Survivor.objects.filter(customer=everybody[1]).delete()
    Survivor.objects.filter(customer=everybody[21]).update(survivor=everybody[22])
    refresh()
    agrees()
    assert made() == first, "It was put in order again, and nothing of this is proven."


def test_who_has_newer_ones_is_put_in_order_beside_it(chance: random.Random) -> None:
    """Some for the first time, some of a merged record, some at one moment or against the clock, in several files."""
    everybody = people()
    happen(chance, everybody)
    noon, same = datetime(2024, 3, 10, 12, tzinfo=UTC), customer()
    contact(same, noon, "visit", noon.date()).save()
    Survivor.objects.create(customer=everybody[1], survivor=everybody[0])
    refresh()
    agrees()
    first = made()
    contact(same, noon - timedelta(hours=2), "purchase", noon.date()).save()
    for _time in range(2):
        for who in [*everybody[:9], customer()]:
            for kind in ("visit", "purchase", "visit"):
                at = datetime(2024, 3, 17, tzinfo=UTC) + timedelta(hours=chance.randrange(4))
                contact(who, at, kind, date(2024, 3, 15), "web").save()
        refresh()
        agrees()
    happen(chance, everybody[7:9], 4)
    refresh()
    agrees()
    with open_tables() as tables:
        order = tables.chronology()
    assert order is not None and made() == first
    assert len({*(order.later.events >> 32).tolist()} - {*order.apart.tolist()}) > 5


def test_what_does_not_count_any_more_is_no_step(chance: random.Random) -> None:
    everybody, run = people(), load()
    happen(chance, everybody)
    happen(chance, everybody, 300, run)
    refresh()
    agrees()
    first = made()
    mistaken = chance.sample([*Interaction.objects.values_list("pk", flat=True)], 200)
    Retraction.objects.bulk_create(Retraction(interaction_id=key, reason="typed twice") for key in mistaken)
    bin_ = Bin.objects.create()
    Customer.objects.filter(pk__in=[one.pk for one in everybody[:5]]).update(bin=bin_)
    refresh()
    agrees()
    Load.objects.update(status=Load.Status.UNDONE)
    refresh()
    agrees()
    assert made() == first


def test_it_is_made_anew_where_it_does_not_tell_of_many(chance: random.Random) -> None:
    everybody = people()
    happen(chance, everybody)
    refresh()
    agrees()
    first = made()
    happen(chance, everybody, 300)
    refresh()
    agrees()
    assert made() != first


def test_it_is_made_anew_where_files_were_joined(chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delta, "COMPACT_ABOVE", 2)
    everybody = people()
    happen(chance, everybody)
    refresh()
    agrees()
    first = made()
    for _time in range(2):
        happen(chance, everybody[:2], 3)
        refresh()
    agrees()
    assert made() != first


def test_it_goes_with_rows_that_are_taken_out_and_with_the_copy(chance: random.Random) -> None:
    everybody = people()
    happen(chance, everybody)
    refresh()
    agrees()
    gone = [one.pk for one in everybody[:2]]
    assert delta.delete("interactions", "customer_id", gone) > 0
    assert not delta.path_of(delta.CHRONOLOGY).exists()
    agrees()
    with open_tables() as tables:
        order = tables.chronology()
    assert order is not None and not {*np.unique(order.chain.events >> 32).tolist()} & {*gone}
    refresh(rebuild=True)
    assert not delta.path_of(delta.CHRONOLOGY).exists()


def test_one_that_was_begun_and_not_ended_is_none(chance: random.Random) -> None:
    happen(chance, people())
    refresh()
    (delta.path_of(delta.CHRONOLOGY) / ".begun").mkdir(parents=True)
    agrees()
    assert not made().startswith(".")


@pytest.mark.parametrize("name", ["events.npy", "keys.npy", "about.json"])
def test_one_that_a_crash_cut_short_is_made_anew(name: str, chance: random.Random) -> None:
    happen(chance, people())
    refresh()
    agrees()
    (delta.path_of(delta.CHRONOLOGY) / made() / name).write_bytes(b"")
    agrees()


def test_a_later_day_of_another_zone_may_be_an_earlier_moment(chance: random.Random) -> None:
    """Between Berlin and New York the business day runs against the clock."""
    who, *others = people()
    happen(chance, others)
    first = datetime(2024, 3, 10, 4, tzinfo=UTC)
    Interaction.objects.bulk_create([contact(who, first, "purchase", date(2024, 3, 9))])
    refresh()
    agrees()
    earlier = first - timedelta(hours=5)
    Interaction.objects.bulk_create([contact(who, earlier, "complaint", date(2024, 3, 10))])
    refresh()
    agrees()


@pytest.mark.parametrize("why", ["keys", "folder", "few"])
def test_where_there_can_be_none_the_engine_puts_in_order(
    why: str, chance: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_name: str) -> Any:
        raise StateError("cannot be written")

    happen(chance, people())
    refresh()
    if why == "keys":
        monkeypatch.setattr(chronology, "_MAX_KEY", 10)
    elif why == "folder":
        monkeypatch.setattr(chronology, "exclusive", busy)
    else:
        monkeypatch.setattr(chronology, "WORTH", 10_000)
    with open_tables() as tables:
        assert tables.chronology() is None
        walked = found(tables, RULES[0])
        monkeypatch.setattr(Tables, "in_process", False)
        assert walked == found(tables, RULES[0]) != set()
    assert not (delta.path_of(delta.CHRONOLOGY)).exists()


def test_the_worker_makes_it_after_a_refresh(
    chance: random.Random, monkeypatch: pytest.MonkeyPatch, warehouse: Path
) -> None:
    happen(chance, people())
    assert jobs.keep_up(system("job"))
    first = made()
    agrees()
    assert made() == first
    monkeypatch.setattr(chronology, "WORTH", 10_000)
    refresh(rebuild=True)
    CopyState.objects.all().delete()  # it never was
    assert jobs.keep_up(system("job")) and not (warehouse / delta.CHRONOLOGY).exists()
