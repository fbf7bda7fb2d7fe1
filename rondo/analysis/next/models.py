"""What the pages read of what comes next: one row per customer, and the findings of the whole base."""

from django.db import models

from rondo.customers.models import Customer


class NextOf(models.Model):
    """What one surviving customer is likely to buy next, as of the run that :class:`NextFound` names; swapped as a
    whole.

    ``next_category``: the category due soonest among those bought on at least three days and likely to be bought
    again; ``next_due``: the day; ``next_chance``: that it is bought within a week. ``habits``: the categories due,
    ``products``: the products, as JSON (:mod:`rondo.analysis.next.shapes`).
    """

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    next_category = models.CharField(max_length=120, null=True)  # noqa: DJ001 - null: nothing is due
    next_due = models.DateField(null=True)
    next_chance = models.FloatField(null=True)
    habits = models.TextField()
    products = models.TextField()

    class Meta:
        db_table = "analysis_next"


class NextFound(models.Model):
    """What a run found of the whole base: ``results`` in the shape of :class:`rondo.analysis.next.shapes.Found`. There
    is one row, of the run whose rows :class:`NextOf` holds."""

    run_id = models.BigIntegerField(unique=True)
    as_of = models.DateField()
    made_at = models.DateTimeField(auto_now_add=True)
    results = models.JSONField()
