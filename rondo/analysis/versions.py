"""How versions of thresholds are put into force, whatever they are of: one at a time, each with its reason."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.foundation.actors import Actor
from rondo.foundation.models import Installation

_LONGEST_REASON = 500


@contextmanager
def changing(actor: Actor, reason: str) -> Iterator[str]:
    """A transaction in which nobody else changes thresholds; gives the reason as it is kept.

    Raises:
        PermissionRefused: the actor does not administer. InputError: the reason is too long.
    """
    actor.require("administer")
    reason = reason.strip()
    if len(reason) > _LONGEST_REASON:
        raise InputError(
            _("reason: %(count)d characters; write at most %(limit)d.")
            % {"count": len(reason), "limit": _LONGEST_REASON}
        )
    with transaction.atomic():
        # A row that is always there is held, so that of two who change the same version one is told.
        Installation.objects.select_for_update().get()
        yield reason
