"""An erasure knows the contacts that splits left with other records, so that the columnar copy forgets them, too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("erasure", "0001_erasures")]
    operations = [migrations.AddField(model_name="erasure", name="contacts", field=models.JSONField(default=list))]
