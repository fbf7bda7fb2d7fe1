from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("foundation", "0013_token_made_by")]

    operations = [
        migrations.AddField(model_name="apianswer", name="seen", field=models.JSONField(default=dict)),
    ]
