"""Reports by mail: which pages, to whom, when; and what became of each sending."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rondo.foundation.models import User


class Report(models.Model):
    """Pages that are sent as one PDF, once or in a rhythm. The hour is one of the company's zone.

    ``counted_from``: due times up to it are done with; a due time is claimed by moving it. ``weekdays``: 0 is Monday,
    for a weekly rhythm. ``day``: of the month, for a monthly one; where a month is shorter, its last day.
    """

    class Rhythm(models.TextChoices):
        NEVER = "never", _("only when asked")
        DAILY = "daily", _("every day")
        WEEKLY = "weekly", _("on weekdays")
        MONTHLY = "monthly", _("once a month")

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="reports")
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=8, blank=True)
    rhythm = models.CharField(max_length=8, choices=Rhythm.choices, default=Rhythm.WEEKLY)
    weekdays = models.JSONField(default=list)
    day = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(31)])
    hour = models.PositiveSmallIntegerField(default=7, validators=[MaxValueValidator(23)])
    addresses = models.JSONField(default=list)
    recipients = models.ManyToManyField(User, related_name="+", through="Recipient")
    paused_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(default=timezone.now)
    counted_from = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class Recipient(models.Model):
    """A user who gets a report, with what that user may see."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "user"], name="report_recipient")]


class Sending(models.Model):
    """One mail: a report, to one recipient, for one due time; there is never a second row for the same.

    Waiting, then *being made* under a lease, then *handed over* to the mail server, then sent. A worker that dies while
    making leaves nothing: the lease ends and another one takes it up. One that dies while handing over leaves a mail of
    which nobody knows: it becomes *unknown* and is not sent again unless a person asks, under the same Message-ID.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        MAKING = "making", _("being made")
        HANDING = "handing", _("being handed over")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("unknown whether sent")
        HELD = "held", _("not sent")

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="sendings")
    recipient = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    message_id = models.CharField(max_length=200, unique=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    try_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "recipient", "due_at"], name="one_sending")]
        indexes = [models.Index(fields=["status", "try_at"], name="sending_due")]

    def __str__(self) -> str:
        return self.message_id
