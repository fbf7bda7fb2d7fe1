"""What lead and interest scoring read of the columnar copy, as arrays."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.facts import Past
from rondo.analysis.facts.taste import kinds
from rondo.analysis.modelling import day_number
from rondo.customers.models import AttributeDefinition, Link
from rondo.foundation.registry import registries
from rondo.science.interest import InterestLog
from rondo.science.leads import NEVER, LeadLog
from rondo.warehouse.tables import Tables

Whole = npt.NDArray[np.int64]
_EPOCH = ibis.date("1970-01-01")
BUYING = "purchase"
SHARED = 0.5
"""Attributes are read that at least so many of the leads have, and as many of those who bought, within 10 points."""
ALIKE = 0.1
MOST_CHOICES = 8


@dataclass(frozen=True)
class ReadLeads:
    """``customers``: ids of the people of the log, ascending. ``everybody`` in the base; ``people`` who never bought,
    ``undated`` of them of whom no day is known; ``before``: known before a first purchase, or without one."""

    customers: Whole
    log: LeadLog
    everybody: int
    people: int
    undated: int
    before: int


@dataclass(frozen=True)
class ReadInterests:
    """``customers``: ids, ascending; categories by place: ``paths`` and ``keys``."""

    customers: Whole
    log: InterestLog
    paths: list[str]
    keys: Whole


@dataclass(frozen=True)
class People:
    """Per customer of the base, ascending by id: the first purchase and the first day known (day numbers, or NEVER)."""

    customers: Whole
    bought: Whole
    known: Whole


def read_people(tables: Tables, known: Past) -> People:
    """Who is known since when, and bought first when, up to the day of ``known``."""
    # In whatever currency: who paid in another one is no lead.
    orders = tables.orders.filter(
        (tables.orders.total >= 0) & (tables.orders.business_date <= ibis.literal(known.as_of))
    )
    bought = orders.group_by(buyer="customer_id")
    bought = known.keep(bought.aggregate(bought=lambda t: _day(t.business_date.min())))
    told = known.interactions.group_by(talks="customer_id").aggregate(told=lambda t: _day(t.business_date.min()))
    base = known.customers
    t = base.left_join(bought, base.id == bought.buyer).left_join(told, base.id == told.talks)
    rows = tables.arrow(t.select(id=base.id, since=_day(base.known_since), bought=t.bought, told=t.told).order_by("id"))
    days = {name: rows[name].fill_null(NEVER).to_numpy().astype(np.int64) for name in ("since", "bought", "told")}
    last = day_number(known.as_of)
    since = np.where(days["since"] <= last, days["since"], NEVER)
    return People(rows["id"].to_numpy().astype(np.int64), days["bought"], np.minimum(since, days["told"]))


def _day(column: Any) -> Any:
    return column.delta(_EPOCH, unit="day").cast("int64")


def read_leads(tables: Tables, known: Past, base: People) -> ReadLeads:
    """Everybody known before a first purchase, or without one, and their contacts up to it."""
    able = (base.known < base.bought) & (base.known != NEVER)
    ids = base.customers[able]
    never = base.bought == NEVER
    rows = _contacts(tables, known, ids, base.bought[able])
    columns, words = _coded(rows)
    link = _links(tables, known, ids, base)
    asked = {kind.key for kind in registries.interaction_kinds if kind.expects_answer}
    kind_names = words["kind"]
    waits = np.isin(columns["kind"], [place for place, name in enumerate(kind_names) if name in asked])
    log = LeadLog(
        known=base.known[able],
        bought=base.bought[able],
        person=columns["person"],
        day=columns["day"],
        kind=columns["kind"],
        channel=columns["channel"],
        medium=columns["medium"],
        inbound=columns["inbound"].astype(bool),
        pull=columns["pull"].astype(bool),
        answers=columns["answers"].astype(bool) & columns["inbound"].astype(bool),
        named=columns["named"],
        waits=waits & columns["inbound"].astype(bool),
        answered=columns["answered"],
        kinds=tuple(kind_names),
        channels=tuple(words["channel"]),
        media=tuple(words["medium"]),
        link_person=link["person"],
        link_day=link["day"],
        link_bought=link["bought"],
        link_role=link["role"],
        roles=_ROLES if link["person"].size else (),
        attributes=_attributes(tables, ids, base.bought[able] != NEVER),
    )
    return ReadLeads(
        ids,
        log,
        int(base.customers.size),
        int(never.sum()),
        int((never & (base.known == NEVER)).sum()),
        int(able.sum()),
    )


def _contacts(tables: Tables, known: Past, ids: Whole, bought: Whole) -> pa.Table:
    """Contacts of the people up to the day before their first purchase, by person and day."""
    chosen = tables.take(
        pa.table({"member": pa.array(ids, pa.int64()), "until": pa.array(bought, pa.int64()),
                  "person": pa.array(np.arange(ids.size), pa.int64())})
    )  # fmt: skip
    t = known.interactions.filter(known.interactions.kind != BUYING)
    answers = t.filter((t.direction == "outbound") & t.in_response_to.notnull())
    answers = answers.group_by(asked="in_response_to").aggregate(answered=lambda r: _day(r.business_date.min()))
    t = t.mutate(on=_day(t.business_date)).join(chosen, t.customer_id == chosen.member)
    t = t.filter(t.on < t.until).left_join(answers, t.id == answers.asked)
    named = _named(tables, known)
    t = t.left_join(named, t.id == named.contact)
    told = t.select(
        "person", "kind", "channel", "medium",
        day=t.on,
        inbound=(t.direction == "inbound").cast("int64"),
        pull=(t.initiative == "pull").cast("int64"),
        answers=t.in_response_to.notnull().cast("int64"),
        named=t.about.fill_null(-1).cast("int64"),
        answered=t.answered.fill_null(NEVER).cast("int64"),
        id=t.id,
    )  # fmt: skip
    # What a campaign sent without an interaction of its own.
    e = known.exposures.filter(known.exposures.interaction_id.isnull() & known.exposures.sent_on.notnull())
    e = e.mutate(on=_day(e.sent_on)).join(chosen, e.customer_id == chosen.member)
    e = e.filter(e.on < e.until)
    zero = ibis.literal(0, "int64")
    sent = e.select(
        "person",
        kind=ibis.literal("campaign_mail"),
        channel=ibis.literal("mail"),
        medium=ibis.literal("owned"),
        day=e.on,
        inbound=zero,
        pull=zero,
        answers=zero,
        named=ibis.literal(-1, "int64"),
        answered=ibis.literal(NEVER, "int64"),
        id=zero,
    )
    return tables.arrow(told.union(sent).order_by("person", "day", "id", "kind"))


def _named(tables: Tables, known: Past) -> Any:
    """The category on the second level that a contact names, by its number: ``contact``, ``about``."""
    if "abouts" not in tables.names:
        return ibis.memtable(pa.schema([("contact", pa.int64()), ("about", pa.int64())]).empty_table())
    shelves = kinds(known)
    of_product = known.products.join(shelves, known.products.category_id == shelves.category)
    of_product = of_product.select(product_id=known.products.id, by_product=of_product.kind)
    t = tables.abouts.left_join(shelves.select(category_id="category", by_category="kind"), "category_id")
    t = t.left_join(of_product, "product_id")
    return t.select(contact=t.id, about=t.by_category.fill_null(t.by_product).cast("int64"))


def _coded(rows: pa.Table) -> tuple[dict[str, npt.NDArray[Any]], dict[str, list[str]]]:
    """Columns as whole numbers, texts as places among the sorted texts that occur."""
    columns: dict[str, npt.NDArray[Any]] = {}
    words: dict[str, list[str]] = {}
    for name in rows.schema.names:
        column = rows[name]
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            words[name] = sorted(pc.unique(column).to_pylist())
            codes: Any = pc.index_in(column, pa.array(words[name], column.type))
            columns[name] = codes.to_numpy().astype(np.int16)
        else:
            columns[name] = column.to_numpy().astype(np.int8 if name in _FLAGS else np.int32)
    return columns, words


_FLAGS = ("inbound", "pull", "answers")
_ROLES = tuple(sorted(Link.Role.values))


def _links(tables: Tables, known: Past, ids: Whole, base: People) -> dict[str, Whole]:
    """Links to other customers: both ways, but for recommendations, which count for whom they were made to."""
    merged = tables.survivors
    t = tables.links.filter(tables.links.created_at.notnull())
    for end in ("subject", "object"):
        now = merged.select(**{f"{end}_was": "customer_id", f"{end}_is": "survivor_id"})
        t = t.left_join(now, t[f"{end}_id"] == now[f"{end}_was"])
        t = t.mutate(**{end: t[f"{end}_is"].fill_null(t[f"{end}_id"])})
    rows = tables.arrow(t.select("subject", "object", "role", day=_day(t.created_at.date())).order_by("day"))
    role: Any = pc.index_in(rows["role"], pa.array(_ROLES, rows["role"].type))
    one, other = rows["subject"].to_numpy().astype(np.int64), rows["object"].to_numpy().astype(np.int64)
    day, code = rows["day"].to_numpy().astype(np.int64), role.to_numpy().astype(np.int64)
    mutual = code != _ROLES.index(Link.Role.REFERRED)
    who, whom = np.concatenate((other, one[mutual])), np.concatenate((one, other[mutual]))
    day, code = np.concatenate((day, day[mutual])), np.concatenate((code, code[mutual]))
    person, here = _places(who, ids)
    partner, known_too = _places(whom, base.customers)
    kept = here & known_too & (who != whom) & (day <= day_number(known.as_of))
    return {"person": person[kept], "day": day[kept], "role": code[kept], "bought": base.bought[partner[kept]]}


def _places(values: Whole, ids: Whole) -> tuple[Whole, npt.NDArray[np.bool_]]:
    place = np.clip(np.searchsorted(ids, values), 0, max(ids.size - 1, 0))
    return place, ids[place] == values if ids.size else np.zeros(values.size, bool)


def _attributes(tables: Tables, ids: Whole, bought: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.float64]]:
    """Attributes that enough people have, buyers and others alike: no day is known for them, so that one which is
    filled in with the first purchase would tell what is to be foretold. Those that some roles do not see are left out,
    since reasons are told to everybody."""
    t = tables.attributes.filter(tables.attributes.choice.notnull() | tables.attributes.number.notnull())
    rows = tables.arrow(t.select("customer_id", "key", "choice", "number").order_by("key", "customer_id"))
    found: dict[str, npt.NDArray[np.float64]] = {}
    if not rows.num_rows or not bought.any() or bought.all():
        return found
    limited = set(AttributeDefinition.objects.filter(visible_to__isnull=False).values_list("key", flat=True))
    for key in sorted(set(pc.unique(rows["key"]).to_pylist()) - limited):
        mine = rows.filter(pc.equal(rows["key"], key))
        place, here = _places(mine["customer_id"].to_numpy().astype(np.int64), ids)
        filled = np.zeros(ids.size, bool)
        filled[place[here]] = True
        shares = filled[bought].mean(), filled[~bought].mean()
        if min(shares) < SHARED or abs(shares[0] - shares[1]) > ALIKE:
            continue
        if mine["choice"].null_count == mine.num_rows:
            values = np.full(ids.size, np.nan)
            values[place[here]] = mine["number"].to_numpy()[here]
            found[key] = values
            continue
        several = pc.starts_with(mine["choice"], "|").fill_null(False)
        single = pc.list_flatten(pc.split_pattern(mine["choice"].filter(several), "|"))
        each = pa.chunked_array([*mine["choice"].filter(pc.invert(several)).chunks, *single.chunks], pa.string())
        counts = sorted(pc.value_counts(each).to_pylist(), key=lambda one: (-one["counts"], str(one["values"])))
        for choice in [one["values"] for one in counts if one["values"]][:MOST_CHOICES]:
            values = np.where(filled, 0.0, np.nan)
            has = pc.or_(pc.equal(mine["choice"], choice), pc.match_substring(mine["choice"], f"|{choice}|"))
            values[place[here & has.fill_null(False).to_numpy(zero_copy_only=False)]] = 1.0
            found[f"{key}={choice}".replace(":", " ").replace(";", " ").replace("|", " ")] = values
    return found


def read_interests(tables: Tables, known: Past, base: People) -> ReadInterests:
    """Purchase days by customer and category on the second level, and contacts that name a category."""
    shelves = kinds(known)
    paths_of = tables.arrow(shelves.group_by("kind").aggregate(path=shelves.path.max()).order_by("kind"))
    paths: list[str] = paths_of["path"].to_pylist()
    everything = tables.arrow(known.categories.select("id", "path"))
    place: Any = pc.index_in(pa.array(paths, pa.string()), everything["path"])
    keys = everything["id"].take(place).to_numpy().astype(np.int64) if paths else np.empty(0, np.int64)
    goods = known.products.join(shelves, known.products.category_id == shelves.category)
    goods = known.keep(goods.select(product=known.products.id, kind=goods.kind))
    orders = known.orders.select(order_id="id", business_date="business_date")
    t = known.lines.filter(lambda row: (row.total >= 0) & (row.quantity_milli > 0)).join(orders, "order_id")
    t = t.join(goods, t.product_id == goods.product)
    t = t.semi_join(known.customers.select(customer_id="id"), "customer_id")
    bought = tables.arrow(
        t.select("customer_id", kind=t.kind.cast("int32"), day=_day(t.business_date).cast("int32"))
        .distinct()
        .order_by("customer_id", "kind", "day")
    )
    told = tables.arrow(_about(tables, known).order_by("customer_id", "kind", "day", "inbound"))
    # A category that nobody ever bought of tells nothing, and would make every score look good.
    sold = np.unique(bought["kind"].to_numpy())
    paths, keys = [paths[place] for place in sold.tolist()], keys[sold]
    families = {name: code for code, name in enumerate(sorted({path.partition(" > ")[0] for path in paths}))}
    customer, _all = _places(bought["customer_id"].to_numpy().astype(np.int64), base.customers)
    who, here = _places(told["customer_id"].to_numpy().astype(np.int64), base.customers)
    about, is_sold = _places(told["kind"].to_numpy().astype(np.int64), sold.astype(np.int64))
    here &= is_sold
    last = day_number(known.as_of)
    log = InterestLog(
        known=np.where(base.known == NEVER, last, np.minimum(base.known, base.bought)),
        family=np.array([families[path.partition(" > ")[0]] for path in paths], np.int64),
        customer=customer.astype(np.int32),
        category=np.searchsorted(sold, bought["kind"].to_numpy()).astype(np.int32),
        day=bought["day"].to_numpy().astype(np.int32),
        told_customer=who[here],
        told_category=about[here],
        told_day=told["day"].to_numpy().astype(np.int64)[here],
        told_inbound=told["inbound"].to_numpy().astype(bool)[here],
    )
    return ReadInterests(base.customers, log, paths, keys)


def _about(tables: Tables, known: Past) -> Any:
    """Contacts that name a category: who, which, when, and whether they came to us."""
    named = _named(tables, known)
    t = known.interactions.filter(known.interactions.business_date > ibis.literal(known.as_of - timedelta(days=3650)))
    t = t.join(named, t.id == named.contact)
    return t.filter(t.about.notnull()).select(
        "customer_id",
        kind=t.about.cast("int64"),
        day=_day(t.business_date),
        inbound=(t.direction == "inbound").cast("int64"),
    )
