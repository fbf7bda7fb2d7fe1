"""The command says what is wrong in one sentence, without a traceback."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po
from django.apps import apps

from rondo import speech
from rondo.errors import InputError
from rondo.foundation import catalogues
from tests.demo_home import environment_for, rondo

READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
"""A home on a read-only file system, for this process alone: permissions do not hold root back."""


def in_a_read_only_home(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs ``rondo ARGUMENTS`` where nothing in ``home`` can be written; skips where that cannot be arranged."""
    command = [sys.executable, "-m", "rondo.cli", *arguments]
    if os.geteuid() == 0:
        command = ["unshare", "--mount", "sh", "-c", READ_ONLY, str(home), *command]
    else:
        for path in (home, *home.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
    done = subprocess.run(command, env=environment_for(home), capture_output=True, text=True, timeout=300, check=False)
    if os.geteuid() == 0 and ("unshare: " in done.stderr or "mount: " in done.stderr):
        pytest.skip(f"a read-only file system cannot be arranged here: {done.stderr.strip()}")
    return done


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


@pytest.mark.parametrize(
    "engine", ["spark", "spark://h", "spark://h:x", "duckdb:", "duckdb:much", "duckdb:-4GB", "duck", "duckdb:4", ""]
)
def test_an_engine_that_is_none_is_refused_before_anything_is_done(tmp_path: Path, engine: str) -> None:
    done = rondo(environment_for(tmp_path, RONDO_ENGINE=engine), "setup", check=False)
    assert done.returncode == 2
    assert done.stderr == (
        f"rondo: RONDO_ENGINE={engine!r}: write duckdb, duckdb:4GB to bound its memory, or spark://host:7077 for a "
        "cluster.\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("engine", ["duckdb", "duckdb:4GB", "duckdb:1.5 GiB", "duckdb:512mb", "duckdb:80%"])
def test_an_engine_that_is_one_is_taken_by_the_engine_itself(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the start lets through, DuckDB takes: the check at the start is not laxer than the engine."""
    from django.conf import settings

    from rondo.settings import ENGINE
    from rondo.warehouse.engines import connect

    assert ENGINE.fullmatch(engine)
    monkeypatch.setattr(settings, "RONDO_ENGINE", engine)
    connect().close()


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de"}, "de"),
        ({"LANG": "den_CA"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB", "LC_MESSAGES": "C", "LC_ALL": "de_AT.UTF-8"}, "de"),
        ({"LANG": "de_DE.UTF-8", "RONDO_LANGUAGE": "en"}, "en"),
        ({"LANG": "C", "RONDO_LANGUAGE": "de"}, "de"),
        ({"LANG": "de_DE.UTF-8", "RONDO_LANGUAGE": ""}, "de"),
    ],
)
def test_the_language_is_the_settings_else_that_of_the_process(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "RONDO_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert speech.language() == language


def test_an_error_of_the_settings_is_said_in_german_too(tmp_path: Path) -> None:
    """Before Django can translate anything."""
    sentence = "%(name)s=%(value)r: a whole number from %(low)d to %(high)d is needed."
    german = {str(each.id): str(each.string) for each in catalogues.read("de")}.get(sentence) or sentence
    told = german % {"name": "RONDO_PORT", "value": "achtzig", "low": 1, "high": 65535}
    done = rondo(environment_for(tmp_path, RONDO_PORT="achtzig", RONDO_LANGUAGE="de"), "setup", check=False)
    assert done.stderr == f"rondo: {told}\n"


@pytest.mark.parametrize("compiled", [True, False])
def test_sentences_are_said_without_the_compiled_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: bool
) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    catalogue = Catalog(locale="de")
    catalogue.add("%(name)s is none.", "%(name)s gibt es nicht.")
    with (folder / "django.po").open("wb") as file:
        write_po(file, catalogue)
    if compiled:
        with (folder / "django.mo").open("wb") as file:
            write_mo(file, catalogue)
    monkeypatch.setattr(speech, "_LOCALE", tmp_path)
    monkeypatch.setattr(apps, "ready", False)
    monkeypatch.setenv("RONDO_LANGUAGE", "de")
    speech._catalogue.cache_clear()
    try:
        assert str(InputError(speech.gettext_noop("%(name)s is none."), name="x")) == "x gibt es nicht."
        assert str(InputError("not in it")) == "not in it"
    finally:
        speech._catalogue.cache_clear()


def test_an_error_is_said_in_the_language_of_whoever_reads_it() -> None:
    error = InputError(speech.gettext_noop("%(name)s=%(value)r: a whole number from %(low)d to %(high)d is needed."))
    error.values = {"name": "x", "value": "50 %", "low": 1, "high": 9}
    assert str(error) == "x='50 %': a whole number from 1 to 9 is needed."
    assert str(InputError("a plain sentence of 50 %")) == "a plain sentence of 50 %"
    assert str(InputError()) == ""


def test_a_home_that_cannot_be_written_is_told(migrated_home: Path) -> None:
    """A read-only folder, or one under a file system that is read-only: one sentence, and no traceback."""
    rondo(environment_for(migrated_home), "setup")
    for arguments in (("setup", "--company", "x"), ("analyse",), ("warehouse", "refresh")):
        done = in_a_read_only_home(migrated_home, *arguments)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert str(migrated_home) in done.stderr or "RONDO_HOME" in done.stderr
        assert done.stderr.count("\n") == 1


def test_what_the_command_writes_is_for_its_own_account_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    old = os.umask(0o022)
    try:
        rondo(environment_for(home), "migrate")
    finally:
        os.umask(old)
    seen = {path.name: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in [home, *home.rglob("*")]}
    assert "rondo.sqlite3" in seen and not any(seen.values()), seen
