"""What the ground floor itself registers."""

from datetime import time, timedelta

from django.utils.translation import gettext_lazy as _

from rondo.foundation.registry import Periodic, Room, registries

# An import or an entry of the log tells of customers: who sees only some of these sees only some of those.
registries.rooms.add(
    "imports", Room("imports", _("Imports"), 40, ("none", "own", "team", "all"), usual="own", narrowed=True)
)
registries.rooms.add("audit", Room("audit", _("Audit log"), 50, ("own", "team", "all"), usual="own", narrowed=True))

registries.periodic.add(
    "tidy", Periodic("tidy", "rondo.foundation.jobs.housekeeping.tidy", timedelta(days=1), time(3, 40))
)
