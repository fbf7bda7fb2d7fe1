"""``rondo import`` tells how far it is, also where nobody sees a bar: steps, rows, rate and time left."""

from pathlib import Path

import pytest
from django.core.management import call_command

from rondo.foundation import progress
from rondo.foundation.models import Installation
from rondo.interactions.tests.import_files import write

pytestmark = pytest.mark.django_db


def test_rows_rate_and_time_left_are_told(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "PLAIN_EVERY_SECONDS", 0.0)
    path = write(tmp_path, "external_id,name\n" + "".join(f"{n},Ann {n}\n" for n in range(1, 501)))
    call_command("import", "customers", str(path))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "reading: started"
    writing = lines.index("writing: started")
    assert lines[writing - 1].startswith("reading: done in ")
    assert any(line.startswith("writing: 500 of 500, ") and "/s, 0 s left" in line for line in lines[writing:])
    assert lines[-1].startswith("writing: done in ")
