"""Audit entries of a part of a customer say whose it was. A column that may be empty changes no row: neither database
writes the table anew, and the triggers that keep it append-only stay; the index begins empty."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("foundation", "0011_managers_may_delete")]

    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="about",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(condition=models.Q(("about__isnull", False)), fields=["about"], name="audit_about"),
        ),
    ]
