"""What erasure does every night: what was stopped goes on, freed pages are overwritten, figures whose time is over go,
and the ledger of the home is brought up to that of the database."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from rondo.erasure.actions import ledger
from rondo.erasure.actions.again import erase_again
from rondo.erasure.actions.doing import carry_out, erase_rows
from rondo.erasure.actions.keeping import drop_ended
from rondo.erasure.actions.overwriting import may_overwrite, overwrite
from rondo.erasure.models import Erased, Erasure
from rondo.erasure.queries import in_order
from rondo.foundation.actors import Actor
from rondo.foundation.installation import business_now

_BATCH = 500
_STOPPED = timedelta(hours=12)
"""Longer than any erasure works: one that is under way for so long was killed where no job takes it up again."""
_LATELY = timedelta(days=7)
"""Longer than any import runs."""


def every_night(actor: Actor) -> dict[str, int]:
    """Do it; how many erasures were finished, figures dropped, and rows found that came to erased records since (an
    import that ran meanwhile)."""
    done = {"figures": drop_ended(business_now().date()), "marks": ledger.mirror(), "rows": _late()}
    done["erasures"], errors = 0, []
    try:
        erase_again(actor)  # a restore that was stopped before it came to that
    except Exception as error:
        errors.append(error)
    long_ago = timezone.now() - _STOPPED
    lost = Q(started_at__lt=long_ago) | Q(started_at=None, created_at__lt=long_ago)
    under_way = Q(status__in=[Erasure.Status.QUEUED, Erasure.Status.RUNNING])
    stopped = Erasure.objects.filter(Q(status=Erasure.Status.FAILED) | under_way & lost).order_by("pk")
    for key in list(stopped.values_list("pk", flat=True)):
        try:
            done["erasures"] += carry_out(key, at_night=True).status == Erasure.Status.DONE
        except Exception as error:  # one that cannot be done holds up none of the others
            errors.append(error)
    waiting = Erasure.objects.filter(overwritten_at=None, rows_at__isnull=False)
    if waiting.exists() and may_overwrite(at_night=True):
        keys = list(waiting.values_list("pk", flat=True))
        if overwrite():
            Erasure.objects.filter(pk__in=keys).update(overwritten_at=timezone.now())
    if errors:
        raise errors[0]
    return done


def _late() -> int:
    """Rows of erased records that an import wrote which had matched them before; they go, too."""
    found = 0
    lately = Erased.objects.filter(at__gte=timezone.now() - _LATELY)
    keys = list(lately.order_by("record").values_list("record", flat=True))
    for start in range(0, len(keys), _BATCH):
        some = keys[start : start + _BATCH]
        late = sum(
            holding.model._base_manager.filter(holding.of(some)).count()
            for holding in in_order()
            if holding.fate == "delete"
        )
        if late:
            with transaction.atomic():
                erase_rows(some)
            found += late
    return found
