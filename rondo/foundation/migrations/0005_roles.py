"""Roles as rows. Those that every installation has are written here, and after each flush (:mod:`.apps`)."""

from typing import Any

from django.db import migrations, models

ROOMS = ("customers", "segments", "reports", "imports", "audit")
FIRST: dict[str, tuple[str, str]] = {
    "administrator": (
        "administer analyse audit campaign contact edit export import merge see segment",
        "all all all all all",
    ),
    "manager": ("analyse audit campaign contact edit export import merge see segment", "all all own all team"),
    "marketing": ("analyse campaign contact edit export import see segment", "all all own all own"),
    "sales": ("contact edit export see", "all all own own own"),
    "service": ("contact edit see", "all all own own own"),
    "analyst": ("analyse export see segment", "all all own own own"),
    "reader": ("see", "all all own own own"),
}


def fill(apps: Any, schema_editor: Any) -> None:
    """The built-in roles; and one without rights for each other text that stands in a user, which had none before."""
    role = apps.get_model("foundation", "Role")
    for key, (rights, reaches) in FIRST.items():
        of_rooms = dict(zip(ROOMS, reaches.split(), strict=True))
        role.objects.create(key=key, rights=rights.split(), reaches=of_rooms, is_builtin=True)
    user = apps.get_model("foundation", "User")
    for key in user.objects.exclude(role__in=FIRST).order_by().values_list("role", flat=True).distinct():
        role.objects.create(key=key, name=key, rights=[], reaches={})


class Migration(migrations.Migration):
    dependencies = [("foundation", "0004_changes")]

    operations = [
        migrations.CreateModel(
            name="Role",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=40, unique=True)),
                ("name", models.CharField(blank=True, max_length=80)),
                ("rights", models.JSONField(default=list)),
                ("reaches", models.JSONField(default=dict)),
                ("masked", models.JSONField(default=list)),
                ("is_builtin", models.BooleanField(default=False)),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
