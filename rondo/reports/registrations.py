"""What reports by mail add to the product: a room whose rows belong to who set them up."""

from django.utils.translation import gettext_lazy as _

from rondo.foundation.registry import Room, registries
from rondo.reports import held
from rondo.reports.queries import ROOM

__all__ = ["held"]

registries.rooms.add(ROOM, Room(ROOM, _("Reports by mail"), 30, ("none", "own", "team", "all"), usual="own"))
