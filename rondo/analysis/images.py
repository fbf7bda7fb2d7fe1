"""Rows as a small SQLite database in bytes, made column by column: what many rows are put into a table from at once.

Taking them one after the other, value by value, costs SQLite 15 µs for a row of 66 facts, and asks Python's lock back
for each. An image holds records as they will lie in the table, so that ``INSERT … SELECT`` copies each as it is. The
format is fixed and published (https://www.sqlite.org/fileformat2.html: pages in 1.6, records in 2.1). SQLite itself
makes the empty database; here its one table gets its pages.
"""

import sqlite3
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Numbers = npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]
Part = tuple[Bytes, Bytes]
"""Bytes, a line for each row, and how many of them, from the right end, are of the record."""

PAGE = 65_536
LARGEST = PAGE - 35
"""Bytes of the largest record that lies on one page."""
_LEAF, _INTERIOR, _LEAF_HEAD, _INTERIOR_HEAD = 13, 5, 8, 12
# Kinds of values in a record, and of whole numbers the magnitude from which the next kind is needed.
_NULL, _FLOAT, _ZERO, _TEXT = 0, 7, 8, 13
_BEYOND = np.array([1 << 7, 1 << 15, 1 << 23, 1 << 31, 1 << 47])
_KINDS, _WIDTHS = np.array([1, 2, 3, 4, 5, 6]), np.array([1, 2, 3, 4, 6, 8])
_DATE = 10


def image(create: str, rows: pa.Table) -> bytes | None:
    """A database with the table that ``create`` makes, filled with ``rows``: whole numbers, floats, dates and texts,
    the first column its integer key, without nulls. None where keys do not ascend from 0, or a row does not lie on one
    page.
    """
    empty, keys = _empty(create), rows.column(0).to_numpy()
    if not keys.size:
        return empty
    cells = _cells(rows, keys)
    ends = np.frombuffer(cells.buffers()[1], np.int32)[: len(cells) + 1].astype(np.int64)
    if (keys[1:] <= keys[:-1]).any() or (keys[:1] < 0).any() or (np.diff(ends) > LARGEST).any():
        return None
    starts = _starts(ends)
    records = memoryview(cells.buffers()[2])
    leaves = [_leaf(records, ends[first : stop + 1]) for first, stop in pairwise(starts)]
    if len(leaves) > 1:
        next_page = len(empty) // PAGE + 1
        leaves.insert(0, _interior(next_page, keys[np.array(starts[1:]) - 1].tolist()))
    head = bytearray(empty[:-PAGE])
    head[28:32] = (len(head) // PAGE + len(leaves)).to_bytes(4, "big")
    return b"".join([head, *leaves])


def _empty(create: str) -> bytes:
    """A database whose last page is the root of the table that ``create`` makes."""
    memory = sqlite3.connect(":memory:")
    try:
        memory.execute(f"PRAGMA page_size = {PAGE}")
        memory.execute(create)
        return memory.serialize()
    finally:
        memory.close()


def _starts(ends: npt.NDArray[np.int64]) -> list[int]:
    """The first row of each page, and one beyond the last: as many as fit, each with a pointer of two bytes."""
    taken = ends + 2 * np.arange(ends.size)
    starts = [0]
    while starts[-1] < ends.size - 1:
        room = int(taken[starts[-1]]) + PAGE - _LEAF_HEAD
        starts.append(int(np.searchsorted(taken, room, side="right")) - 1)
    return starts


def _leaf(records: memoryview, ends: npt.NDArray[np.int64]) -> bytes:
    """A page with the rows that lie between ``ends``."""
    first, stop = int(ends[0]), int(ends[-1])
    content = PAGE - (stop - first)
    return _page(bytes([_LEAF]), b"", content + ends[:-1] - first, records[first:stop])


def _interior(next_page: int, last: list[int]) -> bytes:
    """The root above pages that follow one another, by the last key of each."""
    cells = [
        (next_page + place).to_bytes(4, "big") + _varint(np.array([key]))[0].tobytes()
        for place, key in enumerate(last[:-1])
    ]
    sizes = np.cumsum([0, *map(len, cells)])
    right = (next_page + len(last) - 1).to_bytes(4, "big")
    return _page(bytes([_INTERIOR]), right, PAGE - int(sizes[-1]) + sizes[:-1], b"".join(cells))


def _page(kind: bytes, right: bytes, pointers: npt.NDArray[np.int64], content: Any) -> bytes:
    numbers = np.array([0, pointers.size, PAGE - len(content)], ">u2").tobytes()
    front = b"".join([kind, numbers, b"\0", right, pointers.astype(">u2").tobytes()])
    return b"".join([front, bytes(PAGE - len(front) - len(content)), content])


def _cells(rows: pa.Table, keys: npt.NDArray[np.int64]) -> pa.Array:
    """What a page holds of each row: length and key, then the record: the kinds of its values, and the values."""
    kinds: list[Numbers] = [np.zeros(rows.num_rows, np.uint8)]  # the key stands before the record
    body = np.zeros(rows.num_rows, np.int64)
    joined: list[pa.Array] = []
    waiting: list[Part] = []
    for column in rows.columns[1:]:
        array = column.combine_chunks()
        if pa.types.is_string(array.type):
            joined += [*_packed(waiting), array.fill_null("").cast(pa.binary())]
            waiting = []
            size = pc.binary_length(joined[-1]).to_numpy()
            kinds.append(np.where(_known(array), _TEXT + 2 * size, _NULL))
        else:
            kind, size, values = _fixed(array)
            kinds.append(kind)
            if width := int(size.max(initial=0)):
                waiting.append((values[:, values.shape[1] - width :], size))
        body += size
    joined += _packed(waiting)
    named = [_varint(kind) for kind in kinds]
    head = np.sum([size for _bytes, size in named], axis=0, dtype=np.int64)
    head += np.where(head < 127, 1, 2)  # its own length belongs to it
    front = _packed([_varint(head + body), _varint(keys), _varint(head), *named])
    return pc.binary_join_element_wise(*front, *joined, pa.scalar(b"", pa.binary()))


def _fixed(array: pa.Array) -> tuple[Numbers, Numbers, Bytes]:
    """Kind, bytes used, and bytes (at the right end) of each value of a column of numbers or dates."""
    known = _known(array)
    if pa.types.is_date(array.type):
        kind, size = np.full(len(array), _TEXT + 2 * _DATE), np.full(len(array), _DATE)
        texts = np.frombuffer(array.fill_null(0).cast(pa.string()).buffers()[2] or b"", np.uint8)
        values = texts[: len(array) * _DATE].reshape(-1, _DATE)
    elif pa.types.is_floating(array.type):
        numbers = array.fill_null(np.nan).to_numpy()
        known = ~np.isnan(numbers)  # as SQLite takes what is not a number
        kind, size = np.full(len(array), _FLOAT), np.full(len(array), 8)
        values = numbers.astype(">f8").view(np.uint8).reshape(-1, 8)
    else:
        whole = array.fill_null(0).to_numpy()
        place = np.searchsorted(_BEYOND, whole ^ (whole >> 63), side="right")
        small = (whole >> 1) == 0
        kind, size = np.where(small, _ZERO + whole, _KINDS[place]), np.where(small, 0, _WIDTHS[place])
        values = whole.astype(">i8").view(np.uint8).reshape(-1, 8)
    return np.where(known, kind, 0).astype(np.uint8), np.where(known, size, 0).astype(np.uint8), values


def _known(array: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(array.is_valid())


def _varint(values: Numbers) -> Part:
    """Whole numbers from 0 as SQLite writes lengths: seven bits a byte, the highest first."""
    groups = max(1, -(-int(values.max(initial=0)).bit_length() // 7))
    if groups == 1:
        return values.astype(np.uint8)[:, None], np.ones(values.size, np.uint8)
    found, size = np.empty((values.size, groups), np.uint8), np.ones(values.size, np.uint8)
    for group in range(groups):
        rest = values >> (7 * group)
        found[:, groups - 1 - group] = (rest & 127) | (128 if group else 0)
        size += (rest > 0) if group else 0
    return found, size


def _packed(parts: list[Part]) -> list[pa.Array]:
    """The bytes of each row in one column; none of no parts."""
    if not parts:
        return []
    rows, width = parts[0][1].size, sum(values.shape[1] for values, _size in parts)
    whole, mask, at = np.empty((rows, width), np.uint8), np.empty((rows, width), np.bool_), 0
    lengths = np.zeros(rows, np.int32)
    for values, size in parts:
        end = at + values.shape[1]
        whole[:, at:end] = values
        np.less_equal(np.arange(end - at, 0, -1, dtype=np.uint8), size[:, None], out=mask[:, at:end])
        lengths += size
        at = end
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return [pa.BinaryArray.from_buffers(pa.binary(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(whole[mask])])]


__all__ = ["LARGEST", "image"]
