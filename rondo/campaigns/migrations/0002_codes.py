"""What the columnar copy takes of the exposure ledger as text is held to codes by the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial")]

    operations = [
        migrations.AddConstraint(
            model_name="exposure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("arm__contains", " "), _negated=True),
                    models.Q(("arm__contains", "@"), _negated=True),
                    models.Q(("arm__contains", "\n"), _negated=True),
                    models.Q(("arm__contains", "\r"), _negated=True),
                    models.Q(("arm__contains", "\t"), _negated=True),
                    models.Q(("suppressed__contains", " "), _negated=True),
                    models.Q(("suppressed__contains", "@"), _negated=True),
                    models.Q(("suppressed__contains", "\n"), _negated=True),
                    models.Q(("suppressed__contains", "\r"), _negated=True),
                    models.Q(("suppressed__contains", "\t"), _negated=True),
                ),
                name="exposure_codes",
            ),
        ),
    ]
