"""Links have a position, a first and a last day; who left and came back has two of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0007_consents")]

    operations = [
        migrations.AddField(
            model_name="link",
            name="position",
            field=models.CharField(blank=True, default="", max_length=60),
            preserve_default=False,
        ),
        migrations.AddField(model_name="link", name="since", field=models.DateField(null=True)),
        migrations.AddField(model_name="link", name="until", field=models.DateField(null=True)),
        migrations.RemoveConstraint(model_name="link", name="link_unique"),
        migrations.AddConstraint(
            model_name="link",
            constraint=models.UniqueConstraint(
                condition=models.Q(("until__isnull", True)),
                fields=("subject", "object", "role"),
                name="link_once_at_a_time",
            ),
        ),
    ]
