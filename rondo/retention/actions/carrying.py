"""Carries the rules out, in portions, each in transactions of its own. Safe to be killed and to be run again."""

from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.retention.actions.removing import REMOVE
from rondo.retention.kinds import KINDS
from rondo.retention.models import Rule
from rondo.retention.queries import rows_of

PORTION = 200


def every_night(actor: Actor) -> dict[str, int]:
    """Carry out all rules; how many rows of which kind went. What went is told to the audit log, in numbers."""
    done: dict[str, int] = {}
    for rule in Rule.objects.order_by("pk"):
        if rule.kind in KINDS and (gone := _carry_out(actor, rule)):
            done[rule.kind] = gone
            audit.record(actor, "retention.applied", "retention", rule.pk, {rule.kind: [gone, 0]})
    return done


def _carry_out(actor: Actor, rule: Rule) -> int:
    """Portion by portion in the order of the keys, so that what cannot go (a hold) is passed over and not met again."""
    kind = KINDS[rule.kind]
    rows = rows_of(kind, rule.days, rule.upto).order_by("pk")
    gone, last = 0, 0
    while keys := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:PORTION]):
        gone += REMOVE[rule.kind](actor, keys)
        last = keys[-1]
        if kind.emptied:
            Rule.objects.filter(pk=rule.pk).update(upto=last)
    return gone
