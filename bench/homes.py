"""Processes of the benchmarks: each runs on a home (and a database) of its own, which is removed afterwards."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def empty_home() -> Iterator[Path]:
    """A new folder for RONDO_HOME."""
    folder = Path(tempfile.mkdtemp(prefix="rondo-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(home: Path, database_url: str = "") -> dict[str, str]:
    """The environment of a process on ``home``, without this process' own RONDO settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RONDO_")}
    own = {"RONDO_HOME": str(home), "DJANGO_SETTINGS_MODULE": "rondo.settings", "RONDO_LOG_LEVEL": "WARNING"}
    return kept | own | ({"RONDO_DATABASE_URL": database_url} if database_url else {})


def call(module: str, *arguments: str, home: Path, database_url: str = "") -> dict[str, Any]:
    """Run ``python -m module ...`` on a home and return the JSON object that its last line of output holds."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment(home, database_url),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def setup() -> None:
    """Start Django in this process and bring the database up to date."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
