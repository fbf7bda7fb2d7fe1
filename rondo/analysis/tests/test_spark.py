"""DuckDB and a Spark cluster of two workers give the same facts, features, segments, cohorts and patterns of buying;
and whatever the analysis asks can be written for Spark, also where there is none."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples

from rondo.analysis.actions import run_analysis
from rondo.analysis.facts import fact_table, past
from rondo.analysis.features.table import feature_table
from rondo.analysis.next.lines import Lines, read_lines
from rondo.analysis.parts.buying import buying
from rondo.analysis.parts.cohorts import cohorts
from rondo.analysis.segments.profiles import profile
from rondo.analysis.tests.world import seeded_base
from rondo.campaigns.models import Exposure
from rondo.customers.queries import visible
from rondo.duplicates.actions import request_search
from rondo.duplicates.actions.searching import do_search
from rondo.duplicates.engine import Config
from rondo.duplicates.models import Pair
from rondo.duplicates.tests.world import plant
from rondo.foundation.actors import system
from rondo.interactions.models import OrderLine
from rondo.rules import Context, Members, RuleError, check, compile_ibis, format_rule, parse, schema
from rondo.rules.schema import Segment
from rondo.rules.tests.strategies import rules
from rondo.rules.tests.worlds import AS_OF, build
from rondo.rules.tree import Node
from rondo.warehouse.engines import cluster, dialect, duck
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import Tables, open_tables
from rondo.warehouse.tests import spark_cluster

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once,  # what engines make of the copy does not depend on the operational database
    # Spark leaves the closing of its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
AT_ONCE = 12
"""Rules asked in one query: a query costs Spark about as much as its answer."""


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster; the application on it and its processes end with the module's tests."""
    if reason := spark_cluster.missing():
        pytest.skip(f"No Spark: {reason}.")
    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch, spark_cluster.cluster(folder) as address:
        patch.setenv("SPARK_CONF_DIR", str(folder / "conf"))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        try:
            yield address
        finally:
            cluster.stop()


class Written(duck.Duck):
    """DuckDB that has every expression written for Spark too."""

    written = 0

    def keep(self, name: str, expression: Any) -> Any:
        self.write(expression)
        return super().keep(name, expression)

    def arrow(self, expression: Any) -> Any:
        self.write(expression)
        return super().arrow(expression)

    def write(self, expression: Any) -> None:
        assert dialect.compiler.to_sqlglot(expression.as_table()).sql("spark")
        Written.written += 1


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rondo.warehouse.tables.connect", Written)
    monkeypatch.setattr(Written, "written", 0)


def test_all_that_an_analysis_asks_can_be_written_for_spark(written: None) -> None:
    seeded_base(40)
    run_analysis(system())
    assert Written.written > 30


def test_rules_and_what_studies_ask_can_be_written_for_spark(written: None) -> None:
    build(6)
    refresh()
    with open_tables() as tables:
        figures(tables)
        segments(tables, random_rules(24))
        everybody = tables.arrow(tables.customers.id).to_numpy()
        profile(everybody[::2], schema(), tables)
    assert Written.written > 30


def test_both_engines_give_the_same_figures(spark: str, settings: Any) -> None:
    build(5)
    OrderLine.objects.filter(total__gt=0).update(discount=30, coupon_discount=10, match_discount=5)
    Exposure.objects.update(sent_on=AS_OF - timedelta(days=100))
    refresh()
    asked = random_rules(24)
    found = {}
    for engine in ("duckdb", spark):
        settings.RONDO_ENGINE = engine
        with open_tables() as tables:
            found[engine] = figures(tables) | segments(tables, asked)
    one, other = found.values()
    assert other.keys() == one.keys()
    for name, figure in one.items():
        assert other[name] == figure, name
    # The world has to have something to compare.
    names, _types, rows = one["facts"]
    assert len(rows) > 15
    assert [name for name in names if all(row[name] in (None, 0, "") for row in rows)] == []
    assert len({tuple(one[f"segment {number}"][1:]) for number in range(len(asked))}) > 10


def test_a_run_on_spark_finds_the_same(spark: str, settings: Any) -> None:
    seeded_base(30)
    runs = []
    for engine in ("duckdb", spark):
        settings.RONDO_ENGINE = engine
        runs.append(run_analysis(system()))
    one, other = runs
    assert (other.fingerprint, other.result_hash) == (one.fingerprint, one.result_hash)


def test_duplicates_found_by_workers_are_the_same(spark: str, settings: Any) -> None:
    plant(60)
    found = []
    for engine in ("duckdb", spark):
        settings.RONDO_ENGINE = engine
        Pair.objects.all().delete()
        search = do_search(request_search(system()).pk, Config(sampled=2e5))
        rows = Pair.objects.order_by("left_id", "right_id").values_list("left_id", "right_id", "agreement", "weight")
        found.append((search.results["candidates"], [(*row[:3], round(row[3], 9)) for row in rows]))
    assert found[1] == found[0]
    assert len(found[0][1]) > 4


def figures(tables: Tables) -> dict[str, Any]:
    """What the engine is asked for, by name, as the canonical export has it."""
    known = past(tables, AS_OF, "EUR")
    asked: dict[str, Callable[[], Any]] = {
        "facts": lambda: tables.arrow(fact_table(known).order_by("customer_id")),
        "features": lambda: tables.arrow(feature_table(known).order_by("customer_id")),
        "cohorts": lambda: cohorts(tables, known),
        "buying": lambda: buying(tables, known),
        "lines": lambda: sorted_lines(read_lines(tables, known)),
    }
    return {name: canonical(ask()) for name, ask in asked.items()}


def sorted_lines(lines: Lines) -> list[Any]:
    """Lines in an order of their own: engines give rows in any."""
    columns = (lines.customers[lines.customer], lines.basket, lines.products[lines.product], lines.day)
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def segments(tables: Tables, asked: list[Node]) -> dict[str, Any]:
    """The customers of each rule."""
    known = schema()
    some = visible(None).order_by("pk").values_list("pk", flat=True)[:3]
    named: dict[str, Segment] = {
        "hot": parse("value >= 10 or did purchase within 30 days", known),
        "list": Members(frozenset(some)),
        "outer": parse("in segment hot or in segment list", known),
    }
    context = Context(AS_OF, None, named.get)
    found: dict[str, Any] = {f"segment {number}": [format_rule(rule, known)] for number, rule in enumerate(asked)}
    for start in range(0, len(asked), AT_ONCE):
        tables_of = [
            compile_ibis(rule, known, context, tables).mutate(number=ibis.literal(start + place, "int64"))
            for place, rule in enumerate(asked[start : start + AT_ONCE])
        ]
        for row in tables.arrow(ibis.union(*tables_of).order_by("number", "customer_id")).to_pylist():
            found[f"segment {row['number']}"].append(row["customer_id"])
    return found


def random_rules(count: int) -> list[Node]:
    """So many rules, the same each time: on fields and facts, events, windows, sequences, links and segments."""
    known = schema()
    found: list[Node] = []

    @examples(
        max_examples=3 * count,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(rules(known, [person.public_id for person in visible(None).order_by("pk")[:7]]))
    def collect(raw: Node) -> None:
        with suppress(RuleError):  # links within links within links
            found.append(check(raw, known))

    collect()
    return found[-count:]


def canonical(found: Any) -> Any:
    """As in the canonical export: floats to nine decimals, everything else as it is; tables with their types."""
    if isinstance(found, pa.Table):
        rows = canonical(found.to_pylist())
        return [field.name for field in found.schema], [str(field.type) for field in found.schema], rows
    if isinstance(found, dict):
        return {key: canonical(value) for key, value in found.items()}
    if isinstance(found, list):
        return [canonical(value) for value in found]
    return round(found, 9) + 0.0 if isinstance(found, float) else found
