"""Entries of the audit log that imports wrote of addresses and attribute values say whose these are, as far as the rows
are still there. They are found by the index of the log; nothing else of it is read."""

from typing import Any

from django.db import migrations

_PARTS = (("address", "customers_address"), ("attribute", "customers_attributevalue"))
_VERBS = ("imported", "restored")
"""Other verbs of attributes tell of their definitions."""


def say(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("INSERT INTO foundation_audit_door (reason) VALUES ('whose it was')")
    for kind, table in _PARTS:
        verbs = ", ".join(f"'{kind}.{verb}'" for verb in _VERBS)
        schema_editor.execute(
            f"UPDATE foundation_auditentry SET about = (SELECT p.customer_id FROM {table} AS p "
            f"WHERE p.id = foundation_auditentry.record_id) WHERE record_type = '{kind}' AND verb IN ({verbs}) "
            "AND about IS NULL"
        )
    schema_editor.execute("DELETE FROM foundation_audit_door")


class Migration(migrations.Migration):
    dependencies = [("customers", "0011_bin"), ("foundation", "0012_audit_about")]

    operations = [migrations.RunPython(say, migrations.RunPython.noop)]
