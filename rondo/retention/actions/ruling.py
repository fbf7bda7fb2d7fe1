"""Say what goes after how long."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.retention.kinds import KINDS
from rondo.retention.models import Rule

MOST_DAYS = 36500


def check_days(key: str, wanted: int | None) -> None:
    """Raises InputError for an unknown kind, or days that are too few or too many."""
    kind = KINDS.get(key)
    if kind is None or (wanted is not None and not kind.least <= wanted <= MOST_DAYS):
        raise InputError(
            _("%(kind)s: %(days)s days; from %(least)d to %(most)d are possible, or none.")
            % {
                "kind": kind.label if kind else key,
                "days": wanted,
                "least": kind.least if kind else 1,
                "most": MOST_DAYS,
            }
        )


def change_rules(actor: Actor, days: Mapping[str, int | None]) -> None:
    """Set after how many days what goes, by key of the kind; None: it stays for good. Takes effect in the next night.

    Raises:
        PermissionRefused: the actor may not administer; or not erase, for a rule that erases. InputError: an unknown
        kind, or days that are too few or too many.
    """
    actor.require("administer")
    with transaction.atomic():
        before = dict(Rule.objects.select_for_update().order_by("pk").values_list("kind", "days"))
        for key, wanted in days.items():
            check_days(key, wanted)
            if wanted == before.get(key):
                continue
            if key == "bin":
                actor.require("erase")
            if wanted is None:
                Rule.objects.filter(kind=key).delete()
            else:
                fields = {"days": wanted, "actor": actor.user, "at": timezone.now()}
                Rule.objects.update_or_create(kind=key, defaults=fields)
            audit.record(actor, "retention.changed", "retention", 0, {key: [before.get(key), wanted]})
