"""Why customers leave, as cancellations and notices state it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("foundation", "0004_changes"),
        ("interactions", "0004_files_by_browser"),
    ]

    operations = [
        migrations.CreateModel(
            name="Departure",
            fields=[
                (
                    "interaction",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="departure",
                        serialize=False,
                        to="interactions.interaction",
                    ),
                ),
                ("reason", models.CharField(max_length=16)),
                ("sub_reason", models.CharField(blank=True, max_length=16)),
                (
                    "load",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="foundation.load",
                    ),
                ),
            ],
        ),
    ]
