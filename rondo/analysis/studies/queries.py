"""Reads of studies: the latest of a kind, and the customers it found, for one viewer."""

from dataclasses import dataclass

from django.db.models import QuerySet, Sum

from rondo.analysis.models import Score
from rondo.analysis.segments.models import Segment
from rondo.analysis.studies.models import Study, StudyCustomer
from rondo.customers.models import Customer
from rondo.customers.queries import visible
from rondo.foundation.models import User


@dataclass(frozen=True)
class Latest:
    """Where a question stands: the latest study that was answered, and one that came after it (under way or failed)."""

    answered: Study | None
    newer: Study | None


def latest(kind: str, segment: Segment | None = None, subject: str = "") -> Latest:
    """Where a question about a segment or a subject stands."""
    rows = Study.objects.filter(kind=kind, segment=segment, subject=subject).order_by("-id").select_related("actor")
    answered = rows.filter(status=Study.Status.DONE).first()
    last = rows.first()
    return Latest(answered, last if last is not None and last != answered else None)


def found(viewer: User | None, study: Study) -> QuerySet[StudyCustomer]:
    """The customers a study found that ``viewer`` may see, in their order."""
    seen = visible(viewer).values("pk")
    return StudyCustomer.objects.filter(study=study, customer_id__in=seen).select_related("customer").order_by("place")


def customers_at(viewer: User | None, study: Study, first: int, last: int) -> QuerySet[Customer]:
    """The customers at the places ``first`` to ``last`` of a study that ``viewer`` may see."""
    keys = StudyCustomer.objects.filter(study=study, place__gte=first, place__lte=last).values("customer_id")
    return visible(viewer).filter(pk__in=keys)


def value_at(study: Study, first: int, last: int) -> int | None:
    """What the customers at the places ``first`` to ``last`` of a study are worth together (minor units), whoever may
    see them; None where nothing is valued."""
    keys = StudyCustomer.objects.filter(study=study, place__gte=first, place__lte=last).values("customer_id")
    found: int | None = Score.objects.filter(customer_id__in=keys).aggregate(value=Sum("value"))["value"]
    return found
