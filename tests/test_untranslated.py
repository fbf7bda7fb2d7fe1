"""Finds sentences that people read and that nobody marked for translation, by reading the source.

A sentence reaches people as the message of an error, as a line that a command writes, as the label of a step, or as the
help of a command. Each of them has to go through gettext, with named places: order of words differs between languages.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import rondo
from rondo import errors

pytestmark = pytest.mark.once
PACKAGE = Path(rondo.__file__).parent
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}
WRITERS = {"write", "say", "_say"}

ENGLISH_ONLY = {
    "science": "a library for analysts: errors name arguments and columns of Python calls, as its documents do",
}
"""Rooms whose errors stay in English, and why."""

RAISED_FOR_PROGRAMMERS = {
    "AttributeError",
    "TypeError",
    "ValueError",
    "KeyError",
    "NotImplementedError",
    "AssertionError",
}
"""Python's own protocol errors; what a person sees derives from RondoError."""


def sources() -> list[Path]:
    skipped = {"tests", "migrations"}
    return [path for path in sorted(PACKAGE.rglob("*.py")) if not skipped & set(path.relative_to(PACKAGE).parts)]


def error_names() -> set[str]:
    """Every exception of ours, wherever it is defined."""
    found = {
        name for name, item in vars(errors).items() if inspect.isclass(item) and issubclass(item, errors.RondoError)
    }
    pattern = re.compile(r"^class (\w+)\(([\w, ]+)\):", re.M)
    classes = [match.groups() for path in sources() for match in pattern.finditer(path.read_text())]
    for _round in classes:
        found |= {name for name, bases in classes if found & set(bases.split(", "))}
    return found | {"CommandError"}


def says_something(text: str) -> bool:
    """Whether a literal holds words: two letters in a row, but for the name of the program."""
    return bool(re.search(r"[A-Za-z]{2,}", text.replace("rondo: ", "")))


def literal(node: ast.expr) -> str:
    """The words of a string that no call marks, however it is put together; empty if there are none."""
    match node:
        case ast.Constant(value=str(text)):
            return text if says_something(text) else ""
        case ast.JoinedStr(values=parts):
            return " ".join(filter(None, (literal(part) for part in parts if isinstance(part, ast.Constant))))
        case ast.BinOp(left=left, right=right, op=op):
            return literal(left) or (literal(right) if isinstance(op, ast.Add) else "")
        case ast.IfExp(body=body, orelse=other):
            return literal(body) or literal(other)
        case ast.Call(func=ast.Attribute(value=value, attr="format" | "join")):
            return literal(value)
    return ""


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def deferred(call: ast.Call) -> bool:
    """``Error(gettext_noop("…"), name=value)``: marked, and said when it is read."""
    return bool(call.args) and isinstance(call.args[0], ast.Call) and called(call.args[0]) in MARKS


def unmarked(tree: ast.AST, ours: set[str], *, command: bool) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = called(node)
        if name in MARKS:
            if any(isinstance(part, ast.JoinedStr) for part in node.args):
                yield node.lineno, "an f-string cannot be translated: use named places"
        elif (name in ours and node.args and not deferred(node)) or (command and name in WRITERS and node.args):
            if text := literal(node.args[0]):
                yield node.lineno, text
        elif name == "begin" and node.args and (text := literal(node.args[0])):
            yield node.lineno, text
        elif name in {"add_argument", "add_parser"}:
            for keyword in node.keywords:
                if keyword.arg == "help" and (text := literal(keyword.value)):
                    yield node.lineno, text


def test_every_sentence_of_the_source_is_marked_for_translation() -> None:
    ours, found = error_names(), []
    for path in sources():
        place = path.relative_to(PACKAGE)
        if place.parts[0] in ENGLISH_ONLY:
            continue
        text = path.read_text()
        writes = "commands" in place.parts or bool(re.search(r"sys\.std(out|err)|stdout\.write|def _?say\b", text))
        found += [f"rondo/{place}:{line}: {said}" for line, said in unmarked(ast.parse(text), ours, command=writes)]
    assert found == []


def test_the_rooms_that_stay_english_are_there() -> None:
    assert all((PACKAGE / room).is_dir() for room in ENGLISH_ONLY)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("raise InputError('no such day')", 1),
        ("raise InputError(f'{a}: no such day')", 1),
        ("raise InputError(f'{a!r}: {b}')", 0),
        ("raise StateError('a' + x)", 0),
        ("raise StateError('All of it ' + x)", 1),
        ("raise StateError('All: %s' % x)", 1),
        ("raise StateError('no' if a else _('yes'))", 1),
        ("raise InputError(_('no such day'))", 0),
        ("raise InputError(_('%(day)s is none') % {'day': a})", 0),
        ("raise InputError(gettext_noop('%(day)s is none'), day=a)", 0),
        ("raise InputError(_(f'{a} is none'))", 1),
        ("raise ValueError('for programmers')", 0),
        ("self.stdout.write('Done.')", 1),
        ("self.stdout.write(_('Done.'))", 0),
        ("self.stdout.write(f'{a:>12,}  {b}')", 0),
        ("report = begin('reading')", 1),
        ("parser.add_argument('--x', help='what it is')", 1),
        ("parser.add_argument('--x', help=_('what it is'))", 0),
    ],
)
def test_the_search_finds_what_it_is_for(source: str, count: int) -> None:
    assert len(list(unmarked(ast.parse(source), error_names(), command=True))) == count


def test_every_error_of_ours_is_known_to_the_search() -> None:
    for name in ("rondo.rules.problems", "rondo.interactions.importing.engine", "rondo.web.customers.lists"):
        module = import_module(name)
        ours = {
            key for key, item in vars(module).items() if inspect.isclass(item) and issubclass(item, errors.RondoError)
        }
        assert ours <= error_names()
