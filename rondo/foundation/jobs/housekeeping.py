"""What is thrown away in time: ended tasks, expired sessions and links, signs of life of dead processes."""

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from rondo.foundation import api_answers
from rondo.foundation.actors import Actor
from rondo.foundation.jobs import leases
from rondo.foundation.models import Attempt, JobLease, LoginLink, UserSession

KEEP_ENDED_TASKS = timedelta(days=14)
KEEP_ATTEMPTS = timedelta(days=1)
"""Longer than any window of :mod:`rondo.foundation.throttling`."""


def tidy(actor: Actor) -> dict[str, int]:
    """Remove what nobody needs any more; returns how many rows of what."""
    now = timezone.now()
    ended = DBTaskResult.objects.filter(
        status__in=[TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED], finished_at__lt=now - KEEP_ENDED_TASKS
    )
    gone = {
        "tasks": ended.delete()[0],
        "sessions": Session.objects.filter(expire_date__lt=now).delete()[0],
        "links": LoginLink.objects.filter(Q(expires_at__lt=now) | Q(used_at__isnull=False)).delete()[0],
        "beats": leases.forget_beats(),
        "answers": api_answers.forget_old(),
        "attempts": Attempt.objects.filter(at__lt=now - KEEP_ATTEMPTS).delete()[0],
    }
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    open_tasks = DBTaskResult.objects.filter(status__in=[TaskResultStatus.READY, TaskResultStatus.RUNNING])
    gone["leases"] = JobLease.objects.exclude(task_id__in=open_tasks.values("pk")).delete()[0]
    return gone
