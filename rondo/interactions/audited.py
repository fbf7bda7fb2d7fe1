"""What of the audit log somebody may read: entries in their reach, searched, and which values are masked for them."""

import json
import re
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from rondo.customers.definitions import hidden_from
from rondo.customers.queries import once_visible, sees_all
from rondo.customers.unseen import names_any, unseen_fields
from rondo.foundation.installation import zone
from rondo.foundation.models import AuditEntry, User
from rondo.foundation.rights import masked, owned
from rondo.interactions.models import Interaction

SPOKEN = frozenset({"title", "body", "reason", "text"})
"""Fields of contacts that hold what was written or said."""
OF_ATTRIBUTE = "attribute."
IMPORTED = frozenset({"attribute.imported", "attribute.restored"})
_ASKED = frozenset({"list", "query", "rule", "text"})
"""Fields that hold lists and rules as they were asked for."""
_DAY = timedelta(days=1)
_OTHERS = frozenset({"absorbed", "survivor", "other"})
"""Fields that hold keys of other customers."""


def visible(viewer: User) -> QuerySet[AuditEntry]:
    """The entries in ``viewer``'s reach: by who did it, and never of a customer whom the viewer may not see."""
    rows = AuditEntry.objects.filter(owned(viewer, "audit", "actor"))
    if not sees_all(viewer):
        rows = rows.filter(_of_seen_customers(viewer))
    return rows.select_related("actor").order_by("-id")


def _of_seen_customers(viewer: User) -> Q:
    seen = once_visible(viewer)
    contacts = Interaction.objects.filter(pk=OuterRef("record_id"), customer__in=seen)
    of_customer = Q(record_type="customer") & Q(Exists(seen.filter(pk=OuterRef("record_id"))))
    of_contact = Q(record_type="interaction") & Q(Exists(contacts))
    of_part = Q(about__isnull=True) | Q(Exists(seen.filter(pk=OuterRef("about"))))
    return of_customer | of_contact | (~Q(record_type__in=["customer", "interaction"]) & of_part)


def searched(
    viewer: User,
    *,
    who: str = "",
    record: str = "",
    door: str = "",
    since: date | None = None,
    until: date | None = None,
    text: str = "",
) -> QuerySet[AuditEntry]:
    """Of the entries in the viewer's reach those that are asked for: by whose name or address, type of record, door,
    days in the company's zone, and a text in verb, fields or values. Values that are masked are not searched."""
    rows = visible(viewer)
    if who:
        people = User.objects.filter(Q(name__icontains=who) | Q(email__icontains=who))
        rows = rows.filter(actor__in=people.order_by().values("pk"))
    if record:
        rows = rows.filter(record_type=record)
    if door:
        rows = rows.filter(door=door)
    if since and since > date.min + _DAY:  # the first and the last days there are have no instant in every zone
        rows = rows.filter(at__gte=datetime.combine(since, time.min, tzinfo=zone()))
    if until and until < date.max - _DAY:
        rows = rows.filter(at__lte=datetime.combine(until, time.max, tzinfo=zone()))
    return _holding(rows, viewer, text) if text else rows


def _holding(rows: QuerySet[AuditEntry], viewer: User, text: str) -> QuerySet[AuditEntry]:
    """Entries in whose verb, fields or values the text occurs. SQLite keeps letters beyond ASCII in JSON escaped."""
    if masked(viewer, "identifiers"):
        rows = rows.exclude(verb__startswith="identifier.")
    if masked(viewer, "notes"):
        rows = rows.exclude(verb__startswith="interaction.", changes__has_any_keys=sorted(SPOKEN))
    if hidden := hidden_from(viewer):
        rows = rows.exclude(changes__has_any_keys=sorted(f"{OF_ATTRIBUTE}{key}" for key in hidden))
        rows = rows.exclude(verb__in=IMPORTED)
    escaped = json.dumps(text)[1:-1]
    told = rows.alias(told=Cast("changes", TextField()))
    return told.filter(Q(told__icontains=text) | Q(told__icontains=escaped) | Q(verb__icontains=text))


def hides(viewer: User, verb: str, field: str) -> bool:
    """Whether the values of a field are masked for ``viewer``. Imports tell of values without saying of which
    attribute they are: who does not see all attributes sees none of these."""
    about = verb.partition(".")[0]
    if field.startswith(OF_ATTRIBUTE) or verb in IMPORTED:
        hidden = hidden_from(viewer)
        return field.removeprefix(OF_ATTRIBUTE) in hidden or (bool(hidden) and verb in IMPORTED)
    if about == "identifier":
        return masked(viewer, "identifiers")
    return about == "interaction" and field in SPOKEN and masked(viewer, "notes")


def names_hidden(viewer: User, field: str, values: Any) -> bool:
    """Whether a field tells of a list or a rule that asks for an attribute or a fact which ``viewer`` does not see."""
    if field not in _ASKED:
        return False
    told = re.sub(r"\\(u[0-9a-f]{4}|.)", " ", json.dumps(values, ensure_ascii=False))  # a break of lines is no letter
    return names_any(told, unseen_fields(viewer))


def holds_others(row: AuditEntry, field: str) -> bool:
    """Whether numbers in a field of an entry of a customer are the keys of other customers."""
    joins = field in _OTHERS and row.verb.endswith(("merged", "unmerged", "told_apart"))
    return row.record_type == "customer" and (joins or row.verb.startswith("link."))
