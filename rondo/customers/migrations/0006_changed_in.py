"""Each customer carries the number of its last change; those there are keep 0, which lies before every number."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0005_index_name_words"), ("foundation", "0004_changes")]

    operations = [
        migrations.AddField(
            model_name="customer", name="changed_in", field=models.BigIntegerField(default=0, editable=False)
        ),
        migrations.AddIndex(
            model_name="customer", index=models.Index(fields=["changed_in", "id"], name="customer_changed_in")
        ),
    ]
