"""What pages and rules read of buying stages: one row per customer, the findings of the base, versions of the rules."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from rondo.customers.models import Customer


class StageOf(models.Model):
    """Where one surviving customer stands per category, as of the run that :class:`StageFound` names; swapped as a
    whole. Who never gave a sign in any category has no row.

    ``stages`` is one text (:mod:`rondo.analysis.buying_stages.texts`); the counts are categories per stage.
    """

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    stages = models.TextField()
    unaware = models.IntegerField()
    need_recognised = models.IntegerField()
    information_search = models.IntegerField()
    evaluation = models.IntegerField()
    purchase = models.IntegerField()
    after_purchase = models.IntegerField()

    class Meta:
        db_table = "analysis_buying_stage"


class StageFound(models.Model):
    """What a run found of the whole base: ``results`` in the shape ``Found`` of
    :mod:`rondo.analysis.buying_stages.shapes`. There is one row, of the run whose rows :class:`StageOf` holds."""

    run_id = models.BigIntegerField(unique=True)
    as_of = models.DateField()
    made_at = models.DateTimeField(auto_now_add=True)
    results = models.JSONField()


class StageVersion(models.Model):
    """Thresholds of the buying stages as an administrator set them; the newest are in force. Rows are only ever added.

    ``thresholds``: see :meth:`rondo.science.buying_stages.BuyingStageRules.to_dict`.
    """

    thresholds = models.JSONField()
    reason = models.CharField(max_length=500, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
