"""Analysis runs, and the wide table that serves their scores."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from rondo.analysis.buying_stages.models import StageFound, StageOf, StageVersion
from rondo.analysis.leads.models import InterestOf, LeadFound, LeadOf
from rondo.analysis.next.models import NextFound, NextOf
from rondo.analysis.segments.models import Membership, Refresh, Segment
from rondo.analysis.studies.models import Series, Study, StudyCustomer
from rondo.customers.models import Customer

__all__ = [
    "Counted",
    "History",
    "InterestOf",
    "LeadFound",
    "LeadOf",
    "Membership",
    "NextFound",
    "NextOf",
    "Pin",
    "Refresh",
    "Run",
    "RunPart",
    "Score",
    "Segment",
    "Series",
    "StageFound",
    "StageOf",
    "StageVersion",
    "StandingVersion",
    "Study",
    "StudyCustomer",
]


class Run(models.Model):
    """One analysis: what day it looks from, its configuration, its data's fingerprint, and what it found.

    ``results`` holds the totals, series, grid and hold-out the pages show; ``models`` the fitted models. The run whose
    ``is_current`` is set is the one that the score table serves.
    """

    class Status(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    as_of = models.DateField()
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RUNNING)
    is_current = models.BooleanField(default=False, db_index=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    config = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64, blank=True)
    result_hash = models.CharField(max_length=64, blank=True)
    models_json = models.JSONField(default=dict)
    results = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")


class RunPart(models.Model):
    """A part of what a run found that only some pages show, in a shape of :mod:`rondo.analysis.parts.shapes`."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="parts")
    name = models.CharField(max_length=32)
    figures = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="one_part_of_a_name")]


class Counted(models.Model):
    """Customers behind a number that no fact tells, by :mod:`rondo.analysis.counted`: ``keys`` are theirs, packed,
    ``customers`` how many. They are of the run that is served, or of the latest study of its question."""

    name = models.SlugField(max_length=60, unique=True)
    run = models.ForeignKey(Run, null=True, on_delete=models.CASCADE, related_name="counted")
    study = models.ForeignKey(Study, null=True, on_delete=models.CASCADE, related_name="counted")
    customers = models.BigIntegerField()
    keys = models.TextField()

    class Meta:
        db_table = "analysis_counted"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(run__isnull=False, study__isnull=True)
                | models.Q(run__isnull=True, study__isnull=False),
                name="counted_by_run_or_study",
            )
        ]


class Pin(models.Model):
    """The model that an analyst wants in place of the one that hold-outs choose, from the next analysis on.

    ``role``: what the model is for; a row per role, gone when the pin is lifted (the audit log keeps it).
    """

    role = models.CharField(max_length=16, unique=True)
    model = models.CharField(max_length=32)
    reason = models.CharField(max_length=500, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)


class StandingVersion(models.Model):
    """Thresholds of loyalty ladder and life cycle as an administrator set them; the newest are in force.

    ``thresholds``: see :meth:`rondo.analysis.thresholds.Thresholds.to_dict`. Rows are only ever added.
    """

    thresholds = models.JSONField()
    reason = models.CharField(max_length=500, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)


class Score(models.Model):
    """The facts of one surviving customer as of the current run; a column per registered fact, swapped as a whole.

    Money in minor units, shares 0 to 1, null where a fact does not exist for the customer.
    """

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="score"
    )
    value = models.BigIntegerField(null=True)
    value_low = models.BigIntegerField(null=True)
    value_high = models.BigIntegerField(null=True)
    expected_purchases = models.FloatField(null=True)
    median_purchases = models.IntegerField(null=True)
    expected_spend = models.BigIntegerField(null=True)
    alive = models.FloatField(null=True)
    churn = models.FloatField(null=True)
    churn_usual = models.FloatField(null=True)
    at_stake = models.BigIntegerField(null=True)
    risk = models.CharField(max_length=12, null=True)  # noqa: DJ001 - null: no model, or no purchase
    risk_driver = models.CharField(max_length=12, null=True)  # noqa: DJ001 - null: the risk is low, or not known
    purchases_ahead = models.FloatField(null=True)
    purchases_ahead_low = models.IntegerField(null=True)
    purchases_ahead_high = models.IntegerField(null=True)
    overdue = models.FloatField(null=True)
    activity = models.CharField(max_length=12, null=True)  # noqa: DJ001 - null: no purchase at all
    first_purchase = models.DateField(null=True)
    last_purchase = models.DateField(null=True)
    recency_days = models.IntegerField(null=True)
    purchase_days = models.IntegerField(null=True)
    orders = models.IntegerField(null=True)
    second_gap_days = models.IntegerField(null=True)
    typical_gap_days = models.FloatField(null=True)
    gap_q90_days = models.FloatField(null=True)
    frequency = models.FloatField(null=True)
    spend = models.BigIntegerField(null=True)
    spend_30 = models.BigIntegerField(null=True)
    spend_90 = models.BigIntegerField(null=True)
    spend_365 = models.BigIntegerField(null=True)
    average_basket = models.BigIntegerField(null=True)
    categories = models.IntegerField(null=True)
    favourite_category = models.CharField(max_length=120, null=True)  # noqa: DJ001 - null: bought nothing categorised
    own_label_share = models.FloatField(null=True)
    discount_share = models.FloatField(null=True)
    stores = models.IntegerField(null=True)
    campaigns_received = models.IntegerField(null=True)
    campaigns_answered = models.IntegerField(null=True)
    last_contact = models.DateField(null=True)
    interactions = models.IntegerField(null=True)
    saved = models.BigIntegerField(null=True)
    saved_by_coupons = models.BigIntegerField(null=True)
    unanswered = models.IntegerField(null=True)
    change = models.CharField(max_length=12, null=True)  # noqa: DJ001 - null: nothing changed beyond chance
    change_weeks = models.IntegerField(null=True)
    change_to = models.CharField(max_length=120, null=True)  # noqa: DJ001 - null: neither mix nor channel changed
    rfm_recency = models.IntegerField(null=True)
    rfm_frequency = models.IntegerField(null=True)
    rfm_monetary = models.IntegerField(null=True)
    ladder = models.CharField(max_length=12, null=True)  # noqa: DJ001 - null: the run is older than the ladder
    stage = models.CharField(max_length=16, null=True)  # noqa: DJ001 - null: the run is older than the life cycle
    stage_since = models.DateField(null=True)
    relationship = models.CharField(max_length=16, null=True)  # noqa: DJ001 - null: the run is older than the types
    relationship_confidence = models.CharField(max_length=8, null=True)  # noqa: DJ001 - null: the type is not known
    relationship_since = models.DateField(null=True)
    bond_local = models.FloatField(null=True)
    bond_contractual = models.FloatField(null=True)
    bond_economic = models.FloatField(null=True)
    bond_technical = models.FloatField(null=True)
    bond_emotional = models.FloatField(null=True)
    attachment = models.CharField(max_length=12, null=True)  # noqa: DJ001 - null: the data cannot tell
    household_members = models.IntegerField(null=True)
    household_value = models.BigIntegerField(null=True)
    household_value_low = models.BigIntegerField(null=True)
    household_value_high = models.BigIntegerField(null=True)
    organisation_members = models.IntegerField(null=True)
    organisation_value = models.BigIntegerField(null=True)
    organisation_value_low = models.BigIntegerField(null=True)
    organisation_value_high = models.BigIntegerField(null=True)

    class Meta:
        db_table = "analysis_score"


class History(models.Model):
    """How one surviving customer came to stand where they stand, as of the current run; swapped as a whole.

    ``stages``, ``rungs`` and ``types`` hold the latest changes, oldest first, as ``2017-03-05 growth;2017-06-11
    maturity``. What the type of relationship rests on, within the window of its rules: purchase days, complaints,
    unprompted ``contacts``, personal ``talks``, campaigns sent and answered, referrals. What the bonds rest on, within
    theirs: purchase days at the main store of those at any, minor units saved and paid, purchase days.
    """

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    stages = models.TextField()
    rungs = models.TextField()
    types = models.TextField(default="")
    window_purchases = models.IntegerField(null=True)
    complaints = models.IntegerField(null=True)
    contacts = models.IntegerField(null=True)
    talks = models.IntegerField(null=True)
    offers_sent = models.IntegerField(null=True)
    offers_answered = models.IntegerField(null=True)
    referrals = models.IntegerField(null=True)
    main_days = models.IntegerField(null=True)
    store_days = models.IntegerField(null=True)
    saved = models.BigIntegerField(null=True)
    paid = models.BigIntegerField(null=True)
    buying_days = models.IntegerField(null=True)

    class Meta:
        db_table = "analysis_history"
