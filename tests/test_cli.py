"""The command says what is wrong in one sentence, without a traceback."""

from pathlib import Path

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
