"""Ask for a search for duplicates."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from rondo.customers.queries import sees_all
from rondo.duplicates.jobs import enqueue_search
from rondo.duplicates.models import Search
from rondo.errors import PermissionRefused
from rondo.foundation import audit
from rondo.foundation.actors import Actor


def request_search(actor: Actor) -> Search:
    """Ask for a search; a job does it. While one is under way, that one is returned.

    Raises:
        PermissionRefused: the actor may not merge, or does not see all customers.
    """
    actor.require("merge")
    if actor.user is not None and not sees_all(actor.user):
        raise PermissionRefused(_("This looks at all customers, and you may see only some; ask somebody who sees all."))
    try:
        with transaction.atomic():
            made = Search.objects.create(actor=actor.user)
            audit.record(actor, "search.requested", "search", made.pk, {})
            enqueue_search(made.pk)
    except IntegrityError:
        return Search.objects.filter(status__in=[Search.Status.QUEUED, Search.Status.RUNNING]).latest("pk")
    return made
