"""The median of what a customer will buy, beside the mean."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analysis", "0016_leads_and_interests")]

    operations = [
        migrations.AddField(
            model_name="score",
            name="median_purchases",
            field=models.IntegerField(null=True),
        ),
    ]
