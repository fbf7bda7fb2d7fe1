"""Reasons for leaving that a company added, renamed or offers no longer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("interactions", "0005_departures")]

    operations = [
        migrations.CreateModel(
            name="LeavingReason",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=16, unique=True)),
                ("group", models.CharField(max_length=16)),
                ("label_en", models.CharField(max_length=60)),
                ("label_de", models.CharField(blank=True, max_length=60)),
                ("is_offered", models.BooleanField(default=True)),
            ],
        ),
    ]
