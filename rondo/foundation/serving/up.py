"""Prepare, start, say where it is, and keep it running."""

import sys
import urllib.error
import urllib.request

from django.conf import settings
from django.db import connections
from django.utils.translation import gettext as _

from rondo.foundation.serving.prepare import check_port, collect_static, first_link, migrate
from rondo.foundation.serving.supervisor import Supervisor

ROLES = ("web", "worker", "scheduler")


def serve(open_link: str | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM: web, worker and scheduler.

    Args:
        open_link: a one-time sign-in link to print when the pages are there; without one, an installation that nobody
            has signed in to yet prints one for its first administrator.

    Raises:
        StateError: the port is taken, or a child cannot be kept running.
    """
    check_port(settings.RONDO_HOST, settings.RONDO_PORT)
    migrate(_say)
    collect_static(_say)
    link = open_link or first_link()
    connections.close_all()

    def tell() -> None:
        _say(_("Rondo is at %(url)s (Ctrl-C ends it).") % {"url": settings.RONDO_URL})
        if link:
            _say(_("Sign in with this link; it works once, within the hour:"))
            _say(f"  {link}")

    Supervisor(ROLES, ready=_answers, on_ready=tell).run()


def _answers() -> bool:
    """Whether the pages are served by now."""
    host = settings.RONDO_HOST
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    shown = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(f"http://{shown}:{settings.RONDO_PORT}/health", headers={"Host": "localhost"})
    try:
        with urllib.request.urlopen(request, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
