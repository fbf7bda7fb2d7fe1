"""What erasure does every night: what was stopped goes on, freed pages are overwritten, figures whose time is over go,
and the ledger of the home is brought up to that of the database."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from rondo.erasure.actions import ledger
from rondo.erasure.actions.doing import carry_out, erase_rows
from rondo.erasure.actions.keeping import drop_ended
from rondo.erasure.actions.overwriting import may_overwrite, overwrite
from rondo.erasure.models import Erased, Erasure
from rondo.erasure.queries import in_order
from rondo.foundation.actors import Actor
from rondo.foundation.installation import business_now

_BATCH = 500
_LATELY = timedelta(days=7)
"""Longer than any import runs."""


def every_night(actor: Actor) -> dict[str, int]:
    """Do it; how many erasures were finished, figures dropped, and rows found that came to erased records since (an
    import that ran meanwhile)."""
    done = {"figures": drop_ended(business_now().date()), "marks": ledger.mirror(), "rows": _late()}
    failed = Erasure.objects.filter(status=Erasure.Status.FAILED).order_by("pk").values_list("pk", flat=True)
    done["erasures"], errors = 0, []
    for key in list(failed):
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
