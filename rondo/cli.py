"""The ``rondo`` command: a thin face over Django's management commands that shows errors as sentences."""

import os
import sys

from rondo.speech import gettext as _


def main() -> None:
    """Run ``rondo COMMAND ...``; a :class:`~rondo.errors.RondoError` is printed as one sentence, exit status 2."""
    os.umask(0o077)  # what it writes holds personal data: no other account of the machine reads it
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rondo.settings")
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError, OperationalError

    from rondo import env
    from rondo.errors import RondoError

    for name, meant in env.unknown():
        if meant:
            told = _("%(name)s is no setting of Rondo and is ignored; did you mean %(meant)s?")
        else:
            told = _("%(name)s is no setting of Rondo and is ignored; docs/settings.md lists them.")
        _say(told % {"name": name, "meant": meant})
    try:
        execute_from_command_line(sys.argv)
    except RondoError as error:
        _say(str(error))
        sys.exit(2)
    except DatabaseError as error:
        words = str(error).strip()
        unanswered = words.startswith("connection ") or "not a database" in words
        if not unanswered and any(sign in words for sign in ("no such table", "does not exist", "no such column")):
            told = _("The database is not set up, or older than this version; run “rondo migrate” first.")
        elif unanswered or isinstance(error, OperationalError):
            told = _("The database does not answer (%(reason)s); see RONDO_DATABASE_URL and RONDO_HOME.")
        else:
            raise
        _say(told % {"reason": words.partition("\n")[0]})
        sys.exit(2)
    except KeyboardInterrupt:
        _say(_("stopped by the keyboard"))
        sys.exit(130)


def _say(sentence: str) -> None:
    sys.stderr.write(f"rondo: {sentence}\n")


if __name__ == "__main__":
    main()
