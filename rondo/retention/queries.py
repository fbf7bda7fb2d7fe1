"""What a rule would take now."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from rondo.retention.kinds import KINDS, Kind
from rondo.retention.models import Rule


def rules() -> dict[str, Rule]:
    """The rules in force, by kind."""
    return {rule.kind: rule for rule in Rule.objects.select_related("actor")}


def rows_of(kind: Kind, days: int, upto: int) -> QuerySet[Any]:
    """The rows that a rule of so many days takes, after those that lost their values already."""
    rows = kind.old(timezone.now() - timedelta(days=days))
    return rows.filter(pk__gt=upto) if kind.emptied else rows


def would_go(kind: str, days: int) -> int:
    """How many rows a rule of so many days would take tonight; a hold may keep some of them."""
    rule = Rule.objects.filter(kind=kind).first()
    return int(rows_of(KINDS[kind], days, rule.upto if rule else 0).count())
