"""A copy of the suite's database as migrations leave it, for processes that tests start: migrating takes seconds."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


def keep(connection: "BaseDatabaseWrapper | Any", folder: Path) -> str:
    """Copies the connection's database; the path of a file of SQLite, or a name on the PostgreSQL server.

    Raises:
        django.db.Error: somebody else is connected to the database (PostgreSQL).
    """
    name = f"rondo_empty_{os.getpid()}"
    if connection.vendor == "sqlite":
        path = folder / f"{name}.sqlite3"
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(path)])
        return str(path)
    source = connection.settings_dict["NAME"]
    connection.close()  # nobody may be connected to what is copied
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')  # what a killed run of the same number left
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    return name


def drop(name: str, server: str) -> None:
    """Removes a copy from the server; a file goes with the folder that it is in."""
    if server:
        on_server(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def on_server(server: str, statement: str) -> None:
    """A statement that stands in no transaction, in the database that the server's address names."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as session:
        session.execute(statement)
