"""The ``rondo`` command: a thin face over Django's management commands that shows errors as sentences."""

import os
import sys


def main() -> None:
    """Run ``rondo COMMAND ...``; a :class:`~rondo.errors.RondoError` is printed as one sentence, exit status 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rondo.settings")
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    from rondo.errors import RondoError

    try:
        execute_from_command_line(sys.argv)
    except RondoError as error:
        sys.stderr.write(f"rondo: {error}\n")
        sys.exit(2)
    except DatabaseError as error:
        if not any(words in str(error) for words in ("no such table", "does not exist", "no such column")):
            raise
        sys.stderr.write("rondo: the database is not set up, or older than this version; run `rondo migrate` first.\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write("rondo: stopped by the keyboard\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
