"""Where customers may trade up: the category, the chance of a higher tier, and what is expected of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analysis", "0014_changes_of_mix")]

    operations = [
        migrations.AddField("nextof", "upsell_category", models.CharField(max_length=120, null=True)),
        migrations.AddField("nextof", "upsell_chance", models.FloatField(null=True)),
        migrations.AddField("nextof", "upsell_gain", models.BigIntegerField(null=True)),
        migrations.AddField("nextof", "upsells", models.TextField(default="[]")),
    ]
