"""Series: figures of every customer that studies give, for rules to ask; in the operational store and in the copy.

The copy's table ``marks`` holds the scores of each series' latest studies; which of them counts says the operational
store, so that lists and sets change at the same moment.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q

from rondo.analysis.studies.models import Series, StudyCustomer
from rondo.analysis.studies.outcome import Found
from rondo.foundation.registry import RuleField, RuleSource, registries

LETTERS = "abcdefghijklmnopqrstuvwxyz"
"""How the groups of a series are called in rules."""


def _fields() -> Iterable[RuleField]:
    for row in Series.objects.select_related("study").order_by("key"):
        kind = registries.studies.get(row.study.kind)
        if kind is None or kind.series is None:
            continue
        label, meaning, names = kind.series(row.study)
        yield RuleField(
            row.key,
            label,
            "choice" if row.choices else "share",
            choices=tuple((LETTERS[number], names[number]) for number in range(row.choices)),
            meaning=meaning,
            group="facts",
            stored=_numbers if row.choices else None,
            source="series",
            column="score",
            copied="score",
            item=row.study_id,
        )


def _numbers(values: tuple[Any, ...], _viewer: int | None) -> list[Any]:
    return [float(LETTERS.index(value)) for value in values if value in LETTERS]


def _values(records: Sequence[int], fields: Sequence[RuleField]) -> dict[str, Any]:
    found = dict(
        StudyCustomer.objects.filter(customer_id=records[0], study_id__in=[field.item for field in fields]).values_list(
            "study_id", "score"
        )
    )
    return {field.key: found.get(field.item) for field in fields}


def _condition(field: RuleField, match: Any, as_set: bool) -> Q:
    rows = StudyCustomer.objects.filter(match.q("score"), study_id=field.item)
    return Q(pk__in=rows.values("customer_id")) if as_set else Q(Exists(rows.filter(customer_id=OuterRef("pk"))))


def _frame(tables: Any, field: RuleField) -> Any:
    if "marks" in tables.names:
        return tables.marks.filter(tables.marks.study == field.item)
    import ibis

    return ibis.memtable(_schema().empty_table())


registries.rule_sources.add("series", RuleSource("series", _fields, _values, frame=_frame, condition=_condition))


def _schema() -> Any:
    import pyarrow as pa

    return pa.schema(
        [("series", pa.string()), ("study", pa.int64()), ("customer_id", pa.int64()), ("score", pa.float64())]
    )


def copy_series(study: Any, key: str, found: Found) -> None:
    """Put the scores of a study into the copy, beside those of the study that is still served."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from rondo.warehouse import delta
    from rondo.warehouse.locks import exclusive

    with exclusive("marks"):
        served = Series.objects.values_list("study_id", flat=True)
        before = delta.existing("marks")
        parts = []
        if before is not None and before.file_uris():
            old = pq.read_table(before.file_uris(), schema=_schema())
            keep = pc.and_(
                pc.is_in(old["study"], pa.array(list(served), pa.int64())), pc.not_equal(old["study"], study.pk)
            )
            parts.append(old.filter(keep))
        count = found.customers.size
        columns = [
            pa.repeat(key, count),
            pa.repeat(pa.scalar(study.pk, pa.int64()), count),
            pa.array(found.customers, pa.int64()),
            pa.array(found.scores, pa.float64()),
        ]
        parts.append(pa.table(columns, schema=_schema()))
        table = pa.concat_tables(parts).combine_chunks()
        reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=65_536))
        delta.commit("marks", delta.Rows(reader, table.num_rows), replace=True, notes={"rondo.study": study.pk})
        delta.tidy("marks")
