"""What tests of dying processes and full disks share: databases of their own, and a file of orders."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

from rondo.interactions.tests.import_world import World


@pytest.fixture
def make_world(tmp_path: Path, server_address: str) -> Iterator[Any]:
    """Makes databases of the kind that the suite runs on, where one likes, and drops those of PostgreSQL."""
    made: list[str] = []
    worlds: list[World] = []
    is_postgresql = connection.vendor == "postgresql"

    def admin(statement: str) -> None:
        import psycopg

        with psycopg.connect(server_address, autocommit=True) as session:
            session.execute(statement)

    def make(name: str, *, home: Path | None = None, tablespace: str = "pg_default") -> World:
        home = home or tmp_path / name
        home.mkdir(exist_ok=True)
        worlds.append(World(home, place(name, tablespace) if is_postgresql else "", tmp_path / f"{name}.output"))
        return worlds[-1]

    def place(name: str, tablespace: str) -> str:
        database = f"rondo_crash_{os.getpid()}_{name}"
        admin(f'CREATE DATABASE "{database}" TABLESPACE {tablespace}')
        made.append(database)
        parts = urlsplit(server_address)
        return parts._replace(path=f"/{database}").geturl()

    yield make
    for world in worlds:
        world.close()
    for database in made:
        admin(f'DROP DATABASE "{database}" WITH (FORCE)')


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """900 orders of 3 lines, the lines of an order far apart."""
    lines = [
        f"o{i},c{i % 97},p{(i * 7 + k) % 211},2017-03-{i % 28 + 1:02} 10:{i % 60:02}:00,{k + 1},{i}.{k}5"
        for k in range(3)
        for i in range(900)
    ]
    path = tmp_path / "orders.csv"
    path.write_text("order,customer,product,occurred_at,quantity,total\n" + "\n".join(lines) + "\n")
    return path
