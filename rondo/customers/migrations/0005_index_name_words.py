"""The indexes of name words: one finds customers by a word, the other the words of a customer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_fill_name_words")]

    operations = [
        migrations.AddConstraint(
            model_name="nameword",
            constraint=models.UniqueConstraint(fields=("customer", "word"), name="name_word_unique"),
        ),
        migrations.AddIndex(
            model_name="nameword",
            index=models.Index(fields=["later", "word", "customer"], name="name_word_found"),
        ),
    ]
