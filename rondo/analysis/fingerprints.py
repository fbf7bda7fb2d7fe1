"""Fingerprints: of the data a run saw, and of what it found. Equal for equal content, whatever engine or order."""

import hashlib
import json
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rondo.analysis.facts import Past
from rondo.analysis.reserved import RELATIONS, TYPES
from rondo.customers.models import Link
from rondo.warehouse.tables import Tables

_PRIME = 1_000_003
_DECIMALS = 9
_JOINED = 100_000
_OF_EARLIER_RUNS = ("incumbent", "reason")


def data_fingerprint(tables: Tables, known: Past) -> str:
    """SHA-256 over counts and whole-number sums of all rows up to ``as_of``.

    Products tie the columns of a row together. Sums of whole numbers depend on neither engine nor order.
    """
    sums: dict[str, list[int]] = {}
    for name, table, columns in (
        ("customers", known.customers, ["id"]),
        ("orders", known.orders, ["id", "customer_id", "total", "business_date"]),
        ("lines", known.lines, ["id", "order_id", "product_id", "total", "discount", "coupon_discount"]),
        ("interactions", known.interactions, ["id", "customer_id", "business_date"]),
        ("exposures", known.exposures, ["id", "customer_id", "campaign_id"]),
        ("products", known.products, ["id", "category_id", "own_label"]),
        ("attributes", _attributes(tables), ["id", "customer_id", "milli", "code", "day"]),
        ("links", _links(tables), ["id", "subject_id", "object_id", "since"]),
    ):
        sums[name] = _sums(tables, table, columns)
    return hashlib.sha256(json.dumps(sums, sort_keys=True).encode()).hexdigest()


def _attributes(tables: Tables) -> Any:
    """The attributes that the analysis reads, as whole numbers."""
    rows = tables.attributes.filter(lambda t: t.key.isin(list(TYPES)))
    codes = [(rows.choice == name, number) for number, name in enumerate(RELATIONS)]
    return rows.select(
        "id",
        "customer_id",
        "day",
        milli=(rows.number * 1000).round().cast("int64"),
        code=ibis.cases(*codes, else_=-1),
    )


def _links(tables: Tables) -> Any:
    """The links that the analysis reads."""
    return tables.links.filter(tables.links.role.isin([str(Link.Role.REFERRED), *map(str, Link.BELONGING)]))


def _sums(tables: Tables, table: Any, columns: list[str]) -> list[int]:
    measures = {"n": table.count()}
    first = table[columns[0]] % _PRIME
    for column in columns:
        value = table[column]
        if value.type().is_date():
            value = value.epoch_seconds() // 86400
        value = value.cast("int64").fill_null(-1)
        measures[f"s_{column}"] = value.sum().cast("decimal(38,0)")
        measures[f"p_{column}"] = (first * (value % _PRIME)).sum().cast("decimal(38,0)")
    row = tables.arrow(table.aggregate(**measures)).to_pylist()[0]
    return [int(value or 0) for value in row.values()]


def result_hash(scores: pa.Table, results: dict[str, Any]) -> str:
    """SHA-256 of a canonical export: scores by customer, floats to nine decimals, and the results.

    Left out is what refers to earlier runs.
    """
    digest = hashlib.sha256()
    ids = np.asarray(scores["customer_id"])
    ordered = scores if np.all(ids[1:] > ids[:-1]) else scores.sort_by("customer_id")
    for name in sorted(ordered.schema.names):
        column = ordered[name].combine_chunks()
        digest.update(name.encode() + b"\x00")
        digest.update(np.packbits(np.asarray(pc.is_null(column))).tobytes())
        if pa.types.is_floating(column.type):
            numbers = np.rint(np.asarray(column.fill_null(0)) * 10.0**_DECIMALS)
            digest.update((numbers + 0.0).astype("<f8").tobytes())
        elif pa.types.is_string(column.type):
            for number, start in enumerate(range(0, len(column), _JOINED)):
                digest.update(b"\x1f" if number else b"")
                digest.update(_joined(column.slice(start, _JOINED).fill_null("")))
        else:
            whole = (
                column.cast(pa.int32()).cast(pa.int64()) if pa.types.is_date(column.type) else column.cast(pa.int64())
            )
            digest.update(np.asarray(whole.fill_null(0)).astype("<i8").tobytes())
    lasting = {key: value for key, value in results.items() if key != "since_previous"}
    if "selection" in lasting:
        chosen = {key: value for key, value in lasting["selection"].items() if key not in _OF_EARLIER_RUNS}
        lasting["selection"] = chosen
    digest.update(json.dumps(_rounded(lasting), sort_keys=True).encode())
    return digest.hexdigest()


def _joined(words: pa.Array) -> bytes:
    """The words with a separator between them, as UTF-8."""
    whole = pa.ListArray.from_arrays(pa.array([0, len(words)], pa.int32()), words)
    return bytes(pc.binary_join(whole, "\x1f")[0].as_buffer())


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DECIMALS)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
