"""The model of purchases that an analyst pins in place of the one that hold-outs choose."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.analysis.models import Pin
from rondo.customers.queries import sees_all
from rondo.errors import InputError, PermissionRefused
from rondo.foundation import audit
from rondo.foundation.actors import Actor

ROLE = "purchases"
_LONGEST_REASON = 500


def purchase_model_named(key: str) -> str:
    """``key`` if it names a model of purchases; InputError lists those there are."""
    from rondo.science.models import model_title  # pages that only read a pin have no use for the models

    model_title(key)
    return key


def pin() -> Pin | None:
    """The pin in force, with who set it; None where hold-outs choose."""
    return Pin.objects.filter(role=ROLE).select_related("actor").first()


def pinned_model() -> str:
    """The key of the pinned model; empty where hold-outs choose."""
    row = pin()
    return row.model if row else ""


def pin_model(actor: Actor, model: str, reason: str = "") -> None:
    """Use ``model`` from the next analysis on, whatever the hold-outs say; empty: lift the pin and let them choose.

    Raises:
        PermissionRefused: the actor may not analyse, or sees only some customers: the pin is for all. InputError: no
        such model, or a reason that is too long.
    """
    actor.require("analyse")
    if not sees_all(actor.user):
        raise PermissionRefused(
            _("A model is for all customers, and you may see only some; ask somebody who sees all.")
        )
    if model:
        purchase_model_named(model)
    reason = reason.strip()
    if len(reason) > _LONGEST_REASON:
        raise InputError(
            _("reason: %(length)d characters; at most %(limit)d are kept. Shorten it.")
            % {"length": len(reason), "limit": _LONGEST_REASON}
        )
    with transaction.atomic():
        row = Pin.objects.select_for_update().filter(role=ROLE).first()
        before = row.model if row else ""
        if before == model and (not row or row.reason == reason):
            return
        was = row.reason if row else ""
        key = row.pk if row else 0
        if not model:
            Pin.objects.filter(role=ROLE).delete()
        else:
            row, _made = Pin.objects.update_or_create(
                role=ROLE,
                defaults={"model": model, "reason": reason, "actor": actor.user, "at": timezone.now()},
            )
            key = row.pk
        audit.record(actor, "model.pin", "model", key, {"model": [before, model], "reason": [was, reason]})
