"""How a fact is put into the registry, and the units facts have."""

from typing import Literal

from django.utils.translation import gettext_lazy as _

from rondo.foundation.registry import Fact, FactType, registries

MONEY = _("minor units of the company's currency")
DAYS = _("days")
DATE = _("business date")
SHARE = _("share from 0 to 1")
COUNT = _("number")

Group = Literal["value", "buying", "taste", "campaigns", "standing"]


def fact(
    key: str,
    label: object,
    definition: object,
    type: FactType,
    unit: object,
    group: Group,
    *,
    estimate: bool = False,
    low: str = "",
    high: str = "",
    of_others: bool = False,
) -> None:
    """Register a fact; ``low`` and ``high``: the facts that are the ends of its interval; ``of_others``: it tells of
    other customers, too."""
    registries.facts.add(
        key,
        Fact(
            key=key,
            label=label,  # type: ignore[arg-type]
            definition=definition,  # type: ignore[arg-type]
            type=type,
            unit=unit,  # type: ignore[arg-type]
            group=group,
            estimate=estimate,
            low=low,
            high=high,
            of_others=of_others,
        ),
    )
