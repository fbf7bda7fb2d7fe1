"""Settings: defaults, files for secrets, whole numbers within bounds, and errors that say what would be right."""

from pathlib import Path

import pytest

from rondo import env
from rondo.errors import InputError


def test_the_environment_comes_before_the_file_and_the_file_before_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("RONDO_SECRET_KEY", raising=False)
    monkeypatch.delenv("RONDO_SECRET_KEY_FILE", raising=False)
    assert env.read("RONDO_SECRET_KEY") == ""
    secret = tmp_path / "key"
    secret.write_text("from the file\n")
    monkeypatch.setenv("RONDO_SECRET_KEY_FILE", str(secret))
    assert env.read("RONDO_SECRET_KEY") == "from the file"
    monkeypatch.setenv("RONDO_SECRET_KEY", "from the environment")
    assert env.read("RONDO_SECRET_KEY") == "from the environment"


def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RONDO_SECRET_KEY", raising=False)
    monkeypatch.setenv("RONDO_SECRET_KEY_FILE", str(tmp_path / "absent"))
    with pytest.raises(InputError, match=r"RONDO_SECRET_KEY_FILE=.*absent.*set RONDO_SECRET_KEY"):
        env.read("RONDO_SECRET_KEY")


def test_only_secrets_are_read_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    port = tmp_path / "port"
    port.write_text("9999")
    monkeypatch.delenv("RONDO_PORT", raising=False)
    monkeypatch.setenv("RONDO_PORT_FILE", str(port))
    assert env.read("RONDO_PORT") == env.SETTINGS["RONDO_PORT"].default


@pytest.mark.parametrize("value", ["", "abc", "0", "65536", "-1", "80.5"])
def test_a_number_out_of_bounds_is_named_with_its_bounds(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("RONDO_PORT", value)
    with pytest.raises(InputError, match=r"RONDO_PORT=.*from 1 to 65535"):
        env.read_int("RONDO_PORT", 1, 65535)


def test_every_setting_says_what_it_means() -> None:
    for name, setting in env.SETTINGS.items():
        assert name == setting.name
        assert name.startswith("RONDO_")
        assert setting.meaning.endswith(".")
