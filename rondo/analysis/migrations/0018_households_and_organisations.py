"""Households and organisations as facts of who belongs to them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analysis", "0017_median_of_purchases")]

    operations = [
        migrations.AddField(model_name="score", name="household_members", field=models.IntegerField(null=True)),
        migrations.AddField(model_name="score", name="household_value", field=models.BigIntegerField(null=True)),
        migrations.AddField(model_name="score", name="household_value_low", field=models.BigIntegerField(null=True)),
        migrations.AddField(model_name="score", name="household_value_high", field=models.BigIntegerField(null=True)),
        migrations.AddField(model_name="score", name="organisation_members", field=models.IntegerField(null=True)),
        migrations.AddField(model_name="score", name="organisation_value", field=models.BigIntegerField(null=True)),
        migrations.AddField(model_name="score", name="organisation_value_low", field=models.BigIntegerField(null=True)),
        migrations.AddField(
            model_name="score", name="organisation_value_high", field=models.BigIntegerField(null=True)
        ),
    ]
