"""From weights to probabilities: how many pairs are one person, how many live together, and how many are strangers.

With S the sum of the weights (bits) of what a household shares and O that of the rest, the odds of a pair are
lambda_m 2^(S+O) : lambda_h 2^S : lambda_u. The three shares of all pairs follow by expectation maximisation from the
counts of (S, O), which do not grow with the records.
"""

import math
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rondo.duplicates.engine.comparisons import Comparison

_STEP = 4
"""Weights are counted in quarters of a bit."""
_ROUNDS = 500


@dataclass(frozen=True)
class Prior:
    """Shares of all pairs: of one person, and of one household; ``expected`` pairs of one person among all."""

    match: float
    together: float
    expected: float

    @property
    def bits(self) -> float:
        """The weight that a pair has before anything is compared."""
        return math.log2(self.match / (1.0 - self.match - self.together))


def combined(prior: Prior, shared: float, own: float, person: bool = True) -> float:
    """The weight of a pair in bits, the binary logarithm of its odds: ``shared`` and ``own`` are S and O.

    >>> round(combined(Prior(1e-6, 2e-6, 0.0), shared=30.0, own=12.0), 1)
    11.0
    """
    rest = 1.0 - prior.match - prior.together
    together = prior.together / rest * 2.0**shared if person else 0.0
    return prior.bits + shared + own - math.log2(1.0 + together)


class Weighing:
    """Collects the weights of scored pairs, chunk by chunk."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, used: list[Comparison], records: int) -> None:
        self.connection, self.used, self.records = connection, used, records
        columns = ", ".join(f"{one.key}_level TINYINT, {one.key}_bits REAL" for one in used)
        connection.execute(
            f"CREATE TABLE weighed (l BIGINT, r BIGINT, person BOOLEAN, shared DOUBLE, own DOUBLE, {columns})"
        )
        connection.execute("CREATE TABLE counted (person BOOLEAN, shared INTEGER, own INTEGER, pairs BIGINT)")

    @property
    def floor(self) -> float:
        """Pairs of less weight than this (bits, before the prior) are counted, not kept."""
        return math.log2(max(self.records, 2)) - 6.0

    def scored(self, predicted: str) -> str:
        """The query over Splink's table of predictions that adds ``person``, ``shared`` and ``own``."""
        bits = {one.key: _bits(one) for one in self.used}
        shared = " + ".join(bits[one.key] for one in self.used if one.shared) or "0.0"
        own = " + ".join(bits[one.key] for one in self.used if not one.shared) or "0.0"
        return (
            f"SELECT p.*, k.kind = 'person' AS person, {shared} AS shared, {own} AS own "
            f"FROM {predicted} p JOIN records k ON k.id = p.id_l"
        )

    def add(self, predicted: str) -> None:
        """Take over Splink's table of predictions: counts of all its pairs, and the pairs that may be kept."""
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW scored AS {self.scored(predicted)}")
        self.connection.execute(f"INSERT INTO counted {COUNTED}")
        self.connection.execute(f"INSERT INTO weighed {weighed(self.used, self.floor)}")
        self.connection.execute("DROP VIEW scored")

    def take(self, table: str, rows: pa.Table) -> None:
        """Take over rows of ``counted`` or ``weighed`` that were worked out elsewhere."""
        self.connection.register("worked_out", rows)
        self.connection.execute(f"INSERT INTO {table} SELECT * FROM worked_out")
        self.connection.unregister("worked_out")


COUNTED = (
    f"SELECT person, CAST(round(shared * {_STEP}) AS INTEGER) AS shared, CAST(round(own * {_STEP}) AS INTEGER) AS own, "
    "count(*) AS pairs FROM scored GROUP BY 1, 2, 3"
)
"""The query for how many scored pairs there are of each weight, in steps."""


def weighed(used: list[Comparison], floor: float) -> str:
    """The query for the scored pairs of at least ``floor`` bits, with the level and weight of each comparison."""
    levels = ", ".join(
        f"CAST(CASE WHEN gamma_{one.key} < 0 THEN -1 ELSE {len(one.levels) - 1} - gamma_{one.key} END AS TINYINT) "
        f"AS {one.key}_level, CAST({_bits(one)} AS REAL) AS {one.key}_bits"
        for one in used
    )
    return f"SELECT id_l, id_r, person, shared, own, {levels} FROM scored WHERE shared + own >= {floor}"


def _bits(one: Comparison) -> str:
    adjusted = any(level.frequency for level in one.levels)
    return f"mw_{one.key}" + (f" + mw_tf_adj_{one.key}" if adjusted else "")


def shares(
    person: npt.NDArray[np.bool_],
    shared: npt.NDArray[np.float64],
    own: npt.NDArray[np.float64],
    pairs: npt.NDArray[np.float64],
    records: int,
) -> Prior:
    """The shares of all pairs that are one person and that live together, by expectation maximisation.

    Args:
        person: whether the pairs of a cell are people; only they live together without being one.
        shared, own: weights of a cell in bits. pairs: how many it has. records: how many records there are.
    """
    total = records * (records - 1) / 2.0
    least = 0.5 / total  # what was never seen is not impossible
    match, together = min(0.2, 1.0 / records), min(0.2, 1.0 / records)
    ceiling = 900.0
    as_match = np.exp2(np.minimum(shared + own, ceiling))
    as_together = np.where(person, np.exp2(np.minimum(shared, ceiling)), 0.0)
    for _round in range(_ROUNDS):
        odds_match, odds_together = match * as_match, together * as_together
        whole = odds_match + odds_together + (1.0 - match - together)
        new_match = max(least, min(0.4, float((pairs * odds_match / whole).sum()) / total))
        new_together = max(least, min(0.4, float((pairs * odds_together / whole).sum()) / total))
        moved = abs(math.log(new_match / match)) + abs(math.log(new_together / together))
        match, together = new_match, new_together
        if moved < 1e-6:
            break
    return Prior(match, together, match * total)


def weigh(weighing: Weighing, least: float, most: int) -> tuple[Prior, pa.Table]:
    """The prior, and the pairs from probability ``least`` on, the ``most`` probable ones, in that order."""
    connection = weighing.connection
    cells = connection.execute(
        "SELECT person, shared, own, sum(pairs)::DOUBLE AS pairs FROM counted GROUP BY ALL ORDER BY ALL"
    ).fetchnumpy()
    prior = shares(
        np.asarray(cells["person"], bool),
        np.asarray(cells["shared"], np.float64) / _STEP,
        np.asarray(cells["own"], np.float64) / _STEP,
        np.asarray(cells["pairs"], np.float64),
        weighing.records,
    )
    rest = 1.0 - prior.match - prior.together
    floor = math.log2(least / (1.0 - least))
    columns = ", ".join(f"{one.key}_level, {one.key}_bits" for one in weighing.used)
    table = connection.sql(
        f"""
        SELECT l AS "left", r AS "right", 1.0 / (1.0 + pow(2.0, -weight)) AS probability, weight,
            {prior.bits} AS prior, weight - shared - own - {prior.bits} AS together,
            one.print AS left_print, other.print AS right_print, {columns}
        FROM (
            SELECT *, shared + own + {prior.bits} - log2(1.0 +
                CASE WHEN person THEN {prior.together / rest} * pow(2.0, least(shared, 500.0)) ELSE 0.0 END) AS weight
            FROM weighed
        ) JOIN records one ON one.id = l JOIN records other ON other.id = r WHERE weight >= {floor}
        ORDER BY weight DESC, l, r LIMIT {most}
        """
    ).to_arrow_table()
    return prior, table
