"""Leads and interests: chances of first purchases per customer, and what was found."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("analysis", "0015_trading_up"),
        ("customers", "0006_changed_in"),
    ]

    operations = [
        migrations.CreateModel(
            name="InterestOf",
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
                ("interest_category", models.CharField(max_length=120)),
                ("interest_chance", models.FloatField()),
                ("interests", models.TextField()),
            ],
            options={
                "db_table": "analysis_interest",
            },
        ),
        migrations.CreateModel(
            name="LeadFound",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("run_id", models.BigIntegerField(unique=True)),
                ("as_of", models.DateField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("results", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="LeadOf",
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
                ("lead_chance", models.FloatField()),
                ("lead_reason", models.CharField(max_length=80, null=True)),
                ("reasons", models.TextField()),
            ],
            options={
                "db_table": "analysis_lead",
            },
        ),
    ]
