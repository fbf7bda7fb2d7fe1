"""Attributes that are required, unique, filled at first, seen by some roles alone, archived, and of changing types."""

import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0008_links_in_time"), ("foundation", "0007_signing_in")]

    operations = [
        migrations.AlterModelManagers(
            name="attributedefinition",
            managers=[("everything", django.db.models.manager.Manager())],
        ),
        migrations.AddField("attributedefinition", "changing", models.CharField(blank=True, max_length=8)),
        migrations.AddField("attributedefinition", "default", models.CharField(blank=True, max_length=255)),
        migrations.AddField(
            "attributedefinition",
            "replaces",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="customers.attributedefinition",
            ),
        ),
        migrations.AddField("attributedefinition", "required", models.BooleanField(default=False)),
        migrations.AddField(
            "attributedefinition",
            "state",
            models.CharField(
                choices=[
                    ("standing", "in use"),
                    ("archived", "archived"),
                    ("made", "being made"),
                    ("former", "former"),
                ],
                default="standing",
                max_length=8,
            ),
        ),
        migrations.AddField("attributedefinition", "unique", models.BooleanField(default=False)),
        migrations.AddField("attributedefinition", "version", models.PositiveIntegerField(default=1)),
        migrations.AddField("attributedefinition", "visible_to", models.JSONField(default=None, null=True)),
        migrations.AddField(
            "attributevalue", "unique_key", models.CharField(editable=False, max_length=255, null=True)
        ),
        migrations.AlterField(
            "attributedefinition",
            "type",
            models.CharField(
                choices=[
                    ("text", "Text"),
                    ("number", "Number"),
                    ("date", "Date"),
                    ("choice", "Choice"),
                    ("multi", "Several choices"),
                    ("boolean", "Yes or no"),
                    ("money", "Money"),
                    ("link", "Web link"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="attributevalue",
            constraint=models.UniqueConstraint(
                condition=models.Q(("unique_key__isnull", False)),
                fields=("definition", "unique_key"),
                name="attribute_value_once",
            ),
        ),
    ]
