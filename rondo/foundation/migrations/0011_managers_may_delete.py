"""Managers may put customers into the bin, where nobody changed their role; administrators have every right."""

from typing import Any

from django.db import migrations

BEFORE = {"see", "contact", "edit", "merge", "import", "export", "analyse", "campaign", "segment", "share", "audit"}
NEW = {"delete", "erase", "integrate"}


def add(apps: Any, _editor: Any) -> None:
    for role in apps.get_model("foundation", "Role").objects.filter(key__in=("administrator", "manager")):
        if role.key == "administrator":
            role.rights = sorted({*role.rights, *NEW})
        elif set(role.rights) == BEFORE:
            role.rights = sorted({*role.rights, "delete"})
        role.save(update_fields=["rights"])


class Migration(migrations.Migration):
    # The right to share comes first: it is given to roles that are as they were before either.
    dependencies = [("foundation", "0010_api_writes"), ("lists", "0002_who_may_share")]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
