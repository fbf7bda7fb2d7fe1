"""Rules of segments that name choices of an attribute, where some choices are merged into another."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from django.utils.translation import gettext as _

from rondo.analysis.segments.actions import rewrite_rule
from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.queries import not_seen, standing
from rondo.customers.ruled import ATTRIBUTE_PREFIX
from rondo.foundation.actors import Actor
from rondo.foundation.models import AuditEntry, User
from rondo.foundation.registry import ChoiceUses
from rondo.rules import RuleError, parse, schema, with_values


def find(viewer: User | None, key: str, merged: Mapping[str, str]) -> list[str]:
    """The segments in use whose rule would be rewritten, in words; of those that ``viewer`` does not see the number."""
    found = list(_naming(key, merged))
    seen = set(standing(viewer).values_list("pk", flat=True))
    told = [
        _("the segment “%(segment)s”: %(before)s → %(after)s")
        % {"segment": row.name, "before": row.text, "after": text}
        for row, text in found
        if row.pk in seen
    ]
    return [*told, *not_seen(len(found) - len(told))]


def rewrite(actor: Actor, key: str, merged: Mapping[str, str]) -> list[int]:
    """Rewrite their rules, and compute their members anew."""
    return [rewrite_rule(actor, row, text).pk for row, text in _naming(key, merged, locked=True)]


def take_back(actor: Actor, entry: AuditEntry) -> None:
    """Put the rule of a segment back to what it was before ``entry``, unless it is another one by now."""
    before, after = entry.changes["text"]
    row = Segment.objects.select_for_update(of=("self",)).filter(pk=entry.record_id).first()
    if row is not None and row.text == after:
        with suppress(RuleError):  # it names what is gone meanwhile
            rewrite_rule(actor, row, before)


def _naming(key: str, merged: Mapping[str, str], *, locked: bool = False) -> Iterator[tuple[Segment, str]]:
    """Segments whose rule names a choice that goes, deleted ones too, since they can be put back; and the rule as it
    would be. A rule that is broken by itself stays as it is."""
    known = schema()
    rows = Segment.objects.filter(kind=Segment.Kind.RULE).order_by("pk")
    if not locked:
        rows = rows.filter(retired_at__isnull=True)
    for row in rows.select_for_update(of=("self",)) if locked else rows:
        try:
            text = with_values(row.text, ATTRIBUTE_PREFIX + key, merged, known)
            if text != row.text:
                parse(text, known)
        except RuleError:
            continue
        if text != row.text:
            yield row, text


USES = ChoiceUses(find, rewrite, take_back)
