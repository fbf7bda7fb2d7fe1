"""The chain by time, and the numbers of its changes. What is there gets its number: each import its own, all that was
written singly one together."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def number_what_is_there(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Note each import whose rows could be seen once, and each interaction that belongs to none."""
    load_model, change_model = apps.get_model("foundation", "Load"), apps.get_model("foundation", "Change")
    interaction, note = apps.get_model("interactions", "Interaction"), apps.get_model("interactions", "ChainChange")
    seen = load_model.objects.filter(status__in=["visible", "undone"]).order_by("pk")
    for load in seen:
        if interaction._meta.db_table in load.spans:
            number = change_model.objects.create(at=load.finished_at or load.started_at).pk
            note.objects.create(change=number, load_id=load.pk)
    singly = interaction.objects.filter(load_id__isnull=True)
    if singly.exists():
        number = change_model.objects.create().pk
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO interactions_chainchange (change, interaction_id) "
                "SELECT %s, id FROM interactions_interaction WHERE load_id IS NULL",
                [number],
            )


class Migration(migrations.Migration):
    dependencies = [("foundation", "0004_changes"), ("interactions", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="interaction", index=models.Index(fields=["occurred_at", "id"], name="interaction_time")
        ),
        migrations.CreateModel(
            name="ChainChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("change", models.BigIntegerField()),
                (
                    "interaction",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="interactions.interaction",
                    ),
                ),
                (
                    "load",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="foundation.load",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["change", "interaction"], name="chain_change")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("interaction__isnull", True), ("load__isnull", True), _connector="XOR"),
                        name="chain_change_of_one",
                    )
                ],
            },
        ),
        migrations.RunPython(number_what_is_there, migrations.RunPython.noop),
    ]
