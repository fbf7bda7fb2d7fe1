"""What customers changed to: the category or channel whose share rose most."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analysis", "0013_bonds_and_relationships")]

    operations = [
        migrations.AddField(
            model_name="score",
            name="change_to",
            field=models.CharField(max_length=120, null=True),
        ),
    ]
