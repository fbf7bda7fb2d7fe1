"""The right to share views, for built-in roles that nobody changed: those that may change segments without it."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_MANAGER = {"see", "contact", "edit", "merge", "import", "export", "analyse", "campaign", "segment", "audit"}
AS_THEY_WERE = {
    "administrator": _MANAGER | {"administer"},
    "manager": _MANAGER,
    "marketing": {"see", "contact", "edit", "import", "export", "analyse", "campaign", "segment"},
    "analyst": {"see", "export", "analyse", "segment"},
}


def add(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Give it to them."""
    Role = apps.get_model("foundation", "Role")
    for role in Role.objects.filter(key__in=AS_THEY_WERE, is_builtin=True):
        if set(role.rights) == AS_THEY_WERE[role.key]:
            role.rights = sorted({*role.rights, "share"})
            role.save(update_fields=["rights"])


class Migration(migrations.Migration):
    dependencies = [("lists", "0001_saved_views"), ("foundation", "0007_signing_in")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
