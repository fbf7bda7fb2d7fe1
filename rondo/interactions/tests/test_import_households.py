"""Households by name in files of customers: one of each name and source, tried, once only, and gone with the run."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pyarrow import parquet as pq

from rondo.customers import actions
from rondo.customers.belonging import circle_of
from rondo.customers.models import Customer, Identifier, Link, Source
from rondo.customers.queries import binned, links_of, visible
from rondo.errors import InputError
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import Installation, User
from rondo.interactions.importing import ImportOptions, run_import, undo
from rondo.interactions.importing.engine import run
from rondo.interactions.tests.import_files import load, rejects, write
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import open_tables

pytestmark = pytest.mark.django_db

FILE = """external_id,name,household,household_position
1,Anna Müller,Müller,mother
2,Ben Müller, MUELLER ,
3,Cem Kaya,Kaya,
4,Dan Alone,,
"""


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    """New York, US dollars."""


def homes() -> dict[str, set[tuple[str, str]]]:
    """Who lives where, as everybody sees it."""
    found = {}
    for one in visible(None).filter(kind="household"):
        found[one.name] = {(row.customer.name, row.position) for row in circle_of(None, one.pk).members}
    return found


def copied() -> list[tuple[int, int]]:
    """The links of the columnar copy."""
    refresh()
    with open_tables() as tables:
        rows = tables.arrow(tables.links.select("subject_id", "object_id")).to_pylist()
    return sorted((row["subject_id"], row["object_id"]) for row in rows)


ALL = {"Müller": {("Anna Müller", "mother"), ("Ben Müller", "")}, "Kaya": {("Cem Kaya", "")}}


def test_who_names_one_household_lives_together_and_nothing_comes_twice(tmp_path: Path) -> None:
    path = write(tmp_path, FILE)
    tried = load("customers", path, dry_run=True)
    assert (tried.counts["households_created"], tried.counts["members_linked"]) == (2, 3)
    assert not Customer.objects.exists() and not Link.objects.exists()
    done = load("customers", path)
    assert (done.counts["households_created"], done.counts["members_linked"]) == (2, 3)
    assert homes() == ALL and len(copied()) == 3
    house = visible(None).get(name="Müller")
    actions.change_customer(system(), house, expected_version=house.version, name="Müller household")
    again = load("customers", write(tmp_path, FILE + "5,Eva Müller,müller,daughter\n"))
    assert (again.counts.get("households_created"), again.counts["members_linked"]) == (None, 1)
    assert homes() == {"Müller household": ALL["Müller"] | {("Eva Müller", "daughter")}, "Kaya": ALL["Kaya"]}
    # Of another source it is another household.
    load("customers", path, source="other")
    assert visible(None).filter(kind="household").count() == 4


def test_the_undo_takes_links_and_households_and_the_file_brings_them_back(tmp_path: Path) -> None:
    load("customers", write(tmp_path, "external_id,name\n1,Anna Müller\n9,Zoe\n"))
    zoe = visible(None).get(name="Zoe")
    house = actions.create_customer(system(), kind="household", name="Known")
    source = Source.objects.get(name="shop").pk
    Identifier.objects.create(customer=house, kind="external", source_id=source, value="household:known", shown="Known")
    path = write(tmp_path, FILE + "9,Zoe,Known,aunt\n")
    done = load("customers", path)
    assert homes() == {**ALL, "Known": {("Zoe", "aunt")}}
    undo(system(), done.pk)
    assert homes() == {"Known": set()} and links_of(None, [zoe.pk]) == [] and copied() == []
    assert not binned(None).exists()
    # Said by hand meanwhile, it is the hand's.
    made = actions.link(system(), zoe, house, "member", position="friend")
    assert homes() == {"Known": {("Zoe", "friend")}} and made.load_id is None
    again = load("customers", path)
    assert again.counts["members_linked"] == 3
    assert homes() == {**ALL, "Known": {("Zoe", "friend")}}
    assert Link.objects.count() == 4 and Customer.objects.filter(kind="household").count() == 3
    undo(system(), again.pk)
    assert homes() == {"Known": {("Zoe", "friend")}}


def test_who_left_or_lives_there_by_another_record_is_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path, FILE)
    load("customers", path)
    anna, ben, house = (visible(None).get(name=name) for name in ("Anna Müller", "Ben Müller", "Müller"))
    actions.change_link(system(), Link.objects.get(subject=anna).pk, until=date(2020, 1, 1))
    twin = actions.create_customer(system(), name="Ben M.")
    actions.merge(system(), ben, twin)
    same = actions.create_customer(system(), kind="household", name="Müller too")
    actions.merge(system(), house, same)
    again = load("customers", write(tmp_path, FILE + "\n"))
    assert again.counts.get("members_linked") is None
    assert Link.objects.count() == 3
    assert homes()[visible(None).get(pk__in=[house.pk, same.pk]).name] == {("Ben Müller", "")}


def test_what_cannot_be_is_refused_or_left(tmp_path: Path, make_user: Callable[..., User]) -> None:
    odd = "external_id,kind,name,household\n1,household,House,Other\n2,person,Ann,Other\n"
    done = load("customers", write(tmp_path, odd))
    assert [(row["column"], "is said of a household" in row["reason"]) for row in rejects(done)] == [
        ("household", True)
    ]
    assert homes() == {"Other": {("Ann", "")}}
    # Known households that one may not see cannot be joined.
    mia = make_user("mia", role="marketing", reach="own")
    hers = write(tmp_path, "external_id,name,household\n7,Of Mia,Other\n")
    with pytest.raises(InputError, match="is not mia@"):
        run_import(Actor(mia, "web"), "customers", hers, None, source="shop", options=ImportOptions())
    assert homes() == {"Other": {("Ann", "")}}
    # Nor does anybody live in what they are themselves.
    house = visible(None).get(kind="household")
    Identifier.objects.create(
        customer=house, kind="external", source_id=Source.objects.get(name="shop").pk, value="h1", shown="h1"
    )
    load("customers", write(tmp_path, "external_id,name,household\nh1,Other,Other\n"), on_match="update")
    assert homes() == {"Other": {("Ann", "")}}


def test_a_removed_link_is_put_back_as_the_imports(tmp_path: Path) -> None:
    done = load("customers", write(tmp_path, FILE))
    row = Link.objects.get(subject__name="Cem Kaya")
    gone = actions.unlink(system(), row.pk)
    actions.put_back_link(system(), [actions.Removed.from_dict(one.to_dict()) for one in gone])
    assert Link.objects.get(subject__name="Cem Kaya").load_id == done.pk
    assert homes() == ALL


def test_a_trial_tells_row_by_row_who_would_be_linked(tmp_path: Path) -> None:
    load("customers", write(tmp_path, "external_id,name\n1,Anna Müller\n"))
    report, options = tmp_path / "report.parquet", ImportOptions(dry_run=True)
    path = write(tmp_path, FILE)
    run(system("import"), "customers", path, None, source="shop", options=options, report=report)
    told = pq.read_table(report).to_pylist()
    assert [(row["outcome"], row["row.household"]) for row in told] == [
        ("update", "Müller"), ("create", "MUELLER"), ("create", "Kaya"), ("create", None),
    ]  # fmt: skip
    assert told[0]["changes"] == [{"field": "household", "before": None, "after": "Müller"}]
    load("customers", path)
    run(system("import"), "customers", path, None, source="shop", options=options, report=report)
    assert [row["changes"] for row in pq.read_table(report).to_pylist()] == [None] * 4


KAYA = "external_id,name,household\n1,Ann,Kaya\n"


def test_nobody_moves_into_what_is_no_household_any_more(tmp_path: Path) -> None:
    load("customers", write(tmp_path, KAYA))
    home = Customer.objects.get(name="Kaya")
    actions.change_customer(system(), home, expected_version=home.version, kind="organisation")
    before = Link.objects.count()

    done = load("customers", write(tmp_path, KAYA + "2,Ben,Kaya\n3,Cem,\n"))

    assert Link.objects.count() == before and not visible(None).filter(name="Ben").exists()
    assert visible(None).filter(name="Cem").exists()
    assert "is no household any more" in str(rejects(done))


def test_a_customer_is_not_numbered_as_the_household_of_others(tmp_path: Path) -> None:
    """It would be both."""
    done = load("customers", write(tmp_path, "external_id,name,household\n1,Ann,Kaya\nhousehold:kaya,Ben,\n"))

    assert homes() == {"Kaya": {("Ann", "")}}
    assert "is how the household of other rows is known" in str(rejects(done))


def test_who_follows_changes_learns_that_the_undo_took_a_link(tmp_path: Path) -> None:
    load("customers", write(tmp_path, "external_id,name\n1,Ann\n"))
    done = load("customers", write(tmp_path, KAYA))
    linked = Customer.objects.get(name="Ann").changed_in

    undo(system(), done.pk)

    assert Customer.objects.get(name="Ann").changed_in > linked


def test_a_link_that_a_hand_puts_back_is_seen_though_its_import_is_gone(tmp_path: Path) -> None:
    load("customers", write(tmp_path, "external_id,name\n1,Ann\n"))
    home = actions.create_customer(system(), kind="household", name="Kaya")
    source = Source.objects.get(name="shop").pk
    Identifier.objects.create(customer=home, kind="external", source_id=source, value="household:kaya", shown="Kaya")
    done = load("customers", write(tmp_path, KAYA))
    gone = actions.unlink(system(), Link.objects.get().pk)
    undo(system(), done.pk)

    actions.put_back_link(system(), gone)

    assert homes() == {"Kaya": {("Ann", "")}}
