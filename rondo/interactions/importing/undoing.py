"""Taking an import back: its rows are hidden at once by the run's status, what others came to need is kept, and fields
that it changed are restored where nobody changed them since."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.catalogue.models import Product
from rondo.customers import names
from rondo.customers.actions.gate import hold_all, one_at_a_time
from rondo.customers.actions.picking import let_follow, showing
from rondo.customers.changed import mark, mark_gone
from rondo.customers.models import Address, AttributeValue, Consent, Customer, Identifier, Link, Merge
from rondo.errors import InputError, PermissionRefused, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.holdings import MARK
from rondo.foundation.loading.changes import same_value
from rondo.foundation.models import AuditEntry, Load
from rondo.foundation.registry import registries
from rondo.foundation.rights import owned
from rondo.interactions.changed import note_load
from rondo.interactions.importing.locking import exclusive
from rondo.interactions.models import Interaction
from rondo.interactions.splitting.moving import retract_moved

_TYPES: dict[str, type[models.Model]] = {
    "customer": Customer,
    "address": Address,
    "attribute": AttributeValue,
    "product": Product,
}


class Undone(NamedTuple):
    """What an undo did: rows kept because later rows need them, fields restored, and records changed since (left)."""

    kept: dict[str, int]
    restored: int
    left: int


def _type_of(record_type: str) -> type[models.Model] | None:
    if record_type in _TYPES:
        return _TYPES[record_type]
    found = (table.model for table in registries.loaded_tables if table.model.__name__.lower() == record_type)
    return next(found, None)


def undo(actor: Actor, load_id: int) -> Load:
    """Take an import back: retract its contacts and orders, hide what it created, restore what it changed.

    Customers and products that it created and that other rows refer to meanwhile are kept and counted. The run's record
    says who took it back, when, and what was kept.

    Raises:
        InputError: no such run. StateError: it is not visible, or an import is running.
        PermissionRefused: not the actor's to do, or a run that the actor does not see (room `imports`).
    """
    actor.require("import")
    load = Load.objects.filter(pk=load_id).first()
    if load is None:
        raise InputError(_("There is no import run %(run)d; see rondo import list.") % {"run": load_id})
    if actor.user is not None and not Load.objects.filter(owned(actor.user, "imports", "actor"), pk=load_id).exists():
        raise PermissionRefused(
            _("Import run %(run)d is not one that %(user)s sees; ask somebody who sees all imports to take it back.")
            % {"run": load.pk, "user": actor.user.email}
        )
    with exclusive():
        with transaction.atomic():
            done = _take_back(Actor(actor.user, actor.door, load_id=load_id), load)
        load.refresh_from_db()
        load.undo = load.undo | {"kept": done.kept, "restored": done.restored, "left": done.left}
    for hook in registries.after_load:
        hook(actor)
    return load


def _take_back(actor: Actor, load: Load) -> Undone:
    now = timezone.now()
    one_at_a_time()
    changed = Load.objects.filter(pk=load.pk, status=Load.Status.VISIBLE).update(status=Load.Status.UNDONE)
    if not changed:
        status = Load.objects.values_list("status", flat=True).get(pk=load.pk)
        raise StateError(
            _("Import run %(run)d cannot be taken back: it is “%(status)s”; only a visible one can.")
            % {"run": load.pk, "status": Load.Status(status).label}
        )
    changed_customers: set[int] = set()
    concerned = _concerned(load)
    hold_all(concerned)
    picked = showing(concerned)
    changed_customers |= _linked(load)
    restored, left = _restore(actor, load, changed_customers)
    kept = {name: count for name, count in _keep(load).items() if count}
    _drop_additions(load, changed_customers)
    changed_customers |= let_follow(actor, picked)
    names.reindex(changed_customers)
    mark(changed_customers)
    mark_gone(load)
    note_load(load)
    retract_moved(actor, load)
    record = {
        "by": actor.user.email if actor.user else "",
        "at": now.isoformat(),
        "kept": kept,
        "restored": restored,
        "left": left,
    }
    Load.objects.filter(pk=load.pk).update(undo=record)
    audit.record(actor, "import.undone", "load", load.pk, {"status": ["visible", "undone"]})
    return Undone(kept, restored, left)


def _concerned(load: Load) -> set[int]:
    """The customers whom the undo changes: those that the run made, added to or changed."""
    models_ = (Identifier, Address, AttributeValue)
    keys = set(Customer.objects.filter(load_id=load.pk).values_list("pk", flat=True))
    for model in models_:
        keys.update(model._default_manager.filter(load_id=load.pk).values_list("customer_id", flat=True))
    written = AuditEntry.objects.filter(load_id=load.pk, verb__endswith=".imported")
    keys.update(written.filter(record_type="customer").values_list("record_id", flat=True))
    for model, name in ((Address, "address"), (AttributeValue, "attribute")):
        changed = written.filter(record_type=name).values("record_id")
        keys.update(model._default_manager.filter(pk__in=changed).values_list("customer_id", flat=True))
    ended = Link.objects.filter(pk__in=written.filter(record_type="link").values("record_id"))
    keys.update(key for pair in ended.values_list("subject_id", "object_id") for key in pair)
    return keys | _linked(load)


def _linked(load: Load) -> set[int]:
    """The customers that were there before and whose links the run wrote."""
    keys: set[int] = set()
    for end in ("subject", "object"):
        rows = Link.objects.filter(load_id=load.pk).exclude(**{f"{end}__load_id": load.pk})
        keys.update(rows.values_list(f"{end}_id", flat=True))
    return keys


def _restore(actor: Actor, load: Load, changed_customers: set[int]) -> tuple[int, int]:
    """Put back the values that the run changed, field by field, where they still are what it wrote; adds the customers
    it concerns to ``changed_customers``."""
    restored = left = 0
    entries: list[AuditEntry] = []
    written = AuditEntry.objects.filter(load_id=load.pk, verb__endswith=".imported").order_by("-id")
    for record_type in list(written.order_by().values_list("record_type", flat=True).distinct()):
        model = _type_of(record_type)
        if model is None:
            continue
        fields = {field.column: field for field in model._meta.concrete_fields}
        for batch in _batches(written.filter(record_type=record_type)):
            rows = model._default_manager.in_bulk([entry.record_id for entry in batch])
            for entry in batch:
                row = rows.get(entry.record_id)
                if row is None:
                    continue
                back: dict[str, list[Any]] = {}
                for name, (before, after) in entry.changes.items():
                    if isinstance(row, Link) and _stands_again(row):
                        left += 1
                    elif before != MARK and same_value(getattr(row, fields[name].attname), after):
                        back[name] = [after, before]
                    else:
                        left += 1
                if back:
                    values = {fields[n].attname: fields[n].to_python(pair[1]) for n, pair in back.items()}
                    for name, value in values.items():  # a run that changed it twice is taken back twice
                        setattr(row, name, value)
                    if "version" in fields:
                        values["version"] = models.F("version") + 1
                    model._default_manager.filter(pk=row.pk).update(**values)
                    about = row.customer_id if isinstance(row, Address | AttributeValue) else None
                    verb = f"{record_type}.restored"
                    entries.append(audit.entry(actor, verb, record_type, entry.record_id, back, about))
                    restored += 1
                    if isinstance(row, Link):
                        changed_customers |= {row.subject_id, row.object_id}
                        entries += _told_of_link(actor, row, back)
                    elif isinstance(row, Customer):
                        changed_customers.add(row.pk)
                    elif about is not None:
                        changed_customers.add(about)
            if model is Customer:
                names.reindex(rows)
    audit.record_many(entries)
    return restored, left


def _stands_again(row: Link) -> bool:
    """Whether the two of a link that ended were linked anew, so that the old one cannot stand beside it; that the newer
    one has ended meanwhile is no reason to open the old one."""
    same = Link.objects.filter(subject_id=row.subject_id, object_id=row.object_id, role=row.role)
    return same.filter(models.Q(until=None) | models.Q(pk__gt=row.pk)).exclude(pk=row.pk).exists()


def _told_of_link(actor: Actor, row: Link, back: dict[str, list[Any]]) -> list[AuditEntry]:
    """What the records of both ends say of it."""
    ends = ((row.subject_id, row.object_id, row.role), (row.object_id, row.subject_id, f"{row.role} of"))
    return [
        audit.entry(actor, "link.changed", "customer", customer, {role: [other, other], **back})
        for customer, other, role in ends
    ]


def _batches(entries: "models.QuerySet[AuditEntry]", size: int = 500) -> "Any":
    pending: list[AuditEntry] = []
    for entry in entries.iterator(chunk_size=size):
        pending.append(entry)
        if len(pending) == size:
            yield pending
            pending = []
    if pending:
        yield pending


def _keep(load: Load) -> dict[str, int]:
    """Take customers and products that others refer to out of the run (load NULL), with what belongs to them."""
    visible = Load.objects.filter(status=Load.Status.VISIBLE).exclude(pk=load.pk)

    def others(model: type[models.Model], column: str = "customer_id") -> models.QuerySet[Any]:
        theirs = models.Q(load__isnull=True) | models.Q(load__in=visible)
        return model._default_manager.filter(theirs, **{column: models.OuterRef("pk")})

    mine = Customer.objects.filter(load_id=load.pk)
    changed_later = AuditEntry.objects.filter(
        models.Q(load__isnull=True) | models.Q(load__in=visible),
        record_type="customer",
        record_id=models.OuterRef("pk"),
    )
    needed: Any = models.Exists(others(Interaction)) | models.Exists(changed_later) | models.Q(is_merged=True)
    for model in (Identifier, Address, AttributeValue):
        needed |= models.Exists(others(model))
    for relation in Customer._meta.related_objects:
        if relation.related_model in {Interaction, Identifier, Address, AttributeValue}:
            continue
        assert relation.related_model is not None
        names = {field.name for field in relation.related_model._meta.concrete_fields}
        if "load" in names:
            needed |= models.Exists(others(relation.related_model, relation.field.attname))
        elif relation.related_model in {Link, Merge}:
            referring = relation.related_model._default_manager
            needed |= models.Exists(referring.filter(**{relation.field.attname: models.OuterRef("pk")}))
    customers = list(mine.filter(needed).values_list("pk", flat=True))
    for start in range(0, len(customers), 500):
        some = customers[start : start + 500]
        for model in (Identifier, Address, AttributeValue):
            model._default_manager.filter(load_id=load.pk, customer_id__in=some).update(load=None)
        Customer.objects.filter(pk__in=some).update(load=None)
    return {"customers": len(customers), "products": _keep_products(load), **_keep_campaigns(load)}


def _keep_products(load: Load) -> int:
    """One pass over the lines of other visible runs: the lines have no index by product."""
    with connection.cursor() as cursor:
        cursor.execute(
            'UPDATE "catalogue_product" SET load_id = NULL WHERE load_id = %s AND (id IN ('
            'SELECT l.product_id FROM "interactions_orderline" AS l '
            'JOIN "interactions_order" AS o ON o.interaction_id = l.order_id '
            'LEFT JOIN "foundation_load" AS f ON f.id = o.load_id '
            "WHERE o.load_id IS NULL OR f.status = 'visible') OR id IN ("
            'SELECT a.record_id FROM "foundation_auditentry" AS a '
            'LEFT JOIN "foundation_load" AS f ON f.id = a.load_id '
            "WHERE a.record_type = 'product' AND (a.load_id IS NULL OR f.status = 'visible')))",
            [load.pk],
        )
        return int(cursor.rowcount)


def _keep_campaigns(load: Load) -> dict[str, int]:
    """Rows of the rooms above that other visible rows refer to, found through their foreign keys."""
    kept: dict[str, int] = {}
    low = {Customer, Product, Identifier, Address, AttributeValue, Interaction, Link, Merge}
    visible = Load.objects.filter(status=Load.Status.VISIBLE).exclude(pk=load.pk)
    theirs = models.Q(load__isnull=True) | models.Q(load__in=visible)
    for table in registries.loaded_tables:
        if table.model in low or not any(field.name == "load" for field in table.model._meta.concrete_fields):
            continue
        for relation in table.model._meta.related_objects:
            model = relation.related_model
            if any(f.name == "load" for f in model._meta.concrete_fields) and not relation.one_to_one:
                referring = model._default_manager.filter(theirs).values(relation.field.attname)
                rows = table.model._default_manager.filter(load_id=load.pk, pk__in=referring)
                kept[table.key] = kept.get(table.key, 0) + rows.update(load=None)
    return kept


def _drop_additions(load: Load, changed_customers: set[int]) -> None:
    """Identifiers, addresses and attributes that the run added to customers of others are taken off them again, so that
    the values are free for a later run; adds those customers, and those of consents, to ``changed_customers``."""
    low, high = load.spans.get(Consent._meta.db_table, (1, 0))
    said = Consent.objects.filter(load_id=load.pk, pk__range=(low, high))  # hidden with the run, as contacts are
    changed_customers.update(said.values_list("customer_id", flat=True).distinct())
    for model in (Identifier, Address, AttributeValue):
        added = model._default_manager.filter(load_id=load.pk).exclude(customer__load_id=load.pk)
        rows = list(added.values_list("pk", "customer_id"))
        changed_customers.update(customer for _key, customer in rows)
        model._default_manager.filter(pk__in=[key for key, _customer in rows]).delete()


def undone_at(load: Load) -> datetime | None:
    """When a run was taken back, or None."""
    text = load.undo.get("at")
    return datetime.fromisoformat(text) if text else None
