"""The command says what is wrong in one sentence, without a traceback."""

from pathlib import Path

import pytest

from tests.demo_home import environment_for, rondo


def test_a_database_that_is_not_set_up_is_told_with_its_remedy(tmp_path: Path) -> None:
    done = rondo(environment_for(tmp_path), "analyse", check=False)
    assert done.returncode == 2
    assert "rondo migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setting_that_cannot_be_used_is_told_by_name(tmp_path: Path) -> None:
    done = rondo(environment_for(tmp_path, RONDO_PORT="eighty"), "analyse", check=False)
    assert done.returncode == 2
    assert "RONDO_PORT='eighty'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://u@h/x", "begins with 'mysql'"),
        ("postgresql://u@h:eighty/x", "RONDO_DATABASE_URL: "),
        ("postgresql://u@127.0.0.1:1/x", "does not answer"),
        ("postgresql://u@127.0.0.1:1/x?sslmode=bogus", "sslmode"),
        ("sqlite:////no/such/folder/rondo.sqlite3", "does not answer"),
    ],
)
def test_a_database_that_cannot_be_reached_is_told(tmp_path: Path, url: str, told: str) -> None:
    done = rondo(environment_for(tmp_path, RONDO_DATABASE_URL=url), "analyse", check=False)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "value"), [("RONDO_HOME", "/dev/null/home"), ("RONDO_URL", "crm.example.org"), ("RONDO_URL", "http//x")]
)
def test_a_home_or_an_address_that_is_none_is_told(tmp_path: Path, setting: str, value: str) -> None:
    done = rondo(environment_for(tmp_path) | {setting: value}, "analyse", check=False)
    assert done.returncode == 2
    assert f"{setting}=" in done.stderr
    assert "Traceback" not in done.stderr
