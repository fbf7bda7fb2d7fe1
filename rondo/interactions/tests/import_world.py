"""A database of its own that processes work on which can be killed at a named point: for tests of what survives."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

_DRIVER = """
import json, os, signal, sys
from pathlib import Path
import django
django.setup()
from django.db import connection
from rondo.foundation.actors import system
from rondo.errors import RondoError
from rondo.interactions.importing import ImportOptions, engine, run_import, sweep_dead_loads, sweeping
from rondo.interactions.tests.import_files import state
from rondo.foundation.loading.job import LoadJob

print("ready", flush=True)
while True:
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    file, when = json.loads(line)
    child = os.fork()  # each run is a process of its own, without the seconds that Django takes to start
    if child == 0:
        break
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps(status), flush=True)
output = os.open(os.environ["RONDO_TEST_OUTPUT"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
os.dup2(output, 1)
os.dup2(output, 2)
point, _, number = when.partition(":")
seen = {"count": 0}


def leave(status):
    # Not by way of the interpreter's end: libraries would end threads there that a fork has not taken along.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def die_at(name, function):
    def wrapper(*args, **kwargs):
        result = function(*args, **kwargs)
        if name == point:
            seen["count"] += 1
            if seen["count"] == int(number):
                os.kill(os.getpid(), signal.SIGKILL)
        return result
    return wrapper


LoadJob.insert = die_at("insert", LoadJob.insert)
LoadJob.tick = die_at("chunk", LoadJob.tick)
LoadJob.count = die_at("plan", LoadJob.count)
sweeping._delete = die_at("sweep", sweeping._delete)
engine._Task._publish = die_at("published", engine._Task._publish)
engine.audit.record = die_at("publish", engine.audit.record)
kind = Path(file).stem
mapping = {"orders": None, "products": None, "customers": {"external_id": "external_id", "attribute:size": "size"}}
define = {"size": ("choice", "demographic")} if kind == "customers" else {}
options = ImportOptions(chunk_rows=300, define=define)


def die_after(execute, sql, parameters, many, context):
    done = execute(sql, parameters, many, context)
    wanted = {"helped": "CREATE INDEX rondo_removing", "removed": 'DELETE FROM "catalogue_product"'}.get(point)
    if wanted and sql.startswith(wanted):
        os.kill(os.getpid(), signal.SIGKILL)
    return done


connection.execute_wrappers.append(die_after)
if point == "limit":
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0] + 20}")
try:
    if point == "state":
        sweep_dead_loads()
    else:
        run_import(system("import"), kind, file, mapping.get(kind), source="shop", options=options)
except RondoError as error:
    print(type(error).__name__, error)
    leave(2)
if point == "state":
    from rondo.foundation.models import Load
    from rondo.interactions.models import Interaction, Order, OrderLine
    from rondo.catalogue.models import Category, Product
    from rondo.customers.models import AttributeDefinition, AttributeValue, Customer, Identifier
    from rondo.campaigns.models import Campaign
    models = (Interaction, Order, OrderLine, Customer, Identifier, AttributeDefinition, AttributeValue, Product)
    counts = [model.objects.count() for model in (*models, Category, Campaign)]
    folders = len(list(Path(os.environ["RONDO_HOME"]).glob("import-*/")))
    loads = sorted(Load.objects.values_list("status", flat=True))
    print(json.dumps({"state": state(), "counts": counts, "loading": loads.count("loading"), "folders": folders}))
leave(0)
"""


class World:
    """A database of its own, with all tables, driven by processes that can be killed."""

    def __init__(self, home: Path, url: str, output: Path) -> None:
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RONDO_")},
            "RONDO_HOME": str(home),
            "RONDO_LOG_LEVEL": "ERROR",
            "RONDO_TEST_OUTPUT": str(output),
            "DJANGO_SETTINGS_MODULE": "rondo.settings",
            **({"RONDO_DATABASE_URL": url} if url else {}),
        }
        self.home = home
        self.output = output
        self._driver = subprocess.Popen(
            [sys.executable, "-c", _DRIVER],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._told()

    def _told(self) -> str:
        assert self._driver.stdout is not None
        return self._driver.stdout.readline()

    def drive(self, file: Path, when: str) -> "subprocess.CompletedProcess[str]":
        """Import ``file`` (named like its kind) in a process that dies at ``when`` (point:number), or ``never``."""
        assert self._driver.stdin is not None
        self._driver.stdin.write(json.dumps([str(file), when]) + "\n")
        self._driver.stdin.flush()
        status = int(self._told())
        text = self.output.read_text()
        assert status in {0, 2, -signal.SIGKILL}, text
        return subprocess.CompletedProcess([str(file), when], status, text, "")

    def state(self) -> Any:
        """What a reader sees, the number of rows that stand in the tables, and how many runs are unfinished."""
        return json.loads(self.drive(self.home, "state").stdout)

    def close(self) -> None:
        """End the process that starts the others."""
        self._driver.communicate(timeout=240)
