"""An index of kinds by day, from which rules over the chains of all customers are answered."""

from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def sort_by_way_of_a_file(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Twenty million entries take SQLite 2 GB in memory, and three times as long."""
    _sort(schema_editor, "FILE", -2000)


def sort_in_memory(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """As rondo.settings has it."""
    _sort(schema_editor, "MEMORY", -65536)


def _sort(schema_editor: BaseDatabaseSchemaEditor, place: str, cache: int) -> None:
    if schema_editor.connection.vendor == "sqlite":
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(f"PRAGMA temp_store = {place}")
            cursor.execute(f"PRAGMA cache_size = {cache}")


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0013_links_of_imports"),
        ("foundation", "0015_api_answer_done"),
        ("interactions", "0008_words_of_notes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    atomic = False  # within a transaction SQLite does not change where it sorts; the one statement is all or nothing

    operations = [
        migrations.RunSQL("DROP INDEX IF EXISTS interaction_kind", migrations.RunSQL.noop),  # of one that was cut off
        migrations.RunPython(sort_by_way_of_a_file, sort_in_memory),
        migrations.AddIndex(
            model_name="interaction",
            index=models.Index(
                condition=models.Q(("kind__gt", "")),
                fields=["kind", "business_date", "customer", "load", "currency", "amount", "id"],
                name="interaction_kind",
            ),
        ),
        migrations.RunPython(sort_in_memory, sort_by_way_of_a_file),
    ]
