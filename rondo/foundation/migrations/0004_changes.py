"""Numbers of changes: a table that gives them out, and on each import run the number that its rows carry."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("foundation", "0003_audit_append_only")]

    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddField(model_name="load", name="change", field=models.BigIntegerField(editable=False, null=True)),
    ]
