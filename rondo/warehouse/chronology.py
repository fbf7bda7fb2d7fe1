"""The order of the chain: which interaction of a customer follows which, worked out once for many questions.

To put everybody's interactions in order is most of what a question for one thing after the other costs, and the order
of what has happened stays what it is. So it is kept in the folder of the copy, in three columns that are read without
being loaded: in the order of customers and, within each, of moments and keys, a number of customer and business day
(:func:`rondo.rules.sequences.in_order`) and the interaction's key. It has all rows of the files it was made of, also
what is retracted, hidden or in the bin: which of them count, the question says.

It holds as long as these files do: rows that come lie in files of their own, and files that were rewritten, as when
persons are erased, make it void. It says of whom it does not tell: of who has rows in other files, or was merged or
parted since. Where those are many, it is made anew, by the worker after a refresh, or else by who asks.
"""

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow.dataset as ds

from rondo.errors import StateError
from rondo.rules.sequences import CUSTOMER, MAX_CUSTOMER, IntArray, Steps, against_the_clock, in_order
from rondo.warehouse import delta
from rondo.warehouse.locks import exclusive

CHAIN = "interactions"
WORTH = 2**22
"""So many rows are put in order about as fast as they are looked up in an order of all."""
_FEW = 50
"""It is made anew where it does not tell of one in so many customers."""
_MAX_KEY = 2**32 - 1


@dataclass(frozen=True)
class Chronology:
    """``events`` and ``keys`` of interactions in order. ``highest``: of the keys. ``apart``: customers, as they are
    merged now, of whom it does not tell, in order."""

    events: IntArray
    keys: npt.NDArray[np.uint32]
    highest: int
    apart: IntArray

    def steps(self, keys: IntArray, steps: Steps) -> "_Placed":
        """The steps of those interactions that ``keys`` names, by their place in the order; others have none."""
        by_key = np.zeros(self.highest + 1, np.uint8)
        if keys.size and int(keys.max()) > self.highest:
            known = keys <= self.highest
            keys, steps = keys[known], steps[known]
        by_key[keys] = steps
        return _Placed(self.keys, by_key)


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
        except (StateError, OSError):  # who asks may read the copy alone; an engine can do without
            return None
    return found


def _still_good(files: Sequence[str], merged: IntArray) -> Chronology | None:
    """What is kept, if it is of these files and tells of nearly all customers."""
    kept = _kept(frozenset(map(_name, files)))
    if kept is None:
        return None
    apart = [kept.against]
    if new := [file for file in files if _name(file) not in kept.files]:
        theirs = ds.dataset(new, format="parquet").to_table(columns=["customer_id"])["customer_id"].to_numpy()
        apart.append(_surviving(np.unique(theirs), merged))
    changed = np.setxor1d(kept.merged, merged, assume_unique=True)
    apart += [changed // CUSTOMER, changed % CUSTOMER]
    told = np.unique(np.concatenate(apart))
    # Days that run against the clock are no better told by an order made anew.
    if (told.size - kept.against.size) * _FEW > kept.customers:
        return None
    return Chronology(kept.events, kept.keys, kept.highest, told)


def _kept(files: frozenset[str]) -> _Kept | None:
    for folder in _folders():
        with suppress(OSError, ValueError):  # another process removes it at this moment
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
    room = min(_MAX_KEY, 16 * bounds["count"])
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
    return Chronology(events, keys, bounds["high"], against)


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
