"""What pages of studies share: features in words, and where a study stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.analysis.features import feature_of
from rondo.analysis.studies.models import Study
from rondo.foundation.installation import installation
from rondo.foundation.money import Money
from rondo.foundation.registry import Feature
from rondo.web import formats


@dataclass(frozen=True)
class Driver:
    """A trait in words: what sets a group apart, its label, its share of the whole, and medians inside and outside."""

    words: str
    label: str
    share: float | None
    inside: str
    outside: str


def written(feature: Feature, value: float | None) -> str:
    """A value of a feature as the viewer's language writes it."""
    if value is None:
        return formats.DASH
    if feature.type == "money":
        small = abs(Money(round(value), installation().currency).major) < 10
        return formats.money(value, digits=None if small else 0)
    if feature.type == "share":
        return formats.share(value, 0)
    return formats.number(value, 0 if float(value).is_integer() else 1)


def drivers(told: list[dict[str, Any]]) -> list[Driver]:
    """Traits as a study stores them, in words; those of features that are no longer registered fall away."""
    found = []
    for one in told:
        feature = feature_of(one["feature"])
        if feature is not None:
            found.append(
                Driver(
                    str(feature.more if one["high"] else feature.less),
                    str(feature.label),
                    one.get("share"),
                    written(feature, one.get("inside")),
                    written(feature, one.get("outside")),
                )
            )
    return found


STEPS = {
    "features": lambda: _("Reading what is known of every customer"),
    "model": lambda: _("Learning, and testing on hidden customers"),
    "match": lambda: _("Looking for partners"),
    "standing": lambda: _("Following every customer through the data"),
    "rules": lambda: _("Looking for a rule of each group"),
    "groups": lambda: _("Trying numbers of groups"),
}


@dataclass(frozen=True)
class Going:
    """A study under way, for its progress line."""

    waiting: bool
    step: str
    done: int
    total: int
    since: datetime

    @property
    def elapsed(self) -> int:
        """Whole seconds since it was asked for or begun."""
        return max(0, int((timezone.now() - self.since).total_seconds()))

    @property
    def seconds_left(self) -> int | None:
        """Seconds to go by the rate of the present step; None while that says nothing."""
        if self.waiting or self.done <= 0 or self.total <= self.done:
            return None
        return max(1, round(self.elapsed * (self.total - self.done) / self.done))


def going(study: Study | None) -> Going | None:
    """How far a study is; None where none is under way."""
    if study is None or not study.under_way:
        return None
    step = STEPS.get(study.step)
    return Going(
        study.status == Study.Status.QUEUED,
        step() if step else "",
        study.done,
        study.total,
        study.started_at or study.created_at,
    )
