"""A large installation for measuring: simulated customers, identifiers, interactions, orders and lines.

Rows go in as columns (the import is measured elsewhere), in the order that the import writes them: interactions by
day, so that the chain's index is filled in random order of customers, as in life.
"""

import random
import sys
import time
from typing import Any

import numpy as np
import pyarrow as pa
from django.db import transaction
from django.db.models import Model

from rondo.catalogue.models import Category, Product
from rondo.customers import names as name_words
from rondo.customers.models import Customer, Identifier, Source
from rondo.demo.names import FAMILY, GIVEN
from rondo.foundation.actors import system
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.keys import allocate
from rondo.foundation.loading import bulk
from rondo.foundation.models import Load, User
from rondo.foundation.search import fold
from rondo.interactions.models import Interaction, Order, OrderLine

CHUNK = 250_000
FIRST_DAY = np.datetime64("2015-01-01")
DAYS = 3 * 365
PRODUCTS = 1000
EVERY_PURCHASE = 4
"""One interaction in four is a purchase with an order of one line; the others are visits and mails."""


def _insert(model: type[Model], columns: dict[str, Any], count: int) -> None:
    """So many rows in a transaction of their own, whose keys follow those that were given out last."""
    with transaction.atomic():
        if "id" in columns:
            first = allocate(model, count)
            if first != columns["id"][0]:
                raise SystemExit(f"{model._meta.db_table} is not empty: build in an empty home.")
            columns = columns | {"id": pa.array(columns["id"])}
        bulk.insert(model, columns, count)


def _named(places: Any, words: list[str]) -> pa.Array:
    return pa.array(np.array(words)[places])


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
    first_product = Product.objects.order_by("pk").values_list("pk", flat=True)[0]
    chance = random.Random(20)
    names = [f"{g} {f}" for g in GIVEN for f in FAMILY]
    folded = {name: fold(name) for name in names}
    for low in range(1, customers + 1, CHUNK):
        ids = np.arange(low, min(low + CHUNK, customers + 1))
        count = len(ids)
        picked = chance.choices(names, k=count)
        given, family = zip(*(name.split() for name in picked), strict=True)
        told = {"id": ids, "kind": "person", "name": pa.array(picked), "is_demo": True, "load_id": load.pk}
        told |= {"given_name": pa.array(given), "family_name": pa.array(family)}
        told |= {"folded_name": pa.array([folded[name] for name in picked])}
        _insert(Customer, told, count)
        own = {"customer_id": pa.array(np.repeat(ids, 2)), "is_demo": True, "load_id": load.pk}
        own["id"] = np.arange(2 * low - 1, 2 * low - 1 + 2 * count)
        own["kind"] = pa.array(["email", "external"] * count)
        own["source_id"] = pa.array([None, source.pk] * count, pa.int64())
        written = pa.array([text for key in ids.tolist() for text in (f"c{key}@example.com", str(key))])
        _insert(Identifier, own | {"value": written, "shown": written}, 2 * count)
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
    lines = 0
    for low in range(0, interactions, CHUNK):
        part = slice(low, min(low + CHUNK, interactions))
        ids = np.arange(part.start, part.stop) + 1
        day = FIRST_DAY + day_of[part]
        bought = ids % EVERY_PURCHASE == 0
        kind = np.where(bought, 0, np.where(ids % 3 == 0, 2, 1))
        money = pa.array(np.where(bought, amount[part], 0), mask=~bought)
        at = day.astype("datetime64[s]") + second[part].astype("timedelta64[s]")
        told = {"id": ids, "customer_id": pa.array(who[part]), "kind": _named(kind, list(axes))}
        for place, axis in enumerate(("channel", "direction", "initiative", "medium")):
            told[axis] = _named(kind, [words[place] for words in axes.values()])
        told |= {"occurred_at": pa.array(at), "business_date": pa.array(day), "amount": money}
        told |= {"currency": _named(bought.astype(int), ["", "EUR"]), "source_id": source.pk, "load_id": load.pk}
        _insert(Interaction, told, len(ids))
        orders, totals = pa.array(ids[bought]), pa.array(amount[part][bought])
        sold = {"interaction_id": orders, "source_id": source.pk, "store": "1", "total": totals, "currency": "EUR"}
        _insert(Order, sold | {"number": orders.cast(pa.string()), "line_count": 1, "load_id": load.pk}, len(orders))
        of = {"id": np.arange(lines, lines + len(orders)) + 1, "order_id": orders, "quantity_milli": 1000}
        of |= {"product_id": pa.array(ids[bought] % PRODUCTS + first_product), "total": totals}
        _insert(OrderLine, of, len(orders))
        lines += len(orders)
        sys.stderr.write(f"\r{part.stop:>12,} of {interactions:,} interactions")
    sys.stderr.write("\n")
    load.spans = {
        "interactions_interaction": [1, interactions],
        "interactions_order": [1, interactions],
        "interactions_orderline": [1, lines],
    }
    load.save(update_fields=["spans"])
    return time.perf_counter() - started
