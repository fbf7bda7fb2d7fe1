"""The ledger of consents."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0006_changed_in"),
        ("foundation", "0004_changes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("phone", "Phone"),
                            ("sms", "Text message"),
                            ("mail", "Letter"),
                            ("messenger", "Messenger"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[("marketing", "Marketing"), ("surveys", "Surveys"), ("profiling", "Profiling")],
                        default="marketing",
                        max_length=12,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("given", "given"), ("withdrawn", "withdrawn"), ("unknown", "not known")],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("source", models.CharField(blank=True, max_length=60)),
                ("evidence", models.CharField(blank=True, max_length=400)),
                ("noted_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="customers.customer",
                    ),
                ),
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
            options={
                "indexes": [models.Index(fields=["customer", "channel", "purpose", "at", "id"], name="consent_last")],
            },
        ),
    ]
