"""What tests of dying processes and full disks share: databases of their own, and a file of orders."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from rondo.interactions.tests.import_world import World
from tests.empty_store import on_server


def _on(server: str, database: str) -> str:
    return urlsplit(server)._replace(path=f"/{database}").geturl()


@pytest.fixture
def make_world(tmp_path: Path, server_address: str, empty_store: str) -> Iterator[Any]:
    """Makes databases of the kind that the suite runs on, where one likes, and drops those of PostgreSQL."""
    made: list[str] = []
    worlds: list[World] = []

    def make(name: str, *, home: Path | None = None, tablespace: str = "pg_default") -> World:
        home = home or tmp_path / name
        home.mkdir(exist_ok=True)
        url = ""
        if server_address:
            made.append(f"rondo_crash_{os.getpid()}_{name}")
            on_server(server_address, f'CREATE DATABASE "{made[-1]}" TEMPLATE "{empty_store}" TABLESPACE {tablespace}')
            url = _on(server_address, made[-1])
        else:
            shutil.copy(empty_store, home / "rondo.sqlite3")
        worlds.append(World(home, url, tmp_path / f"{name}.output"))
        return worlds[-1]

    yield make
    for world in worlds:
        world.close()
    for database in made:
        on_server(server_address, f'DROP DATABASE "{database}" WITH (FORCE)')


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
