"""The table of name words, still without the indexes: they are built faster once it is filled."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def compare_by_code_point(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """On PostgreSQL words are compared as SQLite does: a range of the index then holds exactly one beginning."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute('ALTER TABLE "customers_nameword" ALTER COLUMN "word" TYPE varchar(200) COLLATE "C"')


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_indexes_of_lists")]

    operations = [
        migrations.CreateModel(
            name="NameWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("word", models.CharField(max_length=200)),
                ("later", models.BooleanField()),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
            ],
        ),
        migrations.RunPython(compare_by_code_point, migrations.RunPython.noop),
    ]
