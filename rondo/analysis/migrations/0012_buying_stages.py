"""Buying stages: where customers stand per category, what was found, versions of the thresholds."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0011_changes_of_buying"),
        ("customers", "0006_changed_in"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StageFound",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("run_id", models.BigIntegerField(unique=True)),
                ("as_of", models.DateField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("results", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="StageOf",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="customers.customer",
                    ),
                ),
                ("stages", models.TextField()),
                ("unaware", models.IntegerField()),
                ("need_recognised", models.IntegerField()),
                ("information_search", models.IntegerField()),
                ("evaluation", models.IntegerField()),
                ("purchase", models.IntegerField()),
                ("after_purchase", models.IntegerField()),
            ],
            options={
                "db_table": "analysis_buying_stage",
            },
        ),
        migrations.CreateModel(
            name="StageVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("thresholds", models.JSONField()),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
