"""Orders from files: lines come together, nobody is dropped, the same file changes nothing, undo takes all back."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rondo.catalogue.models import Product
from rondo.customers.models import Customer
from rondo.errors import InputError, PermissionRefused, StateError
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, Installation, Load, User
from rondo.interactions.importing import run_import, undo
from rondo.interactions.models import Interaction, Order, OrderLine
from rondo.interactions.queries import standing
from rondo.interactions.tests.import_files import ORDERS, load, rejects, state, write

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    """New York, US dollars."""


def test_lines_of_an_order_come_together_wherever_they_stand(tmp_path: Path) -> None:
    run = load("orders", write(tmp_path, ORDERS))
    assert run.status == Load.Status.VISIBLE
    order = Order.objects.get(number="b1")
    assert (order.total, order.line_count, order.currency, order.store) == (475, 2, "USD", "s1")
    lines = (
        OrderLine.objects.filter(order=order)
        .order_by("id")
        .values_list("product__number", "quantity_milli", "total", "discount")
    )
    assert list(lines) == [("p1", 2000, 350, 50), ("p2", 1000, 125, 0)]
    contact = order.interaction
    assert (contact.kind, contact.channel, contact.direction, contact.initiative, contact.medium) == (
        "purchase",
        "store",
        "inbound",
        "pull",
        "owned",
    )
    assert contact.amount == 475
    assert run.counts["orders_created"] == 3
    assert run.counts["lines_created"] == 4


def test_times_without_a_zone_are_the_companys_and_the_business_date_is_its_day(tmp_path: Path) -> None:
    load("orders", write(tmp_path, ORDERS))
    bought = Order.objects.get(number="b3").interaction
    assert bought.occurred_at == datetime(2017, 3, 7, 4, 59, 59, tzinfo=UTC)
    assert bought.business_date == date(2017, 3, 6)
    load("orders", write(tmp_path, ORDERS.replace("b", "c")), time_zone="UTC")
    bought = Order.objects.get(number="c3").interaction
    assert (bought.occurred_at, bought.business_date) == (
        datetime(2017, 3, 6, 23, 59, 59, tzinfo=UTC),
        date(2017, 3, 6),
    )
    zoned = (
        "order,customer,product,occurred_at,total\n"
        "z1,h1,p1,2017-07-01T03:30:00.250Z,1\nz2,h1,p1,2017-07-01T03:30:00+02:00,1\n"
    )
    load("orders", write(tmp_path, zoned))
    first, second = (Order.objects.get(number=n).interaction for n in ("z1", "z2"))
    assert first.occurred_at == datetime(2017, 7, 1, 3, 30, 0, 250_000, tzinfo=UTC)
    assert first.business_date == date(2017, 6, 30)
    assert second.occurred_at == datetime(2017, 7, 1, 1, 30, tzinfo=UTC)


def test_unknown_customers_and_products_are_created_and_counted(tmp_path: Path) -> None:
    run = load("orders", write(tmp_path, ORDERS))
    assert run.counts["customers_created"] == 2
    assert run.counts["products_created"] == 3
    assert set(Product.objects.values_list("number", "is_placeholder")) == {("p1", True), ("p2", True), ("p3", True)}
    assert Customer.objects.filter(identifiers__value="h1", identifiers__kind="external").count() == 1


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    first = load("orders", write(tmp_path, ORDERS))
    before = state()
    again = load("orders", write(tmp_path, ORDERS, "copy.csv"))
    assert again.pk == first.pk
    assert state() == before


def test_a_file_that_grew_adds_what_is_new(tmp_path: Path) -> None:
    load("orders", write(tmp_path, ORDERS))
    run = load("orders", write(tmp_path, ORDERS + "b4,h3,p1,2017-04-01 09:00:00,1,2.00,0,s1\n"))
    assert (run.counts["orders_created"], run.counts["orders_skipped"]) == (1, 3)
    assert run.counts["customers_created"] == 1
    assert Order.objects.count() == 4


def test_bad_lines_are_refused_with_reasons_and_an_order_is_never_half_in(tmp_path: Path) -> None:
    text = ORDERS + (
        "b4,h3,p1,2017-13-01 09:00:00,1,2.00,0,s1\n"
        "b5,h3,p1,2017-04-01 09:00:00,many,2.00,0,s1\n"
        "b5,h3,p2,2017-04-01 09:00:00,1,2.00,0,s1\n"
        ",h3,p1,2017-04-01 09:00:00,1,2.00,0,s1\n"
        "b6,h3,p1,2017-04-01 09:00:00,1,=1+1,0,s1\n"
        "b7,h3,p\x001,2017-04-01 09:00:00,1,1.00,0,s1\n"
        "b8,h3,p1,2017-04-01 09:00:00,1,99999999999999999999,0,s1\n"
        "b9,h3,p1,2017-04-01 09:00:00,1,-2.00,0,s1\n"
    )
    run = load("orders", write(tmp_path, text))
    refused = {int(row["line"]): (row["column"], row["value"]) for row in rejects(run)}
    assert refused == {
        6: ("occurred_at", "2017-13-01 09:00:00"),
        7: ("quantity", "many"),
        8: ("order", "b5"),
        9: ("order", ""),
        10: ("total", "'=1+1"),
        11: ("product", "p\\01"),
        12: ("total", "99999999999999999999"),
    }
    assert all(row["reason"] for row in rejects(run))
    assert run.counts["rows_rejected"] == 7
    assert sorted(Order.objects.values_list("number", flat=True)) == ["b1", "b2", "b3", "b9"]
    assert Order.objects.get(number="b9").total == -200


def test_a_mended_reject_file_can_be_imported_as_it_is(tmp_path: Path) -> None:
    run = load(
        "orders",
        write(
            tmp_path, ORDERS + "b5,h3,p1,2017-04-01 09:00:00,many,2.00,0,s1\nb5,h3,p2,2017-04-01 09:00:00,1,2.00,0,s1\n"
        ),
    )
    mended = Path(run.reject_file).read_text().replace(",many,2.00", ",3,2.00")
    load("orders", write(tmp_path, mended, "mended.csv"))
    assert Order.objects.get(number="b5").total == 400


def test_strict_refuses_the_whole_file(tmp_path: Path) -> None:
    path = write(tmp_path, ORDERS + "b4,h3,p1,never,1,2.00,0,s1\n")
    before = state()
    with pytest.raises(InputError, match=r"line 6.*occurred_at.*'never'"):
        load("orders", path, strict=True)
    assert state() == before
    assert not Order.objects.exists()


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    run = load("orders", write(tmp_path, ORDERS), dry_run=True)
    assert run._state.adding
    assert (run.counts["orders_created"], run.counts["customers_created"], run.counts["products_created"]) == (3, 2, 3)
    assert not Load.objects.exists()
    assert not Customer.objects.exists()


def test_lines_that_disagree_on_the_customer_are_refused_with_their_order(tmp_path: Path) -> None:
    text = "order,customer,product,occurred_at,total\no1,a,p,2017-01-01,1\no1,b,p,2017-01-01,1\no2,a,p,2017-01-01,1\n"
    run = load("orders", write(tmp_path, text))
    assert sorted(Order.objects.values_list("number", flat=True)) == ["o2"]
    assert run.counts["rows_rejected"] == 2
    assert not Customer.objects.filter(identifiers__value="b").exists()


def test_parquet_and_arrow_give_what_csv_gives(tmp_path: Path) -> None:
    load("orders", write(tmp_path, ORDERS))
    expected = state()
    undo(system(), Load.objects.get().pk)
    rows = [line.split(",") for line in ORDERS.splitlines()]
    table = pa.table(
        {
            name: pa.array([float(row[i]) for row in rows[1:]])
            if name in {"quantity", "total", "discount"}
            else pa.array([datetime.fromisoformat(row[i]) for row in rows[1:]], pa.timestamp("ns"))
            if name == "occurred_at"
            else pa.array([row[i] for row in rows[1:]])
            for i, name in enumerate(rows[0])
        }
    )
    pq.write_table(table, tmp_path / "orders.parquet")
    run = load("orders", tmp_path / "orders.parquet")
    assert state() == expected
    undo(system(), run.pk)
    load("orders", table)
    assert state() == expected


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    run = load("orders", write(tmp_path, gzip.compress(ORDERS.encode()), "orders.csv.gz"))
    assert run.counts["lines_created"] == 4


def test_amounts_are_rounded_half_even_as_money_is(tmp_path: Path) -> None:
    values = ["0.125", "0.135", "1.005", "-0.125", "2.675", "1,234.50", "1e2"]
    text = "order,customer,product,occurred_at,total\n" + "".join(
        f'o{i},c,p,2017-01-01,"{value}"\n' for i, value in enumerate(values)
    )
    load("orders", write(tmp_path, text))
    expected = [12, 14, 100, -12, 268, 123450, 10000]
    assert [Order.objects.get(number=f"o{i}").total for i in range(len(values))] == expected
    floats = pa.table(
        {
            "order": [f"f{i}" for i in range(5)],
            "customer": ["c"] * 5,
            "product": ["p"] * 5,
            "occurred_at": ["2017-01-01"] * 5,
            "total": [0.125, 0.135, 1.005, -0.125, 2.675],
        }
    )
    load("orders", floats)
    assert [Order.objects.get(number=f"f{i}").total for i in range(5)] == expected[:5]


def test_undo_takes_the_run_back_and_a_new_import_brings_everything_again(tmp_path: Path) -> None:
    run = load("orders", write(tmp_path, ORDERS))
    expected = state()
    back = undo(system(), run.pk)
    assert back.status == Load.Status.UNDONE
    assert not standing().exists()
    assert all(not rows for rows in state().values())
    assert Interaction.objects.count() == 3, "a retraction hides, it does not delete"
    assert AuditEntry.objects.filter(verb="import.undone", record_id=run.pk).exists()
    with pytest.raises(StateError):
        undo(system(), run.pk)
    again = load("orders", write(tmp_path, ORDERS))
    assert again.pk != run.pk
    assert state() == expected


def test_undo_keeps_customers_and_products_that_later_orders_need(tmp_path: Path) -> None:
    first = load("orders", write(tmp_path, ORDERS))
    load("orders", write(tmp_path, "order,customer,product,occurred_at,total\nn1,h1,p3,2018-01-01,5\n"))
    back = undo(system(), first.pk)
    assert back.undo["kept"] == {"customers": 1, "products": 1}
    seen = state()
    assert [row[3] for row in seen["customers"]] == ["h1"]
    assert [row[0] for row in seen["products"]] == ["p3"]
    assert [row[0] for row in seen["orders"]] == ["n1"]


def test_only_those_who_may_import_do(tmp_path: Path, charlie: User) -> None:
    with pytest.raises(PermissionRefused):
        run_import(Actor(charlie, "web"), "orders", write(tmp_path, ORDERS))


def test_progress_ends_with_all_rows(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    run_import(system(), "orders", write(tmp_path, ORDERS), progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (4, 4)


def test_customers_may_be_named_by_card(tmp_path: Path) -> None:
    load("customers", write(tmp_path, "external_id,card\nh1,12 34-5\n"))
    run = load(
        "orders", write(tmp_path, ORDERS.replace(",h1,", ",12345,").replace(",h2,", ",9 9,")), customer_by="card"
    )
    assert run.counts["customers_created"] == 1
    assert Customer.objects.get(identifiers__value="h1").interactions.count() == 2
