"""The ``rondo`` command: a thin face over Django's management commands that shows errors as sentences."""

import os
import sys


def main() -> None:
    """Run ``rondo COMMAND ...``; a :class:`~rondo.errors.RondoError` is printed as one sentence, exit status 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rondo.settings")
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError, OperationalError

    from rondo import env
    from rondo.errors import RondoError

    for name, meant in env.unknown():
        hint = f"; did you mean {meant}?" if meant else "; docs/settings.md lists them."
        sys.stderr.write(f"rondo: {name} is no setting of Rondo and is ignored{hint}\n")
    try:
        execute_from_command_line(sys.argv)
    except RondoError as error:
        sys.stderr.write(f"rondo: {error}\n")
        sys.exit(2)
    except DatabaseError as error:
        words = str(error).strip()
        unanswered = words.startswith("connection ") or "not a database" in words
        if not unanswered and any(sign in words for sign in ("no such table", "does not exist", "no such column")):
            told = "the database is not set up, or older than this version; run `rondo migrate` first."
        elif unanswered or isinstance(error, OperationalError):
            reason = words.partition("\n")[0]
            told = f"the database does not answer ({reason}); see RONDO_DATABASE_URL and RONDO_HOME."
        else:
            raise
        sys.stderr.write(f"rondo: {told}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("rondo: stopped by the keyboard\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
