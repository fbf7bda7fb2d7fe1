"""A user's role refers to the table of roles. The column stays as it is: who wrote a key into it before still may."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("foundation", "0005_roles")]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="role",
            field=models.ForeignKey(
                db_column="role",
                default="reader",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="users",
                to="foundation.role",
                to_field="key",
            ),
        ),
    ]
