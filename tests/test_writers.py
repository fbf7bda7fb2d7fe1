"""Proves that there is one write path: what is not an action, a loader or machinery never writes to a table itself.

Web, API, forms, templates and commands parse, call and render. A change that slips into one of them would have no right
checked, no audit entry and no transaction around both.
"""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.tree import ROOT, files

pytestmark = pytest.mark.once

WRITERS = {
    "rondo/*/actions.py": "the verbs",
    "rondo/*/actions/*.py": "the verbs",
    "rondo/*/loading.py": "what an import does, under its run",
    "rondo/*/loading/*.py": "what an import does, under its run",
    "rondo/interactions/importing/*.py": "imports, their removal and their undo",
    "rondo/interactions/ordering.py": "the verb that takes an order",
    "rondo/interactions/splitting/*.py": "the verbs of splits",
    "rondo/foundation/accounts.py": "the verbs of accounts",
    "rondo/foundation/roles.py": "the verbs of roles",
    "rondo/foundation/teams.py": "the verbs of teams",
    "rondo/foundation/apps.py": "built-in roles, put back after each migration",
    "rondo/foundation/invitations.py": "the verbs of invitations",
    "rondo/foundation/account_mails.py": "whether a mail to an account went out",
    "rondo/foundation/api_tokens.py": "the verbs of API tokens",
    "rondo/foundation/api_rates.py": "counts of calls: the state of machinery",
    "rondo/foundation/api_answers.py": "answers to requests that may come again: the state of machinery",
    "rondo/foundation/sessions.py": "sign-ins on devices, and ending them",
    "rondo/foundation/second_factor.py": "the verbs of second factors",
    "rondo/foundation/removal.py": "rows with what belongs to them, called by actions",
    "rondo/analysis/forgetting.py": "figures of what has gone, called by an action",
    "rondo/foundation/throttling.py": "counts of attempts: the state of machinery",
    "rondo/foundation/installation.py": "the verbs of the installation",
    "rondo/foundation/audit.py": "the audit log itself",
    "rondo/foundation/change_numbers.py": "numbers of changes, called by actions",
    "rondo/foundation/keys.py": "blocks of keys, called by loaders",
    "rondo/foundation/models.py": "the manager that makes users",
    "rondo/foundation/jobs/*.py": "leases, schedule and housekeeping: the state of machinery, no user's change",
    "rondo/foundation/long_work.py": "how far a job's work is: the state of machinery",
    "rondo/backups/restoring.py": "a backup into an empty installation, told to the audit log",
    "rondo/backups/tables.py": "last keys of tables, put back by a restore",
    "rondo/interactions/reasons.py": "the verbs of reasons for leaving",
    "rondo/webhooks/outbox.py": "events, written in the transaction of the action or refresh that they tell of",
    "rondo/webhooks/deliveries.py": "messages, leases and what came of attempts: the state of machinery",
    "rondo/customers/changed.py": "marks of changes, called by actions",
    "rondo/interactions/wording.py": "the index of notes, which forgets words that are gone",
    "rondo/interactions/changed.py": "marks of changes, called by actions and loaders",
    "rondo/duplicates/engine/*.py": "tables in a job's own memory, none of the database's",
    "rondo/customers/names.py": "the words of names, derived, called by actions",
    "rondo/warehouse/delta.py": "rows of the columnar copy, which the operational store has no more",
    "rondo/warehouse/refresh.py": "how far the columnar copy is: the state of machinery",
    "rondo/analysis/segments/ledger.py": "members and sizes, derived, called by actions and refreshes",
    "rondo/analysis/pins.py": "the verb that pins a model",
    "rondo/analysis/buying_stages/thresholds.py": "the verb that puts thresholds into force",
    "rondo/analysis/thresholds.py": "the verb that puts thresholds into force",
    "rondo/analysis/following.py": "what follows a run, swapped with its row, called by actions",
    "rondo/analysis/counted.py": "whom runs and studies counted, swapped with them",
    "rondo/analysis/scores.py": "the wide table, swapped by the analysis",
}
"""Who may write, and what they are. A view, an API router or a template tag never joins this list."""

NEVER = ("rondo/web/*", "rondo/api/*", "*/views.py", "*/views/*", "*/templatetags/*", "*/forms.py", "*/api.py")
ALWAYS_WRITES = {
    "create", "get_or_create", "update_or_create", "bulk_create", "bulk_update", "acreate", "aget_or_create",
    "aupdate_or_create", "abulk_create", "abulk_update", "asave", "adelete", "aupdate", "create_user",
}  # fmt: skip
READS_ROWS = {
    "objects",
    "_default_manager",
    "_base_manager",
    "filter",
    "exclude",
    "all",
    "select_for_update",
    "order_by",
}
SQL = re.compile(r"^\s*(?:INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|TRUNCATE)\b", re.IGNORECASE)


def names_of(node: ast.expr) -> set[str]:
    """All names and attributes of an expression."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} | {
        part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)
    }


def writes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and call of what writes to a table: managers, rows, querysets that were put into a variable, and SQL."""
    rows = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and names_of(node.value) & READS_ROWS
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            yield node.lineno, node.value.split("(")[0][:40]
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name, owner = node.func.attr, names_of(node.func.value)
        saves_form = name == "save" and bool(node.args or owner & {"form", "self"})
        if (
            name in ALWAYS_WRITES
            or (name in {"update", "delete"} and owner & (READS_ROWS | rows))
            or (name in {"insert", "update"} and owner == {"bulk"})
            or (name in {"save", "delete"} and not saves_form and not owner & {"cache", "router"})
        ):
            yield node.lineno, f"{ast.unparse(node.func)[:60]}(…)"


def sources() -> Iterator[tuple[str, Path]]:
    for path in files():
        place = path.relative_to(ROOT).as_posix()
        if path.suffix == ".py" and place.startswith("rondo/") and not {"tests", "migrations"} & set(path.parts):
            yield place, path


def test_only_actions_loaders_and_machinery_write() -> None:
    found = [
        f"{place}:{line}: {call}"
        for place, path in sources()
        if not any(fnmatch(place, pattern) for pattern in WRITERS)
        for line, call in writes(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found


def test_no_page_or_router_is_excused() -> None:
    excused = [
        place
        for place, _path in sources()
        if any(fnmatch(place, pattern) for pattern in NEVER) and any(fnmatch(place, pattern) for pattern in WRITERS)
    ]
    assert not excused


def test_every_excuse_is_needed() -> None:
    """A pattern that matches no file that writes would excuse the next one by accident."""
    writing = {place for place, path in sources() if list(writes(ast.parse(path.read_text(encoding="utf-8"))))}
    idle = [pattern for pattern in WRITERS if not any(fnmatch(place, pattern) for place in writing)]
    assert not idle


@pytest.mark.parametrize(
    "line",
    [
        "User.objects.filter(pk=1).update(theme='dark')",
        "Team.objects.get_or_create(name=x)",
        "row.save(update_fields=['name'])",
        "row.delete()",
        "found = Link.objects.filter(pk=1)\nfound.delete()",
        "cursor.execute('UPDATE customers_customer SET name = 1')",
        "ApiToken(user=user).save()",
        "bulk.insert(Customer, columns, 2)",
    ],
)
def test_it_sees_what_writes(line: str) -> None:
    assert list(writes(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    ["digest.update(b'x')", "cache.delete(key)", "{}.update(a=1)", "self.save(actor)", "form.save(actor(request))"],
)
def test_it_leaves_alone_what_does_not(line: str) -> None:
    assert not list(writes(ast.parse(line)))


def test_a_change_to_a_customer_is_always_noted_for_readers() -> None:
    """An audit entry on a customer without its mark would be a change that no other system is told of."""
    bare = re.compile(r"audit\.record\(\s*\w+,\s*[^,]+,\s*[\"']customer[\"']")
    found = [
        place
        for place, path in sources()
        if place != "rondo/customers/changed.py" and bare.search(path.read_text("utf-8"))
    ]
    assert not found
