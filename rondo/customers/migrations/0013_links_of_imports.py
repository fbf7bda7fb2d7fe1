"""Links say by which import they were made, so that they go when it is taken back."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0012_audit_says_whose"), ("foundation", "0013_token_made_by")]

    operations = [
        migrations.AddField(
            model_name="link",
            name="load",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="foundation.load"
            ),
        ),
    ]
