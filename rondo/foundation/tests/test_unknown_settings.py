"""A variable that looks like a setting and is none is told, with the one it may stand for."""

import subprocess
import sys

import pytest

from rondo import env

pytestmark = pytest.mark.once


def test_a_misspelt_setting_is_told_with_the_one_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RONDO_PROT", "9")
    monkeypatch.setenv("RONDO_SECRET_KEY_FILE", "/nowhere")
    assert ("RONDO_PROT", "RONDO_PORT") in env.unknown()
    assert "RONDO_SECRET_KEY_FILE" not in dict(env.unknown())
    monkeypatch.delenv("RONDO_SECRET_KEY_FILE")
    done = subprocess.run([sys.executable, "-m", "rondo.cli", "version"], capture_output=True, text=True)
    assert "RONDO_PROT is no setting of Rondo and is ignored; did you mean RONDO_PORT?" in done.stderr
