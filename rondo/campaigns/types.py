"""Types of campaigns: their names in rules, and the study of who is likely to answer them."""

from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.analysis.studies.actions import request_study
from rondo.analysis.studies.models import Study, StudyCustomer
from rondo.campaigns.models import Campaign
from rondo.foundation.actors import Actor, system
from rondo.foundation.loads import shown
from rondo.foundation.registry import StudyKind, registries

KIND = "likelihood"


def series_key(kind: str) -> str:
    """The name of the probability in rules: ``likely_type_a`` for campaigns of the type "Type A"."""
    return f"likely_{slugify(kind).replace('-', '_') or 'none'}"[:60]


def kinds() -> list[str]:
    """The types of the campaigns that were not taken back, by name."""
    return sorted(set(Campaign.objects.filter(shown()).exclude(type="").values_list("type", flat=True)))


def request_likelihood(actor: Actor, kind: str) -> Study:
    """Ask who is likely to answer campaigns of a type; raises as :func:`request_study` does."""
    return request_study(actor, KIND, subject=kind)


def request_all() -> None:
    """Ask it of every type; follows each analysis."""
    for kind in kinds():
        request_likelihood(system("job"), kind)


def chances(customer_id: int) -> list[tuple[str, float]]:
    """How likely one surviving customer, already checked as visible, is to answer a campaign of each type that there is
    a model of: (type, probability), the likeliest first."""
    rows = StudyCustomer.objects.filter(customer_id=customer_id, study__kind=KIND, study__series__isnull=False)
    return list(rows.order_by("-score", "study__subject").values_list("study__subject", "score"))


def _series(study: Any) -> tuple[str, str, tuple[str, ...]]:
    return (
        _("Likely to answer a campaign of %(type)s") % {"type": study.subject},
        _(
            "Probability that the customer would answer a campaign of this type that began the day after the analysis, "
            "by a model of earlier ones; tried out on contacted customers only."
        ),
        (),
    )


registries.studies.add(
    KIND,
    StudyKind(KIND, gettext_lazy("Likely to answer"), "rondo.campaigns.likelihood.answer", series=_series),
)
registries.after_analysis.add("likelihood", request_all)
