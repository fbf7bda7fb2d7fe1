"""How the rows of each kind go, a portion at a time; each portion in transactions of its own."""

from collections.abc import Callable

from django.db import transaction

from rondo.customers.actions import put_into_bin
from rondo.customers.queries import record_ids
from rondo.erasure.actions.asking import begin
from rondo.erasure.actions.doing import carry_out
from rondo.erasure.models import Erasure
from rondo.erasure.queries import held
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.holdings import without_values
from rondo.foundation.models import AuditEntry
from rondo.interactions.models import Interaction
from rondo.reports.models import Sending


def _erase(actor: Actor, keys: list[int]) -> int:
    free = [key for key in keys if not held(record_ids(key))]
    if free:
        carry_out(begin(actor, free, Erasure.Reason.RETENTION).pk, at_night=True)
    return len(free)


def _bin(actor: Actor, keys: list[int]) -> int:
    return int(put_into_bin(actor, keys).count)


def _empty_texts(actor: Actor, keys: list[int]) -> int:
    return Interaction.objects.filter(pk__in=keys).update(title="", body="")


def _empty_entries(actor: Actor, keys: list[int]) -> int:
    with transaction.atomic(), audit.door_opened("retention"):
        for entry in AuditEntry.objects.filter(pk__in=keys):
            AuditEntry.objects.filter(pk=entry.pk).update(changes=without_values(entry.changes))
    return len(keys)


def _forget(actor: Actor, keys: list[int]) -> int:
    return Sending.objects.filter(pk__in=keys).delete()[1].get(Sending._meta.label, 0)


REMOVE: dict[str, Callable[[Actor, list[int]], int]] = {
    "bin": _erase,
    "prospects": _bin,
    "texts": _empty_texts,
    "audit": _empty_entries,
    "sendings": _forget,
}
"""By kind: lets these rows go, and says how many went."""
