"""Signing in: attempts that are counted, where users are signed in, invitations, scopes of tokens, two factors."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import rondo.foundation.models


class Migration(migrations.Migration):
    dependencies = [
        ("foundation", "0006_users_have_roles"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="scopes",
            field=models.JSONField(default=rondo.foundation.models.only_seeing),
        ),
        migrations.AddField(
            model_name="installation",
            name="two_factor",
            field=models.CharField(
                choices=[
                    ("nobody", "Nobody has to; everybody may"),
                    ("roles", "Whoever has one of these roles"),
                    ("all", "Everybody"),
                ],
                default="nobody",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="installation",
            name="two_factor_roles",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["key", "at"], name="attempt_key")],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.EmailField(max_length=254)),
                ("role", models.CharField(max_length=40)),
                (
                    "reach",
                    models.CharField(
                        choices=[("own", "Own customers"), ("team", "Customers of the team"), ("all", "All customers")],
                        default="all",
                        max_length=8,
                    ),
                ),
                ("language", models.CharField(blank=True, max_length=8)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField()),
                ("nonce", models.CharField(max_length=40)),
                (
                    "mail",
                    models.CharField(
                        choices=[
                            ("none", "handed over by hand"),
                            ("waiting", "waits to be sent"),
                            ("sent", "sent"),
                            ("failed", "not sent"),
                        ],
                        default="none",
                        max_length=8,
                    ),
                ),
                ("mail_error", models.CharField(blank=True, max_length=300)),
                ("mailed_at", models.DateTimeField(null=True)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "accepted_as",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="foundation.team",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UserSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("session_key", models.CharField(max_length=40, unique=True)),
                ("began_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("seen_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("address", models.GenericIPAddressField(null=True)),
                ("agent", models.CharField(blank=True, max_length=300)),
                ("means", models.CharField(blank=True, max_length=20)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
    ]
