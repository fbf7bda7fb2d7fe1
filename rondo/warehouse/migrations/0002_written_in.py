"""On PostgreSQL each interaction notes the transaction that wrote it: the watermark of the columnar copy.

A trigger, not the code that inserts: no way of writing may forget it. Rows of import runs do without, since they are
taken run by run.
"""

from django.db import migrations

_FORWARDS = """
CREATE FUNCTION rondo_note_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.written_in := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
CREATE TRIGGER rondo_written_in BEFORE INSERT ON interactions_interaction
    FOR EACH ROW WHEN (NEW.load_id IS NULL) EXECUTE FUNCTION rondo_note_transaction();
CREATE INDEX interaction_written_in ON interactions_interaction (written_in) WHERE load_id IS NULL;
"""
_BACKWARDS = """
DROP INDEX interaction_written_in;
DROP TRIGGER rondo_written_in ON interactions_interaction;
DROP FUNCTION rondo_note_transaction();
"""


def _run(sql):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(sql)

    return run


class Migration(migrations.Migration):
    dependencies = [("warehouse", "0001_initial"), ("interactions", "0001_initial")]

    operations = [migrations.RunPython(_run(_FORWARDS), _run(_BACKWARDS))]
