"""Attributes in files: those that a file defines, how values are checked, given at first and stored."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import models
from django.utils.translation import gettext as _

from rondo.customers.actions.attributes import being_changed, hold
from rondo.customers.attribute_values import BAR, Type, column_of, offered, once, parse, unpack
from rondo.customers.definitions import may_see
from rondo.customers.models import AttributeDefinition, AttributeValue, Survivor
from rondo.errors import InputError, StateError
from rondo.foundation.loading import bulk
from rondo.foundation.loading.changes import quoted
from rondo.foundation.loading.fields import Field, FieldType, ImportOptions
from rondo.foundation.loading.job import LoadJob
from rondo.foundation.models import Load

PREFIX = "attribute:"
ATTRIBUTE_FIELDS: dict[str, FieldType] = {
    "text": "text",
    "number": "number",
    "date": "date",
    "choice": "choice",
    "multi": "text",
    "boolean": "boolean",
    "money": "money",
    "link": "text",
}
"""How the values of a type are read from a file; several choices and links are looked at once more."""
_BETWEEN = re.compile(r"[|;,\n]")


def fields_of(options: ImportOptions) -> dict[str, Field]:
    """``attribute:KEY`` for every attribute in use or to be defined.

    Raises:
        InputError: one to be defined is of no known type or form, or has the key of an archived one.
    """
    fields: dict[str, Field] = {}
    for definition in AttributeDefinition.objects.all():
        kind = ATTRIBUTE_FIELDS[definition.type]
        choices = tuple(offered(definition)) if kind == "choice" else ()
        fields[f"{PREFIX}{definition.key}"] = Field(kind, definition.label, choices=choices)
    archived = set(AttributeDefinition.everything.filter(key__in=options.define).values_list("key", flat=True))
    for key, (kind_name, form) in options.define.items():
        if kind_name not in AttributeDefinition.Type.values or form not in AttributeDefinition.Form.values:
            raise InputError(
                _("Attribute %(key)s=%(type)s:%(form)s: the type is one of %(types)s, the form one of %(forms)s.")
                % {
                    "key": key,
                    "type": kind_name,
                    "form": form,
                    "types": ", ".join(AttributeDefinition.Type.values),
                    "forms": ", ".join(AttributeDefinition.Form.values),
                }
            )
        if key in archived and f"{PREFIX}{key}" not in fields:
            raise InputError(
                _("%(key)s is the key of an archived attribute; put that back, or take another key.") % {"key": key}
            )
        # the choices of a new attribute are what the file holds
        staged: FieldType = "text" if kind_name == "choice" else ATTRIBUTE_FIELDS[kind_name]
        fields.setdefault(f"{PREFIX}{key}", Field(staged, key))
    return fields


class Attributes:
    """The attributes of one run: those that the file gives, and those that every new customer needs or gets."""

    def __init__(self, job: LoadJob) -> None:
        self.job = job
        self.known = {row.key: row for row in AttributeDefinition.objects.all()}

    @property
    def given(self) -> list[tuple[str, str]]:
        """Field and key of the attributes that the file gives."""
        return [(field, field.removeprefix(PREFIX)) for field in self.job.columns if field.startswith(PREFIX)]

    def check(self) -> None:
        """Before customers are matched: refuse what is no value, and unique values that stand in the file twice.

        Raises:
            InputError: an attribute that the actor does not see; StateError: one whose type is being changed.
        """
        for field, key in self.given:
            definition = self.known.get(key)
            if definition is not None and not may_see(self.job.actor.user, definition):
                raise InputError(_("Your role does not see the attribute %(key)s; leave it out.") % {"key": key})
            if definition is not None and definition.changing:
                raise being_changed(definition)
            kind = definition.type if definition is not None else self.job.options.define[key][0]
            if kind in (Type.MULTI, Type.LINK):
                self._normalise(field, definition or self._to_be(key, kind, field))
            if definition is not None and definition.unique:
                self._refuse_twice(field, definition)

    def _to_be(self, key: str, kind: str, field: str) -> AttributeDefinition:
        """A definition as the file will make it: its choices are what occurs."""
        values = self._distinct(field).to_pylist() if kind == Type.MULTI else []
        parts = sorted({" ".join(part.split()) for value in values for part in _BETWEEN.split(value) if part.strip()})
        return AttributeDefinition(key=key, type=kind, choices=[{"value": part, "en": part} for part in parts])

    def _distinct(self, field: str) -> pa.ChunkedArray:
        return self.job.query(f'SELECT DISTINCT "{field}" AS v FROM staged WHERE v IS NOT NULL').column(0)

    def _normalise(self, field: str, definition: AttributeDefinition) -> None:
        raw = self._distinct(field).to_pylist()
        values: list[str | None] = []
        reasons: list[str | None] = []
        for text in raw:
            try:
                values.append(str(parse(definition, text)[1]))
                reasons.append(None)
            except InputError as error:
                values.append(None)
                reasons.append(str(error))
        texts = {"raw": raw, "value": values, "reason": reasons}
        self.job.put("attribute_forms", pa.table({name: pa.array(some, pa.string()) for name, some in texts.items()}))
        self.job.refuse(
            f"SELECT s.line, '{field}' AS field, s.\"{field}\" AS value, f.reason FROM staged AS s "
            f'JOIN attribute_forms AS f ON f.raw = s."{field}" WHERE f.reason IS NOT NULL'
        )
        self.job.run(f'UPDATE staged SET "{field}" = f.value FROM attribute_forms AS f WHERE f.raw = staged."{field}"')

    def _refuse_twice(self, field: str, definition: AttributeDefinition) -> None:
        """Note of each value the form in which it may occur but once (table ``once_KEY``), and refuse later ones."""
        raw = self._distinct(field)
        said = pa.array([once(definition, _typed(definition, value)) for value in raw.to_pylist()], pa.string())
        table = f"once_{definition.key}"
        self.job.put(table, pa.table({"raw": raw, "said": said}))
        reason = quoted(_("stands in the file already, in line"))
        self.job.refuse(
            f"SELECT line, '{field}' AS field, raw AS value, {reason} || ' ' || first AS reason FROM ("
            "SELECT s.line, CAST(f.raw AS VARCHAR) AS raw, min(s.line) OVER (PARTITION BY f.said) AS first "
            f'FROM staged AS s JOIN "{table}" AS f ON f.raw = s."{field}") WHERE line > first'
        )

    def check_matched(self) -> None:
        """Once customers are matched: refuse new ones that lack what is required, and values that others have."""
        job = self.job
        for key, definition in self.known.items():
            if definition.required and not definition.default and may_see(job.actor.user, definition):
                field = f"{PREFIX}{key}"
                reason = quoted(_("is required of every new customer; give it a value"))
                empty = f's."{field}" IS NULL' if job.has(field) else "true"
                job.refuse(
                    f"SELECT s.line, '{field}' AS field, NULL AS value, {reason} AS reason FROM staged AS s "
                    f"JOIN matched AS m ON m.line = s.line WHERE m.state <> 'known' AND {empty}"
                )
        for field, key in self.given:
            if key in self.known and self.known[key].unique:
                self._refuse_taken(field, self.known[key])
        job.run("DELETE FROM matched WHERE line NOT IN (SELECT line FROM staged)")
        job.run("DELETE FROM row_identifiers WHERE line NOT IN (SELECT line FROM staged)")

    def _refuse_taken(self, field: str, definition: AttributeDefinition) -> None:
        job, table = self.job, f"once_{definition.key}"
        keys = job.query(f'SELECT DISTINCT said FROM "{table}" WHERE said IS NOT NULL').column(0).to_pylist()
        columns = ["unique_key", "customer_id", "load_id"]
        found = bulk.lookup(AttributeValue, "unique_key", keys, columns, definition_id=definition.pk)
        held = [(said, customer) for said, customer, load in found if load not in set(job.hidden)]
        roots = dict(bulk.lookup(Survivor, "customer_id", [one for _said, one in held], ["customer_id", "survivor_id"]))
        job.put(
            "held",
            pa.table(
                {
                    "said": pa.array([said for said, _one in held], pa.string()),
                    "holder": pa.array([one for _said, one in held], pa.int64()),
                    "root": pa.array([roots.get(one, one) for _said, one in held], pa.int64()),
                }
            ),
        )
        lines = (
            f'FROM staged AS s JOIN "{table}" AS f ON f.raw = s."{field}" JOIN held AS h ON h.said = f.said '
            "JOIN matched AS m ON m.line = s.line LEFT JOIN customer_roots AS r ON r.id = m.customer_id"
        )
        reason = quoted(_("belongs to another customer already and may occur but once"))
        job.refuse(
            f"SELECT s.line, '{field}' AS field, CAST(f.raw AS VARCHAR) AS value, {reason} AS reason {lines} "
            "WHERE h.root IS DISTINCT FROM CASE WHEN m.state = 'known' THEN coalesce(r.root, m.customer_id) END"
        )
        # A record merged into the customer has the value: it shows there already.
        job.run(f'UPDATE staged SET "{field}" = NULL WHERE line IN (SELECT s.line {lines} WHERE h.root <> h.holder)')

    def begin(self) -> None:
        """Make what is to be defined, and free values that runs taken back had said of unique attributes."""
        if self.job.options.define:
            self._define()
        self.known = {row.key: row for row in AttributeDefinition.objects.all()}
        unique = [row.pk for row in self.known.values() if row.unique]
        if unique and self.job.hidden:
            with self.job.chunk():
                rows = AttributeValue.objects.filter(definition_id__in=unique, load_id__in=self.job.hidden)
                rows.filter(unique_key__isnull=False).update(unique_key=None)

    def _define(self) -> None:
        job = self.job
        with job.chunk():
            for key, (kind, form) in job.options.define.items():
                choices: list[dict[str, Any]] = []
                if kind in ("choice", "multi") and job.has(f"{PREFIX}{key}"):
                    values = [str(value) for value in self._distinct(f"{PREFIX}{key}").to_pylist()]
                    parts = {part for value in values for part in (unpack(value) if kind == "multi" else [value])}
                    choices = [{"value": part, "en": part, "de": part} for part in sorted(parts)]
                definition, is_new = AttributeDefinition.objects.get_or_create(
                    key=key,
                    defaults={"label_en": key.replace("_", " "), "type": kind, "form": form, "choices": choices},
                )
                if is_new:
                    job.note(AttributeDefinition, [definition.pk])

    def hold(self, definitions: Iterable[AttributeDefinition]) -> None:
        """Let nobody change these until the chunk is written.

        Raises:
            StateError: one was changed since the run began.
        """
        wanted = {row.pk: row for row in definitions}
        hold(wanted)
        for row in AttributeDefinition.everything.filter(pk__in=wanted):
            if row.version != wanted[row.pk].version or row.changing or row.state != AttributeDefinition.State.STANDING:
                raise StateError(
                    _("The attribute %(key)s was changed while the import ran; start the import again.")
                    % {"key": row.key}
                )

    def of_new(self, rows: pa.Table) -> list[tuple[AttributeDefinition, Any]]:
        """The values of customers who are made: those of the file, else the default."""
        found: list[tuple[AttributeDefinition, Any]] = []
        for key, definition in self.known.items():
            field = f"{PREFIX}{key}"
            first = parse(definition, definition.default)[1] if definition.default else None
            if self.job.has(field):
                values = rows[field]
                if first is not None:
                    values = pc.fill_null(values, pa.scalar(_as_given(definition, first), values.type))
                found.append((definition, values))
            elif first is not None and len(rows):
                found.append((definition, pa.chunked_array([pa.array([first] * len(rows))])))
        self.hold(definition for definition, _values in found)
        return found


def _typed(definition: AttributeDefinition, value: Any) -> Any:
    """A staged value as it is stored."""
    return float(value) if isinstance(value, bool | int) else value


def _as_given(definition: AttributeDefinition, value: Any) -> Any:
    """A stored value as it is staged."""
    if definition.type == Type.BOOLEAN:
        return bool(value)
    return int(value) if definition.type == Type.MONEY else value


def stored_columns(definition: AttributeDefinition, values: Any) -> dict[str, Any]:
    """The columns of :class:`~rondo.customers.models.AttributeValue` for staged values of an attribute."""
    column = column_of(definition.type)
    stored = pc.cast(values, pa.float64()) if column == "number" else values
    columns = {column: stored}
    if definition.unique:
        columns["unique_key"] = pa.array([once(definition, value) for value in stored.to_pylist()], pa.string())
    return columns


def shown(definition: AttributeDefinition | None, value: Any) -> Any:
    """A stored or given value of an attribute, so that both compare: numbers as such, days and choices as text."""
    if isinstance(value, bool | int):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    several = isinstance(value, str) and (definition.type == Type.MULTI if definition else value.startswith(BAR))
    return ", ".join(unpack(value)) if several else value


def remove_definitions(load: Load, low: int, high: int) -> int:
    """Delete the attributes that a dead load defined, unless somebody came to use them; never waits."""
    used = models.Exists(AttributeValue.objects.filter(definition_id=models.OuterRef("pk")))
    keys = list(load.options.get("define", {}))
    AttributeDefinition.objects.filter(~used, pk__range=(low, high), key__in=keys).delete()
    return 0
