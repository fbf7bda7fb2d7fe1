"""Half a file of refused rows, left by an import that was killed, goes; one that is being written stays."""

import os
from pathlib import Path
from typing import Any

import pytest

from rondo.interactions.importing import sweep_dead_loads
from rondo.interactions.importing.rejects import made_whole, unfinished

pytestmark = pytest.mark.django_db


def test_the_sweep_removes_what_a_killed_import_was_writing(settings: Any, tmp_path: Path) -> None:
    settings.RONDO_HOME = tmp_path
    folder = tmp_path / "rejects"
    folder.mkdir()
    dead = folder / "customers-run-7.00ff.part"
    dead.write_text("line,column,value,reason,Name\n7,Mail,x,is no address,Ada")
    with made_whole(folder / "customers-run-8.csv") as file:
        for one in unfinished():
            os.utime(one, (0, 0))
        sweep_dead_loads()
        assert [one.name for one in unfinished()] != [] and not dead.exists()
        file.write("line\n")
    assert unfinished() == [] and (folder / "customers-run-8.csv").read_text() == "line\n"
    dead.write_text("begun a moment ago")
    sweep_dead_loads()
    assert dead.exists()
