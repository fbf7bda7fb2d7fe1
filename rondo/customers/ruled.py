"""What rules can ask of customers: their own columns, their attributes, and whom they are linked to."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, BooleanField, Exists, F, Func, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.sql.compiler import SQLCompiler
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from rondo.customers.attribute_values import column_of
from rondo.customers.belonging import keys_in_circles, standing_links
from rondo.customers.consents import last_entries, standing
from rondo.customers.definitions import may_see
from rondo.customers.models import AttributeDefinition, AttributeValue, Consent, Customer, Link, Survivor
from rondo.customers.queries import all_attributes_of, record_ids, visible
from rondo.errors import StateError
from rondo.foundation import ids
from rondo.foundation.loads import shown
from rondo.foundation.models import User
from rondo.foundation.registry import RuleField, RuleLinks, RuleSource, registries

ATTRIBUTE_PREFIX = "attr."


class RecordOf(Func):
    """Whether a record is a surviving customer or was merged into it, written so that an index on it is used."""

    output_field = BooleanField()
    conditional = True
    arity = 2

    def _sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, pattern: str) -> tuple[str, Any]:
        record, owner = self.get_source_expressions()
        record_sql, record_params = compiler.compile(record)
        owner_sql, owner_params = compiler.compile(owner)
        table, survivor, customer = (
            connection.ops.quote_name(name) for name in (Survivor._meta.db_table, "survivor_id", "customer_id")
        )
        merged = f"SELECT {customer} FROM {table} WHERE {survivor} = {owner_sql}"
        sql = pattern.format(record=record_sql, owner=owner_sql, merged=merged)
        return sql, (*record_params, *owner_params, *owner_params)

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_context: Any) -> tuple[str, Any]:
        """A list of one and of those merged."""
        return self._sql(compiler, connection, "{record} IN (SELECT {owner} UNION ALL {merged})")

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_context: Any) -> tuple[str, Any]:
        """An array, which is looked up in the index where a subquery would be hashed."""
        return self._sql(compiler, connection, "{record} = ANY ({owner} || ARRAY({merged}))")


def belongs(column: str, owner: Any) -> Any:
    """The condition that the record in ``column`` is the customer ``owner`` or was merged into it."""
    return RecordOf(F(column), owner) if Survivor.objects.exists() else Q(**{column: owner})


def owner_of(column: str) -> Any:
    """The customer that the record in ``column`` is, or was merged into, as an expression of its row."""
    if not Survivor.objects.exists():
        return F(column)
    survivor = Survivor.objects.filter(customer_id=OuterRef(column)).values("survivor_id")
    return Coalesce(Subquery(survivor), F(column), output_field=BigIntegerField())


# Columns of the customer


def _keys_of_users(values: tuple[Any, ...], viewer: int | None) -> list[Any]:
    found = list(User.objects.filter(email__in=[v for v in values if v != "me"]).values_list("pk", flat=True))
    return [*found, viewer] if "me" in values and viewer is not None else found


def _keys_of_customers(values: tuple[Any, ...], _viewer: int | None) -> list[Any]:
    keys = [key for key in (ids.decode(Customer.PREFIX, value) for value in values) if key is not None]
    survivors = dict(Survivor.objects.filter(customer_id__in=keys).values_list("customer_id", "survivor_id"))
    return [survivors.get(key, key) for key in keys]


def _keys_of_circles(values: tuple[Any, ...], viewer: int | None) -> list[Any]:
    user = None if viewer is None else User.objects.filter(pk=viewer).first()
    return keys_in_circles(user, _keys_of_customers(values, viewer))


def _columns() -> Iterable[RuleField]:
    users = User.objects.filter(is_service=False).order_by("name", "email")
    people = tuple((user.email, str(user)) for user in users)
    own: dict[str, Any] = {"source": "customer", "group": "customer"}
    return (
        RuleField("name", _("Name"), "text", column="folded_name", folded=True, blank=True, **own),
        RuleField(
            "kind", _("Kind"), "choice", choices=tuple(Customer.Kind.choices), column="kind", copied="kind", **own
        ),
        RuleField(
            "owner",
            _("Owner"),
            "user",
            choices=people,
            stored=_keys_of_users,
            column="owner_id",
            copied="owner_id",
            **own,
        ),
        RuleField(
            "known_since",
            _("Customer since"),
            "date",
            meaning=_("The first day we know of; the relationship may be older."),
            column="known_since",
            copied="known_since",
            **own,
        ),
        RuleField(
            "imported_by",
            _("Import run"),
            "number",
            meaning=_("The number of the import that created the customer."),
            column="load_id",
            **own,
        ),
        RuleField("birth_date", _("Date of birth"), "date", column="birth_date", **own),
        RuleField(
            "id",
            _("Customer"),
            "id",
            meaning=_("Customers named one by one, by their public ids."),
            stored=_keys_of_customers,
            column="pk",
            copied="customer_id",
            **own,
        ),
        RuleField(
            "belongs_to",
            _("Household or company"),
            "id",
            meaning=_("A household or company, by its public id, and all who belong to it, directly or by others."),
            stored=_keys_of_circles,
            column="pk",
            copied="customer_id",
            **own,
        ),
    )


def _values(records: Sequence[int], fields: Sequence[RuleField]) -> dict[str, Any]:
    row = Customer.objects.filter(pk=records[0]).values(*{field.column for field in fields}).first() or {}
    return {field.key: row.get(field.column) for field in fields}


registries.rule_sources.add(
    "customer",
    RuleSource(
        "customer",
        _columns,
        _values,
        frame=lambda tables, _field: tables.customers.rename(customer_id="id"),
        rows=lambda: visible(None),
        customer="pk",
    ),
)


# Attributes

_COPIED = {"text": "", "link": "", "choice": "choice", "multi": "choice", "date": "day"}
_TYPES = {"multi": "choice", "link": "text"}
"""The type of rules that a type of attributes is, where it is not its own."""


MAX_TEXTS = 10_000
"""Free texts are compared folded by looking at all that occur, which has to stay a short list."""


def _texts(definition: AttributeDefinition) -> list[str]:
    rows = AttributeValue.objects.filter(shown(), definition=definition, text__isnull=False).order_by()
    found = list(rows.values_list("text", flat=True).distinct()[: MAX_TEXTS + 1])
    if len(found) > MAX_TEXTS:
        raise StateError(
            gettext(
                "“%(field)s” has more than %(limit)d different texts, too many for a condition; make it a choice, or "
                "ask only whether it is known."
            )
            % {"field": definition.label, "limit": MAX_TEXTS}
        )
    return [str(text) for text in found]


def _truth(values: tuple[Any, ...], _viewer: int | None) -> list[Any]:
    return [float(value) for value in values]


def _hidden(definition: AttributeDefinition, viewer: User) -> bool:
    return not may_see(viewer, definition)


def _attributes() -> Iterable[RuleField]:
    german = (get_language() or "").startswith("de")
    for definition in AttributeDefinition.objects.all():
        kind = definition.type
        choices: tuple[tuple[str, Any], ...] = ()
        if definition.has_choices:
            choices = tuple(
                (str(c["value"]), str((german and c.get("de")) or c.get("en") or c["value"]))
                for c in definition.choices
            )
        elif kind == AttributeDefinition.Type.BOOLEAN:
            choices = (("yes", _("yes")), ("no", _("no")))
        yield RuleField(
            ATTRIBUTE_PREFIX + definition.key,
            definition.label,
            _TYPES.get(kind, kind),  # type: ignore[arg-type]  # the other types of attributes are types of rules
            choices=choices,
            meaning=AttributeDefinition.Form(definition.form).label,
            group="attributes",
            stored=_truth if kind == AttributeDefinition.Type.BOOLEAN else None,
            vocabulary=partial(_texts, definition) if _TYPES.get(kind, kind) == "text" else None,
            several=kind == AttributeDefinition.Type.MULTI,
            hidden_from=partial(_hidden, definition) if definition.visible_to is not None else None,
            source="attribute",
            column=column_of(kind),
            copied=_COPIED.get(kind, "number"),
            item=(definition.pk, definition.key),
            alias=definition.key,
        )


def _attribute_condition(field: RuleField, match: Any, as_set: bool) -> Q:
    """The survivor's own value counts, else that of the merged record entered first."""
    values = AttributeValue.objects.filter(shown(), definition_id=field.item[0])
    fitting = values.filter(match.q(field.column))
    own = Q(pk__in=fitting.values("customer_id")) if as_set else Q(Exists(fitting.filter(customer_id=OuterRef("pk"))))
    if not Survivor.objects.exists():
        return own
    path = "customer__survivor_row__survivor_id"
    earlier = values.filter(**{path: OuterRef(OuterRef("pk"))}, customer_id__lt=OuterRef("customer_id"))
    inherited = fitting.filter(~Exists(earlier), **{path: OuterRef("pk")})
    merged = Q(pk__in=Survivor.objects.values("survivor_id"))
    return own | (merged & ~Q(Exists(values.filter(customer_id=OuterRef("pk")))) & Q(Exists(inherited)))


_merged: "WeakKeyDictionary[Any, bool]" = WeakKeyDictionary()


def _attribute_frame(tables: Any, field: RuleField) -> Any:
    rows = tables.attributes
    rows = rows.filter(rows.key == field.item[1])
    if tables not in _merged:
        _merged[tables] = tables.arrow(tables.survivors.limit(1)).num_rows > 0
    if not _merged[tables]:
        return rows
    import ibis

    # The survivor's own value first, then by the key of the record.
    order = ibis.window(group_by="customer_id", order_by=[rows.record_id != rows.customer_id, rows.record_id])
    ranked = rows.mutate(place=ibis.row_number().over(order))
    return ranked.filter(ranked.place == 0)


def _attribute_values(records: Sequence[int], fields: Sequence[RuleField]) -> dict[str, Any]:
    found = {row.definition_id: row for row in all_attributes_of(records)}
    return {
        field.key: getattr(found[field.item[0]], field.column) if field.item[0] in found else None for field in fields
    }


registries.rule_sources.add(
    "attribute",
    RuleSource(
        "attribute",
        _attributes,
        _attribute_values,
        frame=_attribute_frame,
        condition=_attribute_condition,
    ),
)


# Consents


def _consents() -> Iterable[RuleField]:
    states = tuple(choice for choice in Consent.State.choices if choice[0] != Consent.State.UNKNOWN)
    for purpose, aim in Consent.Purpose.choices:
        for channel, label in Consent.Channel.choices:
            usual = purpose == Consent.Purpose.MARKETING
            yield RuleField(
                f"consent.{channel}" if usual else f"consent.{channel}_{purpose}",
                gettext("Consent: %(channel)s, %(purpose)s") % {"channel": label, "purpose": aim},
                "choice",
                choices=states,
                meaning=_("The last entry; not known where the customer never said. Not known is no consent."),
                group="customer",
                source="consent",
                column="state",
                copied="state",
                item=(channel, purpose),
            )


def _consent_condition(field: RuleField, match: Any, _as_set: bool) -> Q:
    return Q(pk__in=last_entries(*field.item).filter(match.q(field.column)).values("customer_meant"))


def _consent_frame(tables: Any, field: RuleField) -> Any:
    import ibis

    if "consents" not in tables.names:
        raise StateError(
            gettext("The columnar copy has no %(tables)s yet; run “rondo warehouse refresh” first.")
            % {"tables": "consents"}
        )
    channel, purpose = field.item
    rows = tables.consents
    rows = rows.filter((rows.channel == channel) & (rows.purpose == purpose))
    order = ibis.window(group_by="customer_id", order_by=[rows.at.desc(), rows.id.desc()])
    ranked = rows.mutate(place=ibis.row_number().over(order))
    return ranked.filter((ranked.place == 0) & (ranked.state != Consent.State.UNKNOWN))


def _consent_values(records: Sequence[int], fields: Sequence[RuleField]) -> dict[str, Any]:
    found = {one.key: one.last.state for one in standing(records)}
    return {field.key: found.get(field.item) for field in fields}


registries.rule_sources.add(
    "consent",
    RuleSource("consent", _consents, _consent_values, frame=_consent_frame, condition=_consent_condition),
)


# Links


def _ends(direction: str) -> tuple[str, str]:
    return ("subject", "object") if direction == "to" else ("object", "subject")


def _link_condition(role: str, direction: str, others: QuerySet[Any]) -> Q:
    here, there = _ends(direction)
    links = standing_links().alias(other=Coalesce(f"{there}__survivor_row__survivor_id", f"{there}_id"))
    links = links.filter(belongs(f"{here}_id", OuterRef("pk")), ~Q(other=OuterRef("pk")))
    if role != "any":
        links = links.filter(role=role)
    return Q(Exists(links.filter(other__in=others.order_by().values("pk"))))


def _link_frame(tables: Any, role: str, direction: str) -> Any:
    here, there = _ends(direction)
    if "links" not in tables.names:
        raise StateError(
            gettext("The columnar copy has no %(tables)s yet; run “rondo warehouse refresh” first.")
            % {"tables": "links"}
        )
    rows = tables.links
    if role != "any":
        rows = rows.filter(rows.role == role)
    for end, name in ((here, "customer_id"), (there, "other_id")):
        merged = tables.survivors.select(**{f"{end}_was": "customer_id", f"{end}_is": "survivor_id"})
        rows = rows.left_join(merged, rows[f"{end}_id"] == merged[f"{end}_was"])
        rows = rows.mutate(**{name: rows[f"{end}_is"].fill_null(rows[f"{end}_id"])})
    return rows.filter(rows.customer_id != rows.other_id)


def _linked(records: Sequence[int], role: str, direction: str) -> list[int]:
    here, there = _ends(direction)
    links = standing_links().filter(**{f"{here}_id__in": records})
    if role != "any":
        links = links.filter(role=role)
    others = set(links.values_list(f"{there}_id", flat=True))
    survivors = dict(Survivor.objects.filter(customer_id__in=others).values_list("customer_id", "survivor_id"))
    ends = {survivors.get(key, key) for key in others} - {records[0]}
    return sorted(visible(None).filter(pk__in=ends).values_list("pk", flat=True))


registries.rule_links.add(
    "links",
    RuleLinks(
        roles=lambda: Link.Role.choices,
        condition=_link_condition,
        frame=_link_frame,
        load=_linked,
        records=record_ids,
    ),
)
