"""What one webhook is told of one event: what its owner sees of it, and no more.

Messages carry ids, moments, counts and names of fields, never a value that somebody entered: neither what is masked nor
what is forgotten later can lie in a queue, a log or another system's inbox. Who needs the values reads them from the
API, by their own rights, as they stand by then (docs/decisions/webhooks-carry-ids.md).
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rondo.analysis.segments.models import Membership
from rondo.analysis.segments.queries import standing
from rondo.customers.definitions import hidden_from
from rondo.customers.models import Customer, Survivor
from rondo.customers.queries import once_visible, sees_all, visible
from rondo.foundation import ids
from rondo.foundation.models import Load, User
from rondo.foundation.rights import owned
from rondo.interactions.models import Interaction
from rondo.webhooks.kinds import ENTERED, PING
from rondo.webhooks.models import Event

VERSION = 1
NAMED = 1000
"""A message names at most so many customers; of more it tells the count, and where they are read."""
_ATTRIBUTE = "attribute."


def message(owner: User, event: Event) -> str | None:
    """The body of the message to a webhook of ``owner``; None where nothing of the event is the owner's to see."""
    told = _told(owner, event)
    if told is None:
        return None
    whole = {
        "id": event.public_id,
        "type": event.kind,
        "version": VERSION,
        "timestamp": moment(event.at),
        "data": told | ({"through": event.facts["door"]} if "door" in event.facts else {}),
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def moment(at: datetime) -> str:
    """A moment in UTC, as ISO 8601 has it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _told(owner: User, event: Event) -> dict[str, Any] | None:
    facts = event.facts
    if event.kind == PING:
        return {"sent_by": facts.get("sent_by", "")}
    if "import" in facts:
        return _import(owner, facts["import"])
    if "refresh" in facts:
        return _refresh(owner, event.kind, facts)
    if "interaction" in facts:
        return _interaction(owner, facts["interaction"])
    if "customers" in facts:
        return _customers(owner, event.kind, facts)
    return {"as_of": facts.get("as_of")}


def _customers(owner: User, kind: str, facts: dict[str, Any]) -> dict[str, Any] | None:
    keys = [int(key) for key in facts["customers"]]
    if kind == "customer.deleted":  # nobody's reach can be asked of who is gone
        seen = keys if sees_all(owner) else []
    else:
        seen = _seen(owner, keys)
    if not seen:
        return None
    told: dict[str, Any] = {"customers": _names(seen), "count": len(seen)}
    if "fields" in facts:
        hidden = hidden_from(owner)
        told["fields"] = [name for name in facts["fields"] if name.removeprefix(_ATTRIBUTE) not in hidden]
        if not told["fields"]:
            return None
    if "other" in facts:
        other = _seen(owner, [int(facts["other"])])
        told["other"] = _names(other)[0] if other else None
    for name in ("channel", "purpose", "state"):
        if name in facts:
            told[name] = facts[name]
    return told


def _seen(owner: User, keys: Sequence[int]) -> list[int]:
    """Of some records those in the owner's reach, themselves or by the one that stands for them now."""
    reached = set(once_visible(owner).filter(pk__in=keys).values_list("pk", flat=True))
    merged = Survivor.objects.filter(customer_id__in=keys, survivor__in=visible(owner))
    reached |= set(merged.values_list("customer_id", flat=True))
    return [key for key in keys if key in reached]


def _interaction(owner: User, key: int) -> dict[str, Any] | None:
    row = Interaction.objects.filter(pk=key).first()
    if row is None or not _seen(owner, [row.customer_id]):
        return None
    return {
        "interaction": row.public_id,
        "kind": row.kind,
        "channel": row.channel,
        "direction": row.direction,
        "occurred_at": moment(row.occurred_at),
        "customers": _names([row.customer_id]),
        "count": 1,
    }


def _import(owner: User, key: int) -> dict[str, Any] | None:
    row = Load.objects.filter(owned(owner, "imports", "actor"), pk=key).first()
    if row is None:
        return None
    finished = row.finished_at or row.started_at
    return {"import": row.pk, "kind": row.kind, "counts": row.counts, "finished_at": moment(finished)}


def _refresh(owner: User, kind: str, facts: dict[str, Any]) -> dict[str, Any] | None:
    row = standing(owner).filter(pk=facts["segment"]).first()
    if row is None:
        return None
    by = {"entered_by_id" if kind == ENTERED else "left_by_id": facts["refresh"]}
    moved = Membership.objects.filter(segment=row, **by).values("customer_id")
    rows = visible(owner).filter(pk__in=moved)
    count = rows.count()
    if not count:
        return None
    named = list(rows.order_by("pk").values_list("pk", flat=True)[:NAMED])
    return {
        "segment": row.key,
        "customers": _names(named),
        "count": count,
        "complete": count == len(named),
        "size": row.size if sees_all(owner) else None,
    }


def _names(keys: Iterable[int]) -> list[str]:
    return [ids.encode(Customer.PREFIX, key) for key in keys]
