"""The one row that says what the company is and assumes, kept in the process for a few seconds."""

import time
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.ids import new_alphabet
from rondo.foundation.models import Installation

_KEPT_SECONDS = 5.0
_kept: tuple[float, Installation] | None = None
"""Until when (monotonic), and the row. A page asks hundreds of times, for every public id and every amount."""


def installation() -> Installation:
    """The installation's row, made on first use; kept for five seconds per process, to be read and not changed."""
    global _kept
    now = time.monotonic()
    kept = _kept
    if kept is not None and now < kept[0]:
        return kept[1]
    row = Installation.objects.order_by("pk").first()
    if row is None:
        row, _made = Installation.objects.get_or_create(pk=1, defaults={"id_alphabet": new_alphabet()})
    _kept = (now + _KEPT_SECONDS, row)
    return row


def forget() -> None:
    """Read the row anew when it is next asked for."""
    global _kept
    _kept = None


def language() -> str:
    """The company's language: of mails to people who chose none."""
    return installation().language or settings.LANGUAGE_CODE


def zone() -> tzinfo:
    """The company's time zone: what "a day" means in every analysis."""
    return ZoneInfo(installation().time_zone)


def business_now() -> datetime:
    """Now, in the company's zone."""
    return timezone.now().astimezone(zone())


def change_installation(actor: Actor, **fields: object) -> Installation:
    """Set named fields of the installation (company, currency, time_zone, margin_rate, ...), with an audit entry.

    Raises:
        InputError: a value is out of range; PermissionRefused: the actor may not administer.
    """
    from django.core.exceptions import ValidationError

    actor.require("administer")
    installation()
    with transaction.atomic():
        row = Installation.objects.select_for_update().get(pk=1)
        if "time_zone" in fields:
            try:
                ZoneInfo(str(fields["time_zone"]))
            except (KeyError, ValueError, OSError) as error:  # OSError: a folder of zones, or a name too long
                raise InputError(
                    _("time_zone=%(zone)r: no such zone; write one such as Europe/Berlin.")
                    % {"zone": fields["time_zone"]}
                ) from error
        changes: dict[str, list[object]] = {}
        for name, value in fields.items():
            before = getattr(row, name)
            setattr(row, name, value)
            if str(before) != str(value):
                changes[name] = [str(before), str(value)]
        try:
            row.clean_fields(exclude={f.name for f in row._meta.fields} - set(fields))
        except ValidationError as error:
            name, problems = next(iter(error.message_dict.items()))
            raise InputError(f"{name}={fields.get(name)!r}: {' '.join(problems)}") from error
        if changes:
            row.save(update_fields=list(changes))
            audit.record(actor, "installation.changed", "installation", row.pk, changes)
    forget()
    return row
