"""Whether the list of first steps was put away."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("foundation", "0007_signing_in"),
    ]

    operations = [
        migrations.AddField(
            model_name="installation",
            name="first_steps_away",
            field=models.BooleanField(default=False),
        ),
    ]
