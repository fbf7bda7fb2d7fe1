"""A small store to copy and analyse: customers, orders with lines, campaigns, loads; and processes that get killed."""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from rondo.catalogue.models import Category, Product
from rondo.customers.models import Customer, Source
from rondo.foundation.models import Load
from rondo.interactions.models import Interaction, Order, OrderLine


def source() -> Source:
    return Source.objects.get_or_create(name="till")[0]


def product(number: str, path: str = "Food > Bread", own_label: bool | None = None) -> Product:
    """A product in a category given by its path, made where it is missing."""
    parent: Category | None = None
    names = path.split(" > ")
    for depth, name in enumerate(names):
        parent = Category.objects.get_or_create(
            path=" > ".join(names[: depth + 1]), defaults={"name": name, "depth": depth, "parent": parent}
        )[0]
    return Product.objects.get_or_create(
        source=source(), number=number, defaults={"name": number, "category": parent, "own_label": own_label}
    )[0]


def customer(name: str = "", load: Load | None = None, **fields: object) -> Customer:
    return Customer.objects.create(name=name, load=load, **fields)


def purchase(
    who: Customer,
    day: str | date,
    total: int = 1000,
    *,
    load: Load | None = None,
    lines: Sequence[tuple[Product, int, int]] = (),
    store: str = "S1",
    currency: str = "EUR",
) -> Order:
    """An order at noon of ``day``; ``lines`` are (product, total, discount), by default one line of bread."""
    with transaction.atomic():
        row = _contact(who, day, total, currency, load)
        row.save()
        lines = lines or [(product("bread"), total, 0)]
        order = _order(row, source(), store, len(lines))
        order.save()
        OrderLine.objects.bulk_create(
            OrderLine(order=order, product=what, quantity_milli=1000, total=paid, discount=discount)
            for what, paid, discount in lines
        )
    return order


def purchases(rows: Iterable[tuple[Customer, str | date, int | Sequence[tuple[Product, int, int]]]]) -> None:
    """Orders written together, many in little time: (customer, day, total) of one line of bread each, or (customer,
    day, lines) as :func:`purchase` takes them.
    """
    bread, till = product("bread"), source()
    bought = [(who, day, [(bread, what, 0)] if isinstance(what, int) else what) for who, day, what in rows]
    with transaction.atomic():
        contacts = Interaction.objects.bulk_create(
            _contact(who, day, sum(paid for _what, paid, _discount in lines)) for who, day, lines in bought
        )
        orders = Order.objects.bulk_create(
            _order(row, till, lines=len(lines)) for row, (_who, _day, lines) in zip(contacts, bought, strict=True)
        )
        OrderLine.objects.bulk_create(
            OrderLine(order=order, product=what, quantity_milli=1000, total=paid, discount=discount)
            for order, (_who, _day, lines) in zip(orders, bought, strict=True)
            for what, paid, discount in lines
        )


def _contact(
    who: Customer, day: str | date, total: int, currency: str = "EUR", load: Load | None = None
) -> Interaction:
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return Interaction(
        customer=who,
        kind="purchase",
        channel="store",
        direction="inbound",
        initiative="pull",
        medium="owned",
        occurred_at=datetime.combine(day, time(12), UTC),
        business_date=day,
        amount=total,
        currency=currency,
        load=load,
    )


def _order(row: Interaction, till: Source, store: str = "S1", lines: int = 1) -> Order:
    return Order(
        interaction=row,
        source=till,
        number=str(row.pk),
        store=store,
        total=row.amount or 0,
        currency=row.currency,
        line_count=lines,
        load=row.load,
    )


def load(status: str = Load.Status.VISIBLE) -> Load:
    return Load.objects.create(kind="orders", file_name="orders.csv", fingerprint="f", status=status)


def database_url() -> str:
    """The test database as a setting for another process."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    return f"postgresql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"


def start_apart(script: str) -> "subprocess.Popen[str]":
    """Start a script in a process of its own on the same database and copy, with Django set up; all streams piped."""
    environment = os.environ | {
        "RONDO_DATABASE_URL": database_url(),
        "RONDO_WAREHOUSE": str(settings.RONDO_WAREHOUSE),
        "DJANGO_SETTINGS_MODULE": "rondo.settings",
        "RONDO_SECRET_KEY": settings.SECRET_KEY,
    }
    return subprocess.Popen(
        [sys.executable, "-c", f"import django; django.setup()\n{script}"],
        env=environment,
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_apart(process: "subprocess.Popen[str]", said: str = "") -> "subprocess.CompletedProcess[str]":
    """Say the last to a started process and wait for its end; it is killed where that takes minutes."""
    try:
        output, errors = process.communicate(said, timeout=240)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def run_apart(script: str) -> "subprocess.CompletedProcess[str]":
    """Run a script in a process of its own on the same database and copy, with Django set up."""
    return end_apart(start_apart(script))
