"""Files on their way in by the browser, and how files of a source were read last."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("foundation", "0004_changes"),
        ("interactions", "0003_about"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file_name", models.CharField(max_length=255)),
                ("stored_as", models.CharField(max_length=40)),
                ("size", models.BigIntegerField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("kind", models.CharField(blank=True, max_length=30)),
                ("source", models.CharField(blank=True, max_length=60)),
                ("choice", models.JSONField(default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("chosen", "being prepared"),
                            ("queued", "waiting"),
                            ("running", "running"),
                            ("tried", "tried"),
                            ("done", "done"),
                            ("failed", "failed"),
                        ],
                        default="chosen",
                        max_length=10,
                    ),
                ),
                (
                    "work",
                    models.CharField(blank=True, choices=[("trial", "trial"), ("import", "import")], max_length=10),
                ),
                ("done", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
                ("trial", models.JSONField(default=dict)),
                (
                    "load",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="foundation.load"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["user", "-id"], name="import_file_user")],
            },
        ),
        migrations.CreateModel(
            name="ImportMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=60)),
                ("kind", models.CharField(max_length=30)),
                ("choice", models.JSONField(default=dict)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("source", "kind"), name="import_mapping_of")],
            },
        ),
    ]
