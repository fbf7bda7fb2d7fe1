"""An upgrade keeps what is there: every table of an earlier schema is filled, brought to this one, reads the same.

The rows are made from the models as they were then, two for each table with a value in every column, so that a table or
column that is added to the schema is under the test without a line here, and one that is taken out has to be named.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo_home import environment_for, own_database

pytestmark = pytest.mark.django_db

OTHERWISE = {("foundation_role", "rights"): "rights are added to the roles that come with Rondo"}
"""Columns that do not read the same, with the reason."""

UPGRADE = """
import datetime, json, sys
import django; django.setup()
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from rondo.backups.states import bring_to, models_at, seen
from rondo.backups.tables import tables_of

graph = MigrationLoader(connection).graph
last = json.loads(sys.argv[1])
apps = {app: django.apps.apps.get_app_config(app).name for app, _name in graph.nodes}
ours = {app for app, name in apps.items() if name.startswith("rondo.")}
bring_to(sorted((app, name) for app, name in graph.nodes if app not in ours or int(name[:4]) <= last.get(app, 0)))
DAY = datetime.date(2016, 2, 29)
made = {}


def value_of(field, n):
    if field.remote_field is not None:
        other = field.remote_field.model
        if other._meta.db_table not in made and not field.null:
            ensure(other)  # a column that the database does not hold to it asks for no order
        there = made.get(other._meta.db_table)
        if not there:
            return None
        target = field.target_field.attname
        second = n if field.unique else field.name in ("object", "winner", "survivor")
        return getattr(there[second], target)
    if field.choices:
        return field.choices[n % len(field.choices)][0]
    kind = field.get_internal_type()
    text = f"{field.name}-{n}-Zo\\u00eb"  # codes hold no blank
    if kind == "SlugField":
        return f"{field.name}-{n}"
    if kind in ("CharField", "TextField", "EmailField", "URLField"):
        return text[-(field.max_length or 99):]
    return {
        "BooleanField": n == 0, "DateField": DAY, "FloatField": n + 0.5, "DecimalField": n, "JSONField": {"of": [n]},
        "DateTimeField": datetime.datetime(2016, 2, 29, 12, n, 7, 891000, tzinfo=datetime.timezone.utc),
    }.get(kind, n + 1)


def fill(model):
    rows = []
    for n in range(2):
        values = {}
        for field in model._meta.concrete_fields:
            if field.primary_key and field.remote_field is None and field.get_internal_type().endswith("AutoField"):
                continue
            values[field.attname] = value_of(field, n)
        if model._meta.model_name == "chainchange":
            values["interaction_id" if n else "load_id"] = None
        try:
            with transaction.atomic():
                rows.append(model._base_manager.create(**values))
        except IntegrityError:  # of some there is but one
            if not n:
                raise
    return rows


def table_of(name, columns):
    quoted = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT {quoted} FROM "{name}"')
        found = [{column: str(value) for column, value in zip(columns, row)} for row in cursor.fetchall()]
    return sorted(found, key=json.dumps)


def ensure(model):
    if model._meta.db_table not in made:
        made[model._meta.db_table] = list(model._base_manager.all()) or fill(model)


before = {}
for model in tables_of(models_at(seen())):
    if model._meta.app_label in ours:
        ensure(model)
for name in made:
    with connection.cursor() as cursor:
        columns = [one.name for one in connection.introspection.get_table_description(cursor, name)]
    before[name] = table_of(name, columns)
call_command("migrate", verbosity=0)
after = {}
with connection.cursor() as cursor:
    there = set(connection.introspection.table_names(cursor))
    for name, rows in before.items():
        if name in there:
            known = {one.name for one in connection.introspection.get_table_description(cursor, name)}
            after[name] = [list(known), table_of(name, [column for column in rows[0] if column in known])]
from rondo.customers.queries import visible
from rondo.foundation.models import User
from rondo.foundation.rights import has_right
people = list(visible(None).order_by("pk"))
read = {
    "customers": [[row.name, row.birth_date.isoformat()] for row in people],
    "may": [has_right(user, "edit") for user in User.objects.order_by("pk")],
}
json.dump([before, after, read], open(sys.argv[2], "w"))
"""

OLD = {
    "foundation": 4,
    "customers": 6,
    "interactions": 2,
    "catalogue": 1,
    "campaigns": 1,
    "analysis": 2,
    "warehouse": 1,
}
"""Before roles were rows and consents a ledger: the newest migration of each room by number; of others none."""
LAST = {
    "foundation": 7, "customers": 7, "interactions": 6, "catalogue": 1, "campaigns": 2, "analysis": 16, "warehouse": 2,
    "duplicates": 1, "reports": 1,
}  # fmt: skip
"""Before attributes were made in the browser, lists kept as views, and records split."""


@pytest.mark.parametrize("schema", [OLD, LAST], ids=["old", "last"])
def test_every_row_of_an_earlier_schema_reads_the_same(schema: dict[str, int], tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    with own_database() as settings:
        done = subprocess.run(
            [sys.executable, "-c", UPGRADE, json.dumps(schema), str(told)],
            env=environment_for(tmp_path, **settings),
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    before, after, read = json.loads(told.read_text())
    assert len(before) > 25 and all(before.values())
    assert sorted(set(before) - set(after)) == [], "tables that are gone"
    for name, rows in before.items():
        columns, now = after[name]
        assert sorted(set(rows[0]) - set(columns)) == [], f"columns of {name} that are gone"
        otherwise = {column for table, column in OTHERWISE if table == name}
        reads = [{column: value for column, value in row.items() if column not in otherwise} for row in now]
        for row in rows:
            assert {column: value for column, value in row.items() if column not in otherwise} in reads, name
    # The first was merged into the second, whose user is active; that of the second is not.
    assert read == {"customers": [["name-1-Zoë", "2016-02-29"]], "may": [True, False]}
