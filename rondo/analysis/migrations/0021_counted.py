"""Customers behind numbers that no fact tells, so that such a number opens exactly those whom it counts."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analysis", "0020_at_stake")]

    operations = [
        migrations.CreateModel(
            name="Counted",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=60, unique=True)),
                ("customers", models.BigIntegerField()),
                ("keys", models.TextField()),
                (
                    "run",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counted",
                        to="analysis.run",
                    ),
                ),
                (
                    "study",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counted",
                        to="analysis.study",
                    ),
                ),
            ],
            options={
                "db_table": "analysis_counted",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("run__isnull", False), ("study__isnull", True)),
                            models.Q(("run__isnull", True), ("study__isnull", False)),
                            _connector="OR",
                        ),
                        name="counted_by_run_or_study",
                    )
                ],
            },
        ),
    ]
