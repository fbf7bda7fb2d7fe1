"""What is kept of the erased because the law asks for it: figures without the person, for some years."""

from collections.abc import Sequence
from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from rondo.erasure.models import KeepRule, KeptFigure
from rondo.erasure.queries import keeping, since_of, until_of
from rondo.errors import InputError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.installation import installation
from rondo.foundation.registry import registries

MOST_YEARS = 30
_BATCH = 500


def set_years(actor: Actor, kind: str, years: int) -> None:
    """Say for how many years figures of a kind are kept of whom is erased from now on; 0: not at all.

    Raises:
        PermissionRefused: the actor may not administer. InputError: no such kind, or a number that is none of years.
    """
    actor.require("administer")
    if kind not in registries.kept_figures:
        raise InputError(
            _("%(kind)s: one of %(kinds)s is needed.")
            % {"kind": kind, "kinds": ", ".join(registries.kept_figures.keys())}
        )
    if not 0 <= years <= MOST_YEARS:
        raise InputError(_("years = %(years)d: a number from 0 to %(most)d is needed.") % {"years": years, "most": 30})
    with transaction.atomic():
        before = next(now for figures, now in keeping() if figures.key == kind)
        if before == years:
            return
        KeepRule.objects.update_or_create(kind=kind, defaults={"years": years})
        audit.record(actor, "erasure.rule_changed", "installation", installation().pk, {kind: [before, years]})


def keep_figures(records: Sequence[int]) -> dict[str, int]:
    """Keep what the law asks for of records that are about to be erased; how much of which kind. In the erasing
    transaction."""
    counts: dict[str, int] = {}
    for figures, years in keeping():
        if not years:
            continue
        rows = [
            KeptFigure(kind=figures.key, day=day, values=values, until=until_of(day, years))
            for day, values in figures.read(records, since_of(years))
        ]
        KeptFigure.objects.bulk_create(rows, batch_size=_BATCH)
        counts[figures.key] = len(rows)
    return counts


def drop_ended(today: date) -> int:
    """Delete the figures whose time is over; how many."""
    return KeptFigure.objects.filter(until__lt=today).delete()[0]
