"""Between which numbers the purchases of one customer will lie."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analysis", "0018_households_and_organisations")]

    operations = [
        migrations.AddField(
            model_name="score",
            name="purchases_ahead",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="score",
            name="purchases_ahead_low",
            field=models.IntegerField(null=True),
        ),
        migrations.AddField(
            model_name="score",
            name="purchases_ahead_high",
            field=models.IntegerField(null=True),
        ),
    ]
