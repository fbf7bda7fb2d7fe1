"""The web process starts, and answers from what is kept, without the libraries of the analysis and of drawing."""

import json
import os
import subprocess
import sys
from pathlib import Path

HEAVY = ("scipy", "sklearn", "ibis", "duckdb", "splink", "deltalake", "altair", "vl_convert", "typst")

SCRIPT = """
import json, sys
import rondo.wsgi
from django.core.management import call_command
from django.test import Client
from rondo.customers.models import Customer
from rondo.foundation.models import User
from rondo.web.drawing import draw_ahead
from rondo.web.tests.sample import store_run

found = {{}}
if sys.argv[1] == "draw":
    call_command("migrate", verbosity=0)
    User.objects.create_user("a@example.org", role="administrator", reach="all")
    Customer.objects.create(kind="person", name="Ada")
    store_run()
    draw_ahead()
else:
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get())
    person = Customer.objects.get()
    for path in ("/", "/portfolio/", "/customers/", f"/customers/{{person.public_id}}/", "/palette?q=a"):
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        if path == "/portfolio/":
            assert b"<svg" in answer.content
print(json.dumps([name for name in {heavy!r} if name in sys.modules]))
"""


def run(step: str, home: Path) -> list[str]:
    """The heavy libraries that a process of its own imported to do ``step``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RONDO_")}
    (home / "static").mkdir(exist_ok=True)
    own = {"RONDO_HOME": str(home), "DJANGO_SETTINGS_MODULE": "rondo.settings", "RONDO_DEBUG": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(heavy=HEAVY), step],
        cwd=Path(__file__).parents[3],
        env=kept | own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def test_pages_are_served_without_what_analyses_and_draws(migrated_home: Path) -> None:
    assert {"altair", "vl_convert"} <= set(run("draw", migrated_home))
    assert run("serve", migrated_home) == []
