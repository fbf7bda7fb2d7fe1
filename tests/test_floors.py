"""Proves the house: imports go down only, science stands alone, migrations match the models."""

import subprocess
import sys

import pytest
from django.core.management import call_command

from tests.tree import ROOT

LONELY = """
import pkgutil, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "pandas", "pyarrow", "ibis", "duckdb", "deltalake", "altair"}:
            raise ImportError(f"science must not need {name}")
sys.meta_path.insert(0, Refuse())
import rondo.science
for found in pkgutil.walk_packages(rondo.science.__path__, "rondo.science."):
    if ".tests" not in found.name:
        __import__(found.name)
"""


@pytest.mark.once
def test_imports_go_down_only() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.once
def test_science_needs_no_framework() -> None:
    done = subprocess.run([sys.executable, "-c", LONELY], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.django_db
def test_migrations_match_the_models() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
