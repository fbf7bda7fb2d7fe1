"""Tags that a run gives every row: they come to those a customer has, where a column of tags replaces them."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _

from rondo.customers.attribute_values import LONGEST, Type, pack, unpack
from rondo.customers.models import AttributeDefinition, AttributeValue
from rondo.foundation.loading import bulk
from rondo.foundation.loading.changes import quoted
from rondo.foundation.loading.job import LoadJob


def with_those_held(job: LoadJob, definition: AttributeDefinition, customers: Any, given: Any) -> Any:
    """The values to be stored for ``customers`` (Arrow, as ``given``): those given; of tags for every row, with those
    that the customer has."""
    if definition.type != Type.MULTI or f"attribute:{definition.key}" not in job.options.constants:
        return given
    columns = ["customer_id", "text", "load_id"]
    found = bulk.lookup(AttributeValue, "customer_id", customers.to_pylist(), columns, definition_id=definition.pk)
    hidden = set(job.hidden)
    held = {customer: text for customer, text, load in found if load not in hidden}
    both = zip(customers.to_pylist(), given.to_pylist(), strict=True)
    packed = [pack(definition, [*unpack(held.get(customer)), *unpack(tags)]) for customer, tags in both]
    return pa.chunked_array([pa.array(packed, pa.string())])


def refuse_overfull(job: LoadJob, definitions: Mapping[str, AttributeDefinition]) -> None:
    """Refuse rows of known customers who have so many tags that those for every row find no room beside them."""
    if job.options.on_match != "update":
        return
    for field in job.options.constants:
        definition = definitions.get(field.removeprefix("attribute:")) if field.startswith("attribute:") else None
        if definition is None or definition.type != Type.MULTI:
            continue
        rows = job.query(
            f'SELECT s.line, coalesce(r.root, m.customer_id) AS customer, s."{field}" AS tags FROM staged AS s '
            "JOIN matched AS m ON m.line = s.line LEFT JOIN customer_roots AS r ON r.id = m.customer_id "
            "WHERE m.state = 'known'"
        )
        values = with_those_held(job, definition, rows["customer"], rows["tags"]).to_pylist()
        full = [line for line, value in zip(rows["line"].to_pylist(), values, strict=True) if len(value) > LONGEST]
        job.put("overfull", pa.table({"line": pa.array(full, pa.int64())}))
        reason = quoted(_("find no room beside those that the customer has"))
        job.refuse(
            f"SELECT s.line, '{field}' AS field, s.\"{field}\" AS value, {reason} AS reason FROM staged AS s "
            "JOIN overfull AS o ON o.line = s.line"
        )
        for table in ("matched", "row_identifiers"):
            job.run(f"DELETE FROM {table} WHERE line IN (SELECT line FROM overfull)")
