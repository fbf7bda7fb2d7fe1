"""From records to pairs: u by random sampling, m by expectation maximisation, weights, and what living together means.

The model is that of Fellegi and Sunter (1969), estimated without labels by Splink; two things are added to it. Shares
m are drawn to usual ones by as many imagined pairs as :attr:`Config.imagined`, so that little data does not lead to
weights without end. And people of one household agree on name, address and telephone without being one person: they
are a third kind of pair beside matches and strangers.
"""

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute

from rondo.duplicates.engine.blocking import block
from rondo.duplicates.engine.comparisons import COMPARISONS, Comparison, settings_of
from rondo.duplicates.engine.nothing import NothingToCompare
from rondo.duplicates.engine.records import prepare
from rondo.duplicates.engine.weighing import Prior, Weighing, weigh

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Config:
    """How duplicates are looked for. ``least``: pairs are kept from this probability on."""

    least: float = 0.05
    fewest: int = 20
    """A comparison is made if at least so many records have its column."""
    block: int = 60
    chunk: int = 2_000_000
    sampled: float = 2e6
    trained: float = 1e6
    imagined: float = 20.0
    most: int = 200_000
    """At most so many pairs are kept: the most probable ones."""
    seed: int = 20_250_101
    salt: str = ""
    """Goes into the digests of what was compared, so that nobody can try values against them."""
    memory: str = ""
    threads: int = 0


@dataclass(frozen=True)
class LevelFound:
    """A level of a comparison: shares ``m`` of pairs of one person and ``u`` of strangers, and its weight in bits."""

    key: str
    m: float
    u: float
    bits: float


@dataclass(frozen=True)
class ComparisonFound:
    """A comparison as estimated: ``records`` have its column; ``learnt`` pairs of one person taught its shares m."""

    key: str
    records: int
    learnt: float
    levels: tuple[LevelFound, ...]


@dataclass(frozen=True)
class Found:
    """What was found: ``pairs`` (left, right, probability, weight, prior, together, digests left_print and right_print
    of what was compared; per comparison KEY_level, the place of its level or -1, and KEY_bits), the model, and what was
    looked at. ``missing`` are comparisons that the records do not allow; ``have`` is how many records have what."""

    pairs: pa.Table
    comparisons: tuple[ComparisonFound, ...]
    missing: tuple[str, ...]
    prior: Prior
    records: int
    candidates: int
    left_out: int
    have: dict[str, int]
    settings: dict[str, Any] = field(repr=False)

    def at(self, least: float) -> set[tuple[int, int]]:
        """The pairs (left, right) whose probability is ``least`` or more."""
        kept = self.pairs.filter(pa.compute.greater_equal(self.pairs["probability"], least))
        return set(zip(kept["left"].to_pylist(), kept["right"].to_pylist(), strict=True))


_SESSIONS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("given", "family"), "l.given = r.given AND l.family = r.family"),
    (("birth",), "l.birth = r.birth"),
    (("mail",), "l.mail = r.mail"),
    (("given", "street"), "l.given = r.given AND l.street = r.street"),
    (("given", "city"), "l.given = r.given AND l.postal = r.postal"),
)
"""Blockings of the training: the comparisons each needs, and its condition. What a blocking uses, others teach.

No blocking is by what people of one household share alone: their pairs would be taken for matches."""

_ROUNDS = (50, 12, 4)
"""So many rounds of expectation maximisation at most; fewer where that many end in nothing."""


def link(
    rows: "pa.Table | pa.RecordBatchReader",
    config: Config | None = None,
    report: Report = lambda *_: None,
    cluster: Any = None,
) -> Found:
    """Find the pairs of ``rows`` (columns :data:`~rondo.duplicates.engine.records.RECORDS`) that are probably one.

    All is done in memory: no file is written, also none of what does not fit (then DuckDB's error says so). With
    ``cluster``, a Spark session, its workers find and score the pairs; what they spill is theirs to keep
    (docs/duplicates.md).

    Raises:
        NothingToCompare: fewer than two records, or nothing to compare them by.
    """
    config = config or Config()
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET temp_directory = ''")
        if config.memory:
            connection.execute("SET memory_limit = ?", [config.memory])
        if config.threads:
            connection.execute("SET threads = ?", [config.threads])
        report("prepare", 0, 1)
        count = prepare(connection, rows, config.salt)
        return _Linking(connection, config, report, count, cluster).run()


class _Linking:
    """One search. Splink's own tables live in ``connection`` and go with it."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, config: Config, report: Report, records: int, cluster: Any
    ) -> None:
        self._connection, self._config, self._report, self._records = connection, config, report, records
        self._cluster = cluster
        self._have = self._counted()
        self._used = [one for one in COMPARISONS if self._have[one.key] >= min(config.fewest, max(2, records // 2))]
        if records < 2 or not any(one.key in {"given", "family", "mail", "phone"} for one in self._used):
            raise NothingToCompare(records, self._have)

    def _counted(self) -> dict[str, int]:
        columns = ", ".join(f"count({one.column})" for one in COMPARISONS)
        row = self._connection.execute(f"SELECT {columns} FROM records").fetchall()[0]
        return {one.key: int(count) for one, count in zip(COMPARISONS, row, strict=True)}

    def run(self) -> Found:
        self._report("pairs", 0, 1)
        with self._workers() as workers:
            if workers is None:
                candidates, left_out = block(self._connection, self._used, self._config.block)
            else:
                candidates, left_out = workers.block(self._used, self._config.block)
            self._report("estimate", 0, 2)
            settings = self._sampled()
            self._report("estimate", 1, 2)
            settings, learnt = self._taught(settings)
            weighing = Weighing(self._connection, self._used, self._records)
            self._report("compare", 0, candidates)
            if candidates and workers is None:
                self._score(settings, candidates, weighing)
            elif candidates:
                workers.score(settings, weighing)
            self._report("compare", candidates, candidates)
        prior, pairs = weigh(weighing, self._config.least, self._config.most)
        return Found(
            pairs,
            tuple(self._told(one, settings, learnt) for one in self._used),
            tuple(one.key for one in COMPARISONS if one not in self._used),
            prior,
            self._records,
            candidates,
            left_out,
            self._have,
            settings,
        )

    @contextmanager
    def _workers(self) -> Iterator[Any]:
        """The workers of the cluster with the records in their memory, for the time of a block; None without one."""
        if self._cluster is None:
            yield None
            return
        from rondo.duplicates.engine.spark import Workers

        workers = Workers(self._cluster, self._connection.sql("SELECT * FROM records").to_arrow_table())
        try:
            yield workers
        finally:
            workers.close()

    # Estimation

    def _linker(self, settings: dict[str, Any]) -> Any:
        from splink import DuckDBAPI, Linker

        api = DuckDBAPI(connection=self._connection)
        return Linker(api.register("records"), settings, log_level=logging.ERROR, validate_settings=False)

    def _sampled(self) -> dict[str, Any]:
        """Settings with u. A level that chance never shows gets half a pair of what was sampled."""
        linker = self._linker(
            {
                "link_type": "dedupe_only",
                "unique_id_column_name": "id",
                "comparisons": [settings_of(one) for one in self._used],
                "blocking_rules_to_generate_predictions": [],
                "probability_two_random_records_match": min(0.5, 1.0 / self._records),
                "retain_matching_columns": True,
                "retain_intermediate_calculation_columns": True,
                "max_iterations": 50,
            }
        )
        linker.training.estimate_u_using_random_sampling(max_pairs=self._config.sampled, seed=self._config.seed)
        settings: dict[str, Any] = linker.misc.save_model_to_json()
        pairs = min(self._config.sampled, self._records * (self._records - 1) / 2)
        for one, made in zip(self._used, settings["comparisons"], strict=True):
            levels = made["comparison_levels"][1:]
            equal = self._chance_of_equality(one)
            for level, spec in zip(levels, one.levels, strict=True):
                share = level.get("u_probability")
                if not isinstance(share, float):
                    share = 0.5 / pairs
                if spec.frequency and spec.condition == f"{spec.frequency}_l = {spec.frequency}_r" and equal:
                    share = equal
                level["u_probability"] = max(share, 0.5 / pairs)
                level["m_probability"] = spec.usual
        return settings

    def _chance_of_equality(self, one: Comparison) -> float | None:
        """The exact chance that two records agree on the column of ``one``: the sum over its values."""
        column = one.levels[0].frequency
        if not column or one.levels[0].condition != f"{column}_l = {column}_r":
            return None
        row = self._connection.execute(
            f"SELECT sum(n * (n - 1.0)), sum(n) FROM (SELECT count(*)::DOUBLE AS n FROM records "
            f"WHERE {column} IS NOT NULL GROUP BY {column})"
        ).fetchall()[0]
        if not row[0]:
            return None
        return float(row[0]) / (float(row[1]) * (float(row[1]) - 1.0))

    def _taught(self, settings: dict[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
        """Settings with m, and from how many pairs of one person each comparison learnt it.

        What several blockings teach is weighted by their pairs of one person.
        """
        learnt = {one.key: 0.0 for one in self._used}
        sums = {one.key: [0.0] * len(one.levels) for one in self._used}
        there = set(learnt)
        for needs, condition in _SESSIONS:
            if not there.issuperset(needs) or (pairs := self._pairs_of(condition)) < self._config.fewest:
                continue
            model = self._trained(settings, condition, pairs)
            if model is None:
                continue
            matches = min(pairs * float(model.probability_two_random_records_match), self._config.trained)
            for taught in model.comparisons:
                key = taught.output_column_name
                learnt[key] += matches
                levels = [level.m_probability for level in taught.comparison_levels if not level.is_null_level]
                for place, share in enumerate(levels):
                    # A level that no pair of the blocking shows has no share, but words that say so.
                    sums[key][place] += matches * share if isinstance(share, float) else 0.0
        for one, made in zip(self._used, settings["comparisons"], strict=True):
            drawn = _drawn(one, sums[one.key], self._config.imagined)
            for level, share in zip(made["comparison_levels"][1:], drawn, strict=True):
                level["m_probability"] = share
        return settings, learnt

    def _trained(self, settings: dict[str, Any], condition: str, pairs: int) -> Any:
        """The model that expectation maximisation finds within a blocking; None where it finds none.

        A share that vanishes altogether ends it with an error; it is then ended earlier, where all are still there.
        """
        from splink.internals.exceptions import EMTrainingException

        for rounds in _ROUNDS:
            linker = self._linker(settings | {"max_iterations": rounds})
            try:
                session = linker.training.estimate_parameters_using_expectation_maximisation(
                    condition,
                    estimate_without_term_frequencies=True,
                    max_pairs=self._config.trained if pairs > self._config.trained else None,
                )
            except (ValueError, ZeroDivisionError):
                continue
            except EMTrainingException:  # the sample of the blocking holds no pair
                return None
            return session.core_model_settings
        return None

    def _pairs_of(self, condition: str) -> int:
        columns = [part.split(" = ")[0][2:] for part in condition.split(" AND ")]
        row = self._connection.execute(
            "SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*)::DOUBLE AS n FROM records WHERE "
            + " AND ".join(f"{column} IS NOT NULL" for column in columns)
            + f" GROUP BY {', '.join(columns)})"
        ).fetchall()[0]
        return int(row[0] or 0)

    # Scoring

    def _score(self, settings: dict[str, Any], candidates: int, weighing: Weighing) -> None:
        linker = self._linker(settings)
        api = linker._db_api
        for start in range(0, candidates, self._config.chunk):
            self._report("compare", start, candidates)
            name = f"chunk_{start}"
            self._connection.execute(
                f"CREATE TABLE {name} AS SELECT '0' AS match_key, join_key_l, join_key_r FROM candidates "
                f"WHERE rowid >= {start} AND rowid < {start + self._config.chunk}"
            )
            linker.table_management.register_blocked_pairs_for_predict(api.register(name, table_name=f"of_{name}"))
            predicted = linker.inference.predict(warning_mode="never")
            weighing.add(predicted.physical_name)
            predicted.drop_table_from_database_and_remove_from_cache()
            self._connection.execute(f"DROP TABLE {name}")

    def _told(self, one: Comparison, settings: dict[str, Any], learnt: dict[str, float]) -> ComparisonFound:
        made = next(row for row in settings["comparisons"] if row["output_column_name"] == one.key)
        levels = tuple(
            LevelFound(
                spec.key,
                level["m_probability"],
                level["u_probability"],
                math.log2(level["m_probability"] / level["u_probability"]),
            )
            for spec, level in zip(one.levels, made["comparison_levels"][1:], strict=True)
        )
        return ComparisonFound(one.key, self._have[one.key], learnt[one.key], levels)


def _drawn(one: Comparison, sums: list[float], imagined: float) -> list[float]:
    """Shares m out of the pairs found at each level (``sums``) and ``imagined`` pairs at the usual shares."""
    weights = [found + level.usual * imagined for found, level in zip(sums, one.levels, strict=True)]
    total = sum(weights)
    return [weight / total for weight in weights]
