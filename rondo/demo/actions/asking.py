"""Ask for the removal of the demo."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from rondo.demo.jobs import enqueue_clearing
from rondo.demo.models import Clearing
from rondo.demo.queries import demo_customers
from rondo.errors import StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.installation import installation


def there_is_demo() -> bool:
    """Whether anything of the demo is here, be it half loaded or half removed."""
    return installation().has_demo or demo_customers().exists()


def request_clearing(actor: Actor, *, by_job: bool = True) -> Clearing:
    """Ask for the removal of the demo; a job does it, unless the caller does. While one is under way, that one is
    returned.

    Raises:
        PermissionRefused: the actor may not administer; StateError: there is no demo.
    """
    actor.require("administer")
    if not there_is_demo():
        raise StateError(_("There is no demo here; nothing was removed."))
    try:
        with transaction.atomic():
            made = Clearing.objects.create(actor=actor.user)
            audit.record(actor, "demo.clearing_asked", "installation", 1, {})
            if by_job:
                enqueue_clearing(made.pk)
    except IntegrityError:
        return Clearing.objects.filter(status__in=[Clearing.Status.QUEUED, Clearing.Status.RUNNING]).latest("pk")
    return made
