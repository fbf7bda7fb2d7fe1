"""Audit entries are only ever added, in the database too: triggers refuse UPDATE, DELETE and TRUNCATE.

The door for erasure is a row in ``foundation_audit_door`` within the erasing transaction
(:func:`rondo.foundation.audit.door_opened`). The table has no model, so that ``flush`` leaves it alone.
"""

from typing import Any

from django.db import migrations

REFUSAL = "audit entries are only ever added; erasure opens the door first (rondo.foundation.audit.door_opened)"
DOOR = "CREATE TABLE foundation_audit_door (reason varchar(200) NOT NULL)"


def close(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(DOOR)
    if schema_editor.connection.vendor == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            schema_editor.execute(
                f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON foundation_auditentry "
                f"WHEN NOT EXISTS (SELECT 1 FROM foundation_audit_door) BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )
        return
    schema_editor.execute(
        "CREATE FUNCTION foundation_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NOT EXISTS (SELECT 1 FROM foundation_audit_door) THEN RAISE EXCEPTION '{REFUSAL}' "
        "USING ERRCODE = 'integrity_constraint_violation'; END IF; "
        "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$"
    )
    schema_editor.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON foundation_auditentry "
        "FOR EACH ROW EXECUTE FUNCTION foundation_audit_refuse()"
    )
    schema_editor.execute(
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON foundation_auditentry "
        "FOR EACH STATEMENT EXECUTE FUNCTION foundation_audit_refuse()"
    )


def open_(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "sqlite":
        for verb in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER audit_no_{verb}")
    else:
        for name in ("change", "truncate"):
            schema_editor.execute(f"DROP TRIGGER audit_no_{name} ON foundation_auditentry")
        schema_editor.execute("DROP FUNCTION foundation_audit_refuse()")
    schema_editor.execute("DROP TABLE foundation_audit_door")


class Migration(migrations.Migration):
    dependencies = [("foundation", "0002_process_beats_and_periodic_jobs")]
    operations = [migrations.RunPython(close, open_)]
