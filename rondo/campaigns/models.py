"""Campaigns and the exposure ledger, which knows everyone: who was eligible, in which arm, sent, and the reaction."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from rondo.customers.models import Customer, Source
from rondo.foundation import ids
from rondo.foundation.models import Load
from rondo.interactions.models import Interaction


class Campaign(models.Model):
    """A campaign as planned or as it was. ``design`` says what follows: only a randomised one shows an effect."""

    PREFIX: ClassVar[str] = "m"

    class Design(models.TextChoices):
        OBSERVATIONAL = "observational", _("observational")
        RANDOMISED = "randomised", _("randomised")

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.CharField(max_length=60)
    name = models.CharField(max_length=120)
    type = models.CharField(max_length=60, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField()
    design = models.CharField(max_length=14, choices=Design.choices, default=Design.OBSERVATIONAL)
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="campaign_unique")]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)


def _is_code(name: str) -> models.Q:
    """The condition that a column holds a code, not text that somebody wrote: the columnar copy takes it as it is."""
    condition = models.Q()
    for mark in (" ", "@", "\n", "\r", "\t"):
        condition &= ~models.Q(**{f"{name}__contains": mark})
    return condition


class Exposure(models.Model):
    """One line of the ledger per campaign and original customer. ``interaction`` is the outbound contact in the chain;
    reactions are the interactions that answer it. Of an erased person
    neither is there any more; ``answers`` then says how many reactions there were."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="exposures", db_index=False)
    customer = models.ForeignKey(Customer, null=True, on_delete=models.SET_NULL, related_name="exposures")
    eligible = models.BooleanField(default=True)
    arm = models.CharField(max_length=20, default="treated")
    suppressed = models.CharField(max_length=60, blank=True)
    sent_on = models.DateField(null=True)
    interaction = models.OneToOneField(Interaction, null=True, on_delete=models.SET_NULL, related_name="exposure")
    answers = models.PositiveIntegerField(null=True)
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "customer", "load"], name="exposure_unique"),
            models.CheckConstraint(condition=_is_code("arm") & _is_code("suppressed"), name="exposure_codes"),
        ]
