"""What has to be in place before the first request: tables, static files, a free port, somebody who can sign in."""

import hashlib
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from rondo.errors import StateError
from rondo.foundation.accounts import add_first_administrator, make_login_link
from rondo.foundation.actors import system
from rondo.foundation.models import User
from rondo.foundation.rights import ADMINISTRATOR

Say = Callable[[str], None]


def open_migrations() -> int:
    """How many migrations the database has not seen yet."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def migrate(say: Say) -> None:
    """Bring the tables to this version."""
    if count := open_migrations():
        say(_("Preparing the database (%(count)d steps)") % {"count": count})
        call_command("migrate", verbosity=0, interactive=False)


def collect_static(say: Say) -> None:
    """Bring the static files to where they are served from; a stamp of names, sizes and times makes the next start
    quick, and is written last, so that an interrupted run is done again."""
    if settings.DEBUG:
        return
    stamp = Path(settings.STATIC_ROOT) / ".stamp"
    wanted = _static_fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(_("Collecting styles and scripts"))
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(wanted)


def _static_fingerprint() -> str:
    seen = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            at = Path(storage.path(name)).stat()
            seen.update(f"{name}\0{at.st_size}\0{at.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def check_port(host: str, port: int) -> None:
    """Raise StateError, naming the port and how to choose another, if somebody listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StateError(
                _(
                    "%(host)s:%(port)d cannot be listened on (%(reason)s); choose another port: "
                    "RONDO_PORT=%(other)d, or PORT=%(other)d with make."
                )
                % {"host": host, "port": port, "reason": error.strerror, "other": port + 10}
            ) from error


def first_link() -> str | None:
    """A one-time link for the first administrator, as long as nobody has ever been able to sign in; None afterwards.

    On an empty database the administrator is made here, without a password.
    """
    people = User.objects.filter(is_service=False)
    if not people.exists():
        host = urlsplit(settings.RONDO_URL).hostname or "localhost"
        return make_login_link(system(), add_first_administrator(system(), host))
    if people.filter(last_login__isnull=False).exists() or any(user.has_usable_password() for user in people):
        return None
    admin_ = people.filter(role__key=ADMINISTRATOR, is_active=True).order_by("pk").first()
    return make_login_link(system(), admin_) if admin_ else None
