"""The order of the chain: which interaction of a customer follows which, worked out once for many questions.

To put everybody's interactions in order is most of what a question for one thing after the other costs, and the order
of what has happened stays what it is. So it is kept in the folder of the copy, in three columns that are read without
being loaded: in the order of customers and, within each, of moments and keys, a number of customer and business day
(:func:`rondo.rules.sequences.in_order`) and the interaction's key. It has all rows of the files it was made of, also
what is retracted, hidden or in the bin: which of them count, the question says.

It holds as long as these files do: rows that come lie in files of their own, and files that were rewritten, as when
persons are erased, make it void. Who has rows in other files, all of the last days, is put in order beside it, anew for
each question. It says of whom it does not tell: of who has older ones there, or was merged or parted since. Where those
are many, it is made anew, by the worker after a refresh, or else by who asks.
"""

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset as ds

from rondo.errors import StateError
from rondo.rules.sequences import CUSTOMER, FIRST_DAY, MAX_CUSTOMER, IntArray, Steps, against_the_clock, in_order
from rondo.warehouse import delta
from rondo.warehouse.locks import exclusive

CHAIN = "interactions"
WORTH = 2**22
"""So many rows are put in order about as fast as they are looked up in an order of all."""
_FEW = 50
"""It is made anew where it does not tell of one in so many customers."""
_LATELY = 30
"""Rows that came later are looked up among those of so many days."""
_ZONES = 2
"""Days of two time zones run against the clock by so many at most."""
_ROOM = 16
"""Times so many may the highest key be as there are rows."""
_EVER = 2**21
_MAX_KEY = 2**32 - 1
_BEFORE_1970 = (date(1970, 1, 1) - FIRST_DAY).days


@dataclass(frozen=True)
class Chain:
    """``events`` and ``keys`` of interactions in order."""

    events: IntArray
    keys: npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Chronology:
    """``chain``: the interactions of all, in order; ``later``: those of who has newer ones, also from before.
    ``highest``: of the keys. ``apart``: customers, as they are merged now, of whom neither tells, in order."""

    chain: Chain
    later: Chain
    highest: int
    apart: IntArray

    def steps(self, keys: IntArray, steps: Steps) -> "tuple[_Placed, _Placed]":
        """The steps of those interactions that ``keys`` names, by their places in either order; others have none."""
        by_key = np.zeros(self.highest + 1, np.uint8)
        if keys.size and int(keys.max()) > self.highest:
            known = keys <= self.highest
            keys, steps = keys[known], steps[known]
        by_key[keys] = steps
        return _Placed(self.chain.keys, by_key), _Placed(self.later.keys, by_key)


@dataclass(frozen=True)
class _Placed:
    keys: npt.NDArray[np.uint32]
    by_key: Steps

    def __call__(self, part: slice) -> Steps:
        return self.by_key[self.keys[part]]


@dataclass(frozen=True)
class _Kept:
    """What a folder has. ``merged``: the records merged by then, each with its survivor, as one number."""

    files: frozenset[str]
    highest: int
    customers: int
    events: IntArray
    keys: npt.NDArray[np.uint32]
    merged: IntArray
    against: IntArray


def opened(tables: Any, files: Sequence[str]) -> Chronology | None:
    """The order of the opened copy, whose chain has these files; made where it is not there. None where keys leave no
    room, or the folder cannot be written."""
    merged = _merged(tables)
    found = _still_good(files, merged)
    if found is None:
        try:
            with exclusive(delta.CHRONOLOGY):
                found = _still_good(files, merged) or _make(tables, files, merged)
                if not _is_there(files):  # rows were taken out meanwhile: who asks has them open, nobody else may
                    delta.forget_order()
        except (StateError, OSError):  # who asks may read the copy alone; an engine can do without
            return None
    return found


def _is_there(files: Sequence[str]) -> bool:
    chain = delta.existing(CHAIN)
    return chain is not None and set(map(_name, files)) <= set(map(_name, chain.file_uris()))


def _still_good(files: Sequence[str], merged: IntArray) -> Chronology | None:
    """What is kept, if it is of these files and tells of nearly all customers."""
    kept = _kept(frozenset(map(_name, files)))
    if kept is None:
        return None
    later, apart = _later(kept, files, merged)
    changed = np.setxor1d(kept.merged, merged, assume_unique=True)
    told = np.unique(np.concatenate([kept.against, apart, changed // CUSTOMER, changed % CUSTOMER]))
    # Days that run against the clock are no better told by an order made anew.
    others = told.size - kept.against.size + np.unique(later.events // CUSTOMER).size
    if others * _FEW > kept.customers:
        return None
    highest = max(kept.highest, int(later.keys.max(initial=0)))
    return Chronology(Chain(kept.events, kept.keys), later, highest, told)


def _later(kept: _Kept, files: Sequence[str], merged: IntArray) -> tuple[Chain, IntArray]:
    """The order of who has rows of the last days in other files, and who has older ones there."""
    new_files = [file for file in files if _name(file) not in kept.files]
    if not new_files:
        return Chain(kept.events[:0], kept.keys[:0]), kept.events[:0]
    columns = ["customer_id", "business_date", "occurred_at", "id"]
    new = ds.dataset(new_files, format="parquet").to_table(columns=columns)
    customer = _surviving(new["customer_id"].to_numpy(), merged)
    days = new["business_date"].cast(pa.int32()).to_numpy() + _BEFORE_1970
    events, keys = customer * CUSTOMER + days, new["id"].to_numpy()
    moments = new["occurred_at"].cast(pa.int64()).to_numpy()
    who, which = np.unique(customer, return_inverse=True)
    first, highest = np.full(who.size, np.iinfo(np.int64).max), np.zeros(who.size, np.int64)
    np.minimum.at(first, which, events)
    np.maximum.at(highest, which, keys)
    late = (first % CUSTOMER >= days.max() - _LATELY) & (highest <= min(_MAX_KEY, _ROOM * kept.events.size))
    low, high = (np.searchsorted(kept.events, bound * CUSTOMER) for bound in (who, who + 1))
    # Days of two time zones run against the clock by two at most: what lies before those stays as it stands, the others
    # are put in order with the new ones.
    middle = np.searchsorted(kept.events, first - _ZONES)
    before, beside = _places(low[late], middle[late]), _places(middle[late], high[late])
    ours = late[which]
    mixed = np.concatenate((kept.events[beside], events[ours]))
    mixed_keys = np.concatenate((kept.keys[beside].astype(np.int64), keys[ours]))
    since = pa.scalar(int((first[late] % CUSTOMER).min(initial=_EVER)) - _ZONES - _BEFORE_1970, pa.int32()).cast(
        pa.date32()
    )
    old_moments = _moments(files, since, kept.keys[beside])
    order = np.lexsort((mixed_keys, np.concatenate((old_moments, moments[ours])), mixed // CUSTOMER))
    whole = np.concatenate((kept.events[before], mixed[order]))
    whole_keys = np.concatenate((kept.keys[before], mixed_keys[order].astype(np.uint32)))
    places = np.argsort(whole // CUSTOMER, kind="stable")
    found = Chain(whole[places], whole_keys[places])
    return found, np.union1d(who[~late], against_the_clock(found.events))


def _places(low: IntArray, high: IntArray) -> IntArray:
    """All places from each of ``low`` up to, but not with, that of ``high``."""
    counts = high - low
    return np.repeat(low - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())


def _moments(files: Sequence[str], since: Any, keys: npt.NDArray[np.uint32]) -> IntArray:
    """When these interactions of that day or a later one were."""
    if not keys.size:
        return np.zeros(0, np.int64)
    late = ds.dataset(list(files), format="parquet").to_table(
        columns=["id", "occurred_at"], filter=ds.field("business_date") >= since
    )
    known, at = late["id"].to_numpy(), late["occurred_at"].cast(pa.int64()).to_numpy()
    order = np.argsort(known)
    return np.asarray(at[order[np.searchsorted(known, keys, sorter=order)]])


def _kept(files: frozenset[str]) -> _Kept | None:
    for folder in _folders():
        with suppress(OSError, ValueError, EOFError, KeyError):  # another process removes it, or a crash cut it short
            about = json.loads((folder / "about.json").read_text())
            if files.issuperset(about["files"]):
                events, keys = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("events", "keys"))
                merged, against = (np.load(folder / f"{name}.npy") for name in ("merged", "against"))
                highest, customers = about["highest"], about["customers"]
                return _Kept(frozenset(about["files"]), highest, customers, events, keys, merged, against)
    return None


def _folders() -> list[Path]:
    try:
        return [folder for folder in delta.path_of(delta.CHRONOLOGY).iterdir() if not folder.name.startswith(".")]
    except FileNotFoundError:
        return []


def _make(tables: Any, files: Sequence[str], merged: IntArray) -> Chronology | None:
    rows = tables.raw.interactions
    bounds = tables.arrow(
        rows.aggregate(customer=rows.customer_id.max(), low=rows.id.min(), high=rows.id.max(), count=rows.count())
    ).to_pylist()[0]
    # A question has a byte for each key that there may be.
    room = min(_MAX_KEY, _ROOM * bounds["count"])
    if bounds["low"] < 0 or bounds["high"] > room or bounds["customer"] > MAX_CUSTOMER:
        return None
    survivors = tables.raw.survivors
    if merged.size:
        joined = rows.left_join(survivors, rows.customer_id == survivors.customer_id)
        customer = joined.survivor_id.fill_null(joined.customer_id)
        rows = joined.select("id", "occurred_at", "business_date", customer_id=customer)
    found = tables.arrow(in_order(rows, key=rows.id.cast("uint32")))
    events, keys = (np.asarray(found[name].to_numpy()) for name in ("event", "key"))
    customers = int(np.count_nonzero(np.diff(events // CUSTOMER))) + 1
    against = against_the_clock(events)
    about = {"files": sorted(map(_name, files)), "highest": bounds["high"], "customers": customers}
    _keep(about, {"events": events, "keys": keys, "merged": merged, "against": against})
    return Chronology(Chain(events, keys), Chain(events[:0], keys[:0]), bounds["high"], against)


def _keep(about: dict[str, Any], columns: dict[str, npt.NDArray[Any]]) -> None:
    """In a folder that has its name once it is whole; others go, and stay readable for who has them open."""
    folder = delta.path_of(delta.CHRONOLOGY)
    made = folder / uuid4().hex
    work = folder / f".{made.name}"
    work.mkdir(parents=True)
    for name, column in columns.items():
        np.save(work / f"{name}.npy", column)
    (work / "about.json").write_text(json.dumps(about))
    work.rename(made)
    for other in folder.iterdir():
        if other != made:
            shutil.rmtree(other, ignore_errors=True)


def _merged(tables: Any) -> IntArray:
    found = tables.arrow(tables.raw.survivors.select("customer_id", "survivor_id"))
    record, survivor = (found[name].to_numpy().astype(np.int64) for name in ("customer_id", "survivor_id"))
    return np.sort(record * CUSTOMER + survivor)


def _surviving(records: IntArray, merged: IntArray) -> IntArray:
    if not merged.size:
        return records
    at = np.minimum(np.searchsorted(merged // CUSTOMER, records), merged.size - 1)
    return np.where(merged[at] // CUSTOMER == records, merged[at] % CUSTOMER, records)


def _name(file: str) -> str:
    return file.rsplit("/", 1)[-1]
