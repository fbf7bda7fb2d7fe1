"""The one rule language of the product: lists, segments, journey conditions, exclusions and conditional content.

One tree (:mod:`rondo.rules.tree`) with a text form (:func:`parse`, :func:`format_rule`), a JSON form
(:func:`from_json`, :func:`to_json`) and three compilers that agree: :func:`compile_q` for operational lists,
:func:`compile_ibis` for sets on the columnar copy, :func:`evaluate` for one customer, with the reasons. What rules can
speak of, rooms register on the ground floor; :func:`schema` gathers it. Grammar and meaning are in docs/rules.md.
"""

from typing import Any

from rondo.rules.checking import check, operators, parse
from rondo.rules.compiling import SegmentError, gone_behind, placed
from rondo.rules.django_q import compile_q
from rondo.rules.documents import from_json, json_schema, read_json, rule_hash, to_json
from rondo.rules.evaluation import Explanation, Found, evaluate
from rondo.rules.formatting import format_rule
from rondo.rules.problems import Problem, RuleError
from rondo.rules.records import EventRecord, PartRecord, Record, load_record
from rondo.rules.rewriting import with_values
from rondo.rules.schema import Context, Members, Schema, schema
from rondo.rules.tree import Node


def compile_ibis(node: Node, schema: Schema, context: Context, tables: Any) -> Any:
    """See :func:`rondo.rules.ibis_sets.compile_ibis`, which is imported when it is used: Ibis is slow to import."""
    from rondo.rules import ibis_sets

    return ibis_sets.compile_ibis(node, schema, context, tables)


def preview(node: Node, schema: Schema, context: Context, tables: Any, sample: int = 20) -> tuple[int, list[int]]:
    """See :func:`rondo.rules.ibis_sets.preview`."""
    from rondo.rules import ibis_sets

    return ibis_sets.preview(node, schema, context, tables, sample)


__all__ = [
    "Context",
    "EventRecord",
    "Explanation",
    "Found",
    "Members",
    "Node",
    "PartRecord",
    "Problem",
    "Record",
    "RuleError",
    "Schema",
    "SegmentError",
    "check",
    "compile_ibis",
    "compile_q",
    "evaluate",
    "format_rule",
    "from_json",
    "gone_behind",
    "json_schema",
    "load_record",
    "operators",
    "parse",
    "placed",
    "preview",
    "read_json",
    "rule_hash",
    "schema",
    "to_json",
    "with_values",
]
