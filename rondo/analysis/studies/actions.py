"""The verbs of studies: ask, answer (the job), and keep the customers found as a static segment."""

import json
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from rondo.analysis.counted import keep_of_study
from rondo.analysis.segments.actions import create_segment
from rondo.analysis.segments.jobs import request_refreshes
from rondo.analysis.segments.ledger import apply_members
from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.queries import day_of_rules, standing
from rondo.analysis.studies.jobs import enqueue_study
from rondo.analysis.studies.models import Series, Study, StudyCustomer
from rondo.analysis.studies.outcome import Answer, Found, Outcome
from rondo.analysis.studies.queries import customers_at
from rondo.analysis.studies.series import copy_series
from rondo.customers.queries import sees_all
from rondo.errors import InputError, NotFound, PermissionRefused
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.long_work import worked_on
from rondo.foundation.registry import registries

KEPT_STUDIES = 3
"""Of so many answered studies of one question the customers are kept; of older ones only the results."""

_CHUNK = 20_000


def request_study(
    actor: Actor, kind: str, *, segment: Segment | None = None, subject: str = "", config: dict[str, Any] | None = None
) -> Study:
    """Ask a question; a job answers it. While the same question is under way, its study is returned.

    Raises:
        PermissionRefused: the actor may not change segments, or does not see all customers: studies are of the whole
        base. NotFound: no such kind.
    """
    actor.require("segment")
    if actor.user is not None and not sees_all(actor.user):
        raise PermissionRefused(_("This looks at all customers, and you may see only some; ask somebody who sees all."))
    if kind not in registries.studies:
        raise NotFound(
            _("There is no kind of study %(kind)r; one of %(kinds)s is needed.")
            % {"kind": kind, "kinds": ", ".join(registries.studies.keys())}
        )
    under_way = Study.objects.filter(kind=kind, segment=segment, subject=subject).filter(
        status__in=[Study.Status.QUEUED, Study.Status.RUNNING]
    )
    try:
        with transaction.atomic():
            study = Study.objects.create(
                kind=kind, segment=segment, subject=subject, config=config or {}, actor=actor.user
            )
            about = segment.key if segment is not None else subject
            audit.record(actor, "study.requested", "study", study.pk, {"kind": [None, kind], "of": [None, about]})
            enqueue_study(study.pk)
    except IntegrityError:
        return under_way.latest("id")
    return study


def answer_study(key: int) -> Study:
    """Answer a study and keep the answer; one that fails says why. Safe to run twice: the same data give the same.

    Raises whatever is no error of Rondo's own, after it has been written down.
    """
    study = Study.objects.get(pk=key)
    if not study.under_way:
        return study
    answer: Answer = import_string(registries.studies[study.kind].answer)
    with worked_on(study) as report:
        _keep(study, answer(study, report))
    study.refresh_from_db()
    return study


def _keep(study: Study, outcome: Outcome) -> None:
    StudyCustomer.objects.filter(study=study).delete()  # of a worker that died before it was done
    for start in range(0, outcome.found.customers.size, _CHUNK):
        with transaction.atomic():
            _insert(study, outcome.found, start)
    series = outcome.published
    if series is not None:
        copy_series(study, series.key, outcome.found)
    with transaction.atomic():
        Study.objects.filter(pk=study.pk).update(
            status=Study.Status.DONE,
            finished_at=timezone.now(),
            results=outcome.results,
            config=outcome.config,
            fingerprint=outcome.fingerprint,
            run=outcome.run,
            as_of=outcome.as_of,
            error="",
        )
        keep_of_study(study, outcome.counted)
        if series is None:
            Series.objects.filter(
                study__kind=study.kind, study__segment=study.segment, study__subject=study.subject
            ).delete()
        else:
            Series.objects.update_or_create(key=series.key, defaults={"study_id": study.pk, "choices": series.choices})
            if any(series.key in json.dumps(rule) for rule in standing().values_list("rule", flat=True)):
                request_refreshes()
        same = Study.objects.filter(
            kind=study.kind, segment=study.segment, subject=study.subject, status=Study.Status.DONE
        )
        # Everybody's figures are served from the latest study alone.
        old = list(same.order_by("-id").values_list("pk", flat=True)[1 if series else KEPT_STUDIES :])
        StudyCustomer.objects.filter(study_id__in=old).delete()


def _insert(study: Study, found: Found, start: int) -> None:
    chunk = slice(start, start + _CHUNK)
    keys, scores = found.customers[chunk].tolist(), found.scores[chunk].tolist()
    others = found.others[chunk].tolist() or [None] * len(keys)
    places = range(start + 1, start + 1 + len(keys))
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO analysis_study_customer (study_id, customer_id, place, score, other_id) "
            "VALUES (%s, %s, %s, %s, %s)",
            [(study.pk, *row) for row in zip(keys, places, scores, others, strict=True)],
        )


def keep_as_segment(
    actor: Actor, study: Study, *, name: str, places: int | None = None, first: int = 1, description: str = ""
) -> Segment:
    """Make a static segment of the customers a study found: those from place ``first`` to place ``places``, or all.

    Raises:
        InputError: no name, or no customer at those places. PermissionRefused: the actor may not change segments.
    """
    actor.require("segment")
    last = StudyCustomer.objects.filter(study=study).order_by("-place").values_list("place", flat=True).first() or 0
    wanted = last if places is None else places
    if not 1 <= first <= wanted <= last:
        raise InputError(
            _("%(wanted)s customers cannot be taken: the study kept %(kept)s; write a number from 1 to that.")
            % {"wanted": wanted, "kept": last}
        )
    with transaction.atomic():
        row = create_segment(actor, name=name, kind=Segment.Kind.STATIC, description=description, form="behavioural")
        row = Segment.objects.select_for_update().get(pk=row.pk)
        keys = sorted(customers_at(actor.user, study, first, wanted).values_list("pk", flat=True))
        apply_members(row, day_of_rules(), entered=keys, left=[])
        audit.record(
            actor,
            "segment.members_added",
            "segment",
            row.pk,
            {"study": [None, study.pk], "count": [None, len(keys)]},
        )
    return row
