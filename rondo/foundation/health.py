"""``/health``: whether this installation can serve, for supervisors and load balancers."""

import threading
from typing import Any

from django.db import connection
from django.db.utils import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rondo import __version__
from rondo.foundation.models import ProcessBeat

WORKER_LATE_SECONDS = 60.0
"""A worker's sign of life older than this means that jobs wait."""

_applied = threading.Event()
"""Set once all migrations were seen applied: that cannot change while this process runs."""


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """JSON: ``status`` is ``ok``, ``degraded`` (no worker: pages work, jobs wait) or ``failing`` (answered with 503).

    ``database`` and ``migrations`` are ``ok`` or say what is wrong; ``worker_age_seconds`` is null without a worker.
    """
    report: dict[str, Any] = {
        "status": "ok",
        "version": __version__,
        "database": "ok",
        "migrations": "ok",
        "worker_age_seconds": None,
    }
    try:
        report["migrations"] = _migrations()
        if report["migrations"] == "ok":
            report["worker_age_seconds"] = age = _worker_age()
            if age is None or age > WORKER_LATE_SECONDS:
                report["status"] = "degraded"
        else:
            report["status"] = "failing"
    except DatabaseError as error:
        report |= {
            "status": "failing",
            "database": f"does not answer ({type(error).__name__})",
            "migrations": "unknown",
        }
    return JsonResponse(report, status=503 if report["status"] == "failing" else 200)


def _migrations() -> str:
    if not _applied.is_set():
        from rondo.foundation.serving.prepare import open_migrations

        if count := open_migrations():
            return f"{count} to apply; run rondo migrate"
        _applied.set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return "ok"


def _worker_age() -> float | None:
    last = ProcessBeat.objects.filter(role="worker").order_by("-at").values_list("at", flat=True).first()
    return None if last is None else round(max(0.0, (timezone.now() - last).total_seconds()), 1)
