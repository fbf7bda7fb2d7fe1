from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("foundation", "0014_api_answer_seen")]

    operations = [
        migrations.AddField(model_name="apianswer", name="done", field=models.PositiveSmallIntegerField(null=True)),
    ]
