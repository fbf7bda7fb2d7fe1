"""``rondo segments list|refresh [KEY]``: what segments there are, and computing them now."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.analysis.segments.models import Segment
from rondo.analysis.segments.queries import standing
from rondo.analysis.segments.refreshing import refresh_all, refresh_segment
from rondo.errors import StateError
from rondo.foundation.actors import system
from rondo.foundation.management.base import RondoCommand


class Command(RondoCommand):
    help = gettext_noop("List the segments, or compute one of them or all of them now.")
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help=_("Key, size, freshness and state of every segment."))
        refresh = verbs.add_parser("refresh", help=_("Compute one segment, or all of them."))
        refresh.add_argument("key", nargs="?", default="", help=_("Key of the segment; all of them unless given."))

    def handle(self, *args: Any, verb: str, key: str = "", **options: Any) -> None:
        failed = 0
        if verb == "refresh":
            failed = refresh_all() if not key else refresh_segment(system(), key).status == Segment.Status.FAILED
        for row in standing():
            if not key or row.key == key:
                day = row.as_of.isoformat() if row.as_of else "-"
                self.stdout.write(f"{row.key}\t{row.size}\t{day}\t{row.status}\t{row.error}".rstrip())
        if failed:
            raise StateError(_("%(n)d of the segments failed; the list says why.") % {"n": int(failed)})
