"""Proves what holds for every file: no trace of a machine, no inline script, one tree of errors, bare locks."""

import ast
import builtins
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import rondo
from rondo.errors import RondoError
from tests.tree import ROOT, files, text_of

pytestmark = pytest.mark.once

BINARY = {".png", ".jpg", ".gz", ".parquet", ".mo", ".ico", ".woff2"}
# In pieces, so that this file does not hold what it looks for.
MACHINE = re.compile(r"(?<![\w.~])/(?:wo" r"rk|ro" r"ot|op" r"t)/|/tm" r"p/r/|/ho" r"me/\w+/")
HOSTS = re.compile(
    r"py" r"pi\.org|python" r"hosted\.org|npm" r"js\.(?:org|com)|deb\.deb" r"ian\.org|huggingface\." r"co",
    re.IGNORECASE,
)
# Raised for Python itself, not for a person: protocols of the language.
MEANT_FOR_PROGRAMS = {"NotImplementedError", "AttributeError", "KeyError", "StopIteration", "KeyboardInterrupt"}


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files()
        if path.suffix not in BINARY
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE.search(line) or HOSTS.search(line)
    ]
    assert not found


def modules() -> Iterator[object]:
    for found in pkgutil.walk_packages(rondo.__path__, "rondo."):
        if ".tests" not in found.name and ".migrations" not in found.name and not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def test_every_exception_of_ours_derives_from_one() -> None:
    """Those with a leading underscore never leave their module: they are control flow, not something to be met."""
    strangers = {
        f"{item.__module__}.{item.__qualname__}"
        for module in modules()
        for item in vars(module).values()
        if inspect.isclass(item)
        and issubclass(item, Exception)
        and item.__module__.startswith("rondo.")
        and not item.__name__.startswith("_")
        and not issubclass(item, RondoError)
    }
    assert not strangers


def names_in(node: ast.expr | None) -> set[str]:
    """The names of an exception or of a tuple of them."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} if node else set()


def bare_raises(nodes: Iterable[ast.AST], caught: frozenset[str] = frozenset()) -> Iterator[tuple[int, str]]:
    """Line and name of every builtin exception that is raised and not caught around the same place."""
    for node in nodes:
        if isinstance(node, ast.Try):
            handled = {name for handler in node.handlers for name in names_in(handler.type)}
            yield from bare_raises(node.body, caught | handled)
            yield from bare_raises([*node.handlers, *node.orelse, *node.finalbody], caught)
            continue
        if isinstance(node, ast.Raise):
            name = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(name, ast.Name) and name.id not in MEANT_FOR_PROGRAMS | caught:
                kind = getattr(builtins, name.id, None)
                if inspect.isclass(kind) and issubclass(kind, BaseException):
                    yield node.lineno, name.id
        yield from bare_raises(ast.iter_child_nodes(node), caught)


def test_nothing_raises_a_bare_builtin_exception() -> None:
    """A person who meets an error meets a RondoError with place, value and remedy, not a ValueError and a traceback.

    The API's validators are left out: to raise ValueError is how they answer their library, which makes it a 422.
    """
    found = [
        f"{path.relative_to(ROOT)}:{line}: raise {name}"
        for path in files()
        if path.suffix == ".py" and path.is_relative_to(ROOT / "rondo")
        if not {"tests", "migrations"} & set(path.parts)
        if not path.is_relative_to(ROOT / "rondo" / "api" / "v1") and path != ROOT / "rondo" / "api" / "writing.py"
        for line, name in bare_raises([ast.parse(path.read_text(encoding="utf-8"))])
    ]
    assert not found


@pytest.mark.parametrize(
    ("lock", "least"), [("requirements.lock", 41), ("requirements-dev.lock", 41), ("requirements-spark.lock", 2)]
)
def test_a_lock_pins_every_package_by_hash_and_names_no_index(lock: str, least: int) -> None:
    text = re.sub(r"\\\n\s*", "", text_of(lock))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) >= least
    unpinned = [line[:60] for line in lines if not re.match(r"[\w.\[\],-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)]
    assert not unpinned
    assert not re.search(r"--(?:extra-)?index-url|--find-links|--trusted-host|https?:|file:", text)


def test_the_lock_holds_what_pyproject_asks_for() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=;~! ]", text, maxsplit=1)[0].lower().replace("_", "-") for text in requirements}

    def locked(lock: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+)==", text_of(lock), re.MULTILINE))

    groups = project["dependency-groups"]
    assert names(project["project"]["dependencies"] + groups["build"] + project["build-system"]["requires"]) <= locked(
        "requirements.lock"
    )
    assert names(groups["dev"]) | locked("requirements.lock") <= locked("requirements-dev.lock")
    # Spark is 430 MB: who does not ask for it does not get it.
    assert groups["spark"] == project["project"]["optional-dependencies"]["spark"]
    assert names(groups["spark"]) <= locked("requirements-spark.lock")
    assert not names(groups["spark"]) & locked("requirements-dev.lock")


def test_the_build_backend_is_the_one_in_the_lock() -> None:
    pins = tomllib.loads(text_of("pyproject.toml"))["build-system"]["requires"]
    lock = text_of("requirements.lock")
    assert all(f"{pin.lower()} " in lock for pin in pins)


def templates() -> list[Path]:
    return [path for path in files() if path.suffix == ".html" and path.is_relative_to(ROOT / "rondo")]


def test_templates_hold_no_inline_script_or_style() -> None:
    """The content security policy would refuse them in the browser, silently for whoever wrote them."""
    inline = re.compile(
        r"<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|<script\b(?![^>]*\bsrc=)", re.IGNORECASE
    )
    data = re.compile(r"<script\b[^>]*type=\"application/json\"[^>]*>", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in templates()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if inline.search(data.sub("", line))
    ]
    assert not found


def test_pages_load_nothing_from_elsewhere() -> None:
    elsewhere = re.compile(r"(?:src|<link[^>]*href)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE)
    assert not [
        str(path.relative_to(ROOT)) for path in templates() if elsewhere.search(path.read_text(encoding="utf-8"))
    ]


def test_files_stay_readable_in_length() -> None:
    """A file near 500 lines becomes a package with the same name."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files()
        if path.suffix in {".py", ".js", ".css", ".html"}
        and "migrations" not in path.parts
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 520
    }
    assert not long
