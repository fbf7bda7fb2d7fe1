"""Studies and the customers they found."""

from django.db import models
from django.db.models import Q

from rondo.analysis.segments.models import Segment
from rondo.customers.models import Customer
from rondo.foundation.long_work import LongWork


class Study(LongWork):
    """One question and its answer. ``kind`` is registered in ``registries.studies``; ``segment`` or ``subject`` say
    what it is about. ``step``, ``done`` and ``total`` tell how far the job is. ``fingerprint`` is of the features it
    read, as of ``as_of``; ``results`` what the pages show."""

    kind = models.CharField(max_length=20)
    subject = models.CharField(max_length=120, blank=True)
    segment = models.ForeignKey(Segment, null=True, on_delete=models.CASCADE, related_name="studies")
    run = models.ForeignKey("analysis.Run", null=True, on_delete=models.SET_NULL, related_name="+")
    as_of = models.DateField(null=True)
    config = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "analysis_study"
        indexes = [models.Index(fields=["kind", "segment", "subject", "id"], name="study_latest")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "segment", "subject"],
                condition=Q(status__in=["queued", "running"], segment__isnull=False),
                name="study_one_under_way",
            ),
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(status__in=["queued", "running"], segment__isnull=True),
                name="study_one_under_way_of_all",
            ),
        ]


class StudyCustomer(models.Model):
    """A customer that a study found: ``place`` from 1, ``score`` on the study's own scale, ``other`` the customer they
    belong to (the member whom a control was found for)."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="customers", db_index=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    place = models.BigIntegerField()
    score = models.FloatField()
    other = models.ForeignKey(Customer, null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False)

    class Meta:
        db_table = "analysis_study_customer"
        constraints = [
            models.UniqueConstraint(fields=["study", "place"], name="study_place"),
            models.UniqueConstraint(fields=["study", "customer"], name="study_customer_once"),
        ]
        indexes = [models.Index(fields=["study", "score"], name="study_score")]


class Series(models.Model):
    """A figure of every customer that rules can ask for: the scores of the study that it points to. A new study of the
    same question takes the place of the old one in one step. ``choices``: how many groups the scores number, from 0;
    0 where the score is a share."""

    key = models.SlugField(max_length=60, unique=True)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="series")
    choices = models.IntegerField(default=0)

    class Meta:
        db_table = "analysis_series"
