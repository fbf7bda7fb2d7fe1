"""What the pages read of leads and interests: one row per customer, and what was found of the whole base."""

from django.db import models

from rondo.customers.models import Customer


class LeadOf(models.Model):
    """How likely a surviving customer who never bought is to buy, as of the run that :class:`LeadFound` names; swapped
    as a whole. There are no rows where the data do not support a score.

    ``lead_chance``: of a first purchase within the horizon; ``lead_reason``: the theme that moves it most; ``reasons``:
    themes and what is known of them, as one text (:mod:`rondo.analysis.leads.texts`).
    """

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    lead_chance = models.FloatField()
    lead_reason = models.CharField(max_length=80, null=True)  # noqa: DJ001 - null: nothing sets this one apart
    reasons = models.TextField()

    class Meta:
        db_table = "analysis_lead"


class InterestOf(models.Model):
    """The categories that a surviving customer never bought of and is likeliest to, as of the same run; swapped as a
    whole. ``interest_category``, ``interest_chance``: the likeliest; ``interests``: all kept, as one text."""

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    interest_category = models.CharField(max_length=120)
    interest_chance = models.FloatField()
    interests = models.TextField()

    class Meta:
        db_table = "analysis_interest"


class LeadFound(models.Model):
    """What a run found of the whole base: ``results`` in the shape of :class:`rondo.analysis.leads.shapes.Found`. There
    is one row, of the run whose rows :class:`LeadOf` and :class:`InterestOf` hold."""

    run_id = models.BigIntegerField(unique=True)
    as_of = models.DateField()
    made_at = models.DateTimeField(auto_now_add=True)
    results = models.JSONField()
