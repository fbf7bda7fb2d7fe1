"""A large installation on SQLite for measuring pages: simulated customers, identifiers, interactions, orders and lines.

Rows go in by bare inserts (the import is measured elsewhere), in the order that the import writes them: interactions by
day, so that the chain's index is filled in random order of customers, as in life.
"""

import random
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from django.db import connection

from rondo.catalogue.models import Category, Product
from rondo.customers import names as name_words
from rondo.customers.models import Source
from rondo.demo.names import FAMILY, GIVEN
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.models import Load, User
from rondo.foundation.search import fold

CHUNK = 250_000
FIRST_DAY = np.datetime64("2015-01-01")
DAYS = 3 * 365
PRODUCTS = 1000
EVERY_PURCHASE = 4
"""One interaction in four is a purchase with an order of one line; the others are visits and mails."""


def _raw() -> Any:
    connection.ensure_connection()
    return connection.connection


def _insert(table: str, columns: str, rows: Iterator[tuple[Any, ...]] | list[tuple[Any, ...]]) -> None:
    marks = ",".join("?" * len(columns.split(",")))
    raw = _raw()
    raw.execute("BEGIN IMMEDIATE")
    raw.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
    raw.execute("COMMIT")


def build(customers: int, interactions: int) -> float:
    """Fill the (empty, migrated) database of this process; returns seconds."""
    started = time.perf_counter()
    installation()
    change_installation(system(), company="Large", currency="EUR", time_zone="Europe/Berlin")
    User.objects.create_user("bench@example.com", None, name="Bench", role="administrator")
    source = Source.objects.create(name="bench")
    load = Load.objects.create(kind="orders", source="bench", file_name="bench", fingerprint="bench", status="visible")
    category = Category.objects.create(name="GOODS", path="GOODS", depth=0)
    Product.objects.bulk_create(
        Product(source=source, number=str(n), name=f"Product {n}", category=category, load=load)
        for n in range(PRODUCTS)
    )
    chance = random.Random(20)
    names = [f"{g} {f}" for g in GIVEN for f in FAMILY]
    folded = {name: fold(name) for name in names}
    for low in range(1, customers + 1, CHUNK):
        high = min(low + CHUNK, customers + 1)
        picked = chance.choices(names, k=high - low)
        _insert(
            "customers_customer",
            "id,kind,name,given_name,family_name,folded_name,language,known_since_at_least,is_demo,is_merged,load_id,created_at,version",
            [
                (i, "person", n, n.split()[0], n.split()[1], folded[n], "", 0, 1, 0, load.pk, "2015-01-01 00:00:00", 1)
                for i, n in zip(range(low, high), picked, strict=True)
            ],
        )
        _insert(
            "customers_identifier",
            "customer_id,kind,source_id,value,shown,is_demo,load_id",
            [
                row
                for i in range(low, high)
                for row in (
                    (i, "email", None, f"c{i}@example.com", f"c{i}@example.com", 1, load.pk),
                    (i, "external", source.pk, str(i), str(i), 1, load.pk),
                )
            ],
        )
    name_words.rebuild()
    draw = np.random.default_rng(20)
    day_of = np.sort(draw.integers(0, DAYS, interactions)).astype("timedelta64[D]")
    axes = {
        "purchase": ("store", "inbound", "pull", "owned"),
        "visit": ("web", "inbound", "pull", "owned"),
        "campaign_mail": ("mail", "outbound", "push", "owned"),
    }
    # A few customers buy much and many buy little, as in any customer base.
    weight = draw.gamma(0.6, 1.0, customers)
    who = np.searchsorted(np.cumsum(weight) / weight.sum(), draw.random(interactions)) + 1
    np.clip(who, 1, customers, out=who)
    # Who spends much a time does so again: a mean of one's own, and chance around it.
    usual = 2_000 * draw.gamma(4.0, 1.0, customers) / draw.gamma(4.0, 1.0, customers)
    amount = np.maximum(1, draw.gamma(3.0, 1 / 3, interactions) * usual[who - 1]).astype(np.int64)
    second = draw.integers(8 * 3600, 20 * 3600, interactions)
    for low in range(0, interactions, CHUNK):
        part = slice(low, min(low + CHUNK, interactions))
        ids = np.arange(part.start, part.stop) + 1
        day = FIRST_DAY + day_of[part]
        at = np.char.replace(
            np.datetime_as_string(day.astype("datetime64[s]") + second[part].astype("timedelta64[s]")), "T", " "
        )
        days = np.datetime_as_string(day).tolist()
        bought = ids % EVERY_PURCHASE == 0
        kinds = np.where(bought, "purchase", np.where(ids % 3 == 0, "campaign_mail", "visit")).tolist()
        money = np.where(bought, amount[part], 0).tolist()
        rows = zip(ids.tolist(), who[part].tolist(), kinds, at.tolist(), days, money, strict=True)
        _insert(
            "interactions_interaction",
            "id,customer_id,kind,channel,direction,initiative,medium,occurred_at,business_date,amount,currency,title,body,source_id,load_id",
            [
                (i, c, k, *axes[k], a, d, m or None, "EUR" if m else "", "", "", source.pk, load.pk)
                for i, c, k, a, d, m in rows
            ],
        )
        order_ids = ids[bought].tolist()
        totals = amount[part][bought].tolist()
        _insert(
            "interactions_order",
            "interaction_id,source_id,number,store,total,currency,line_count,load_id",
            [(i, source.pk, str(i), "1", t, "EUR", 1, load.pk) for i, t in zip(order_ids, totals, strict=True)],
        )
        _insert(
            "interactions_orderline",
            "order_id,product_id,quantity_milli,total,discount,coupon_discount,match_discount",
            [(i, i % PRODUCTS + 1, 1000, t, 0, 0, 0) for i, t in zip(order_ids, totals, strict=True)],
        )
        sys.stderr.write(f"\r{part.stop:>12,} of {interactions:,} interactions")
    sys.stderr.write("\n")
    purchases = interactions // EVERY_PURCHASE
    load.spans = {
        "interactions_interaction": [1, interactions],
        "interactions_order": [1, interactions],
        "interactions_orderline": [1, purchases],
    }
    load.save(update_fields=["spans"])
    return time.perf_counter() - started
