"""What a customer's silence puts at stake, as a fact that lists and rules can ask for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analysis", "0019_purchases_ahead")]

    operations = [
        migrations.AddField(
            model_name="score",
            name="at_stake",
            field=models.BigIntegerField(null=True),
        ),
    ]
