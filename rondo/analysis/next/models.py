"""What the pages read of what comes next: one row per customer, and the findings of the whole base."""

from django.db import models

from rondo.customers.models import Customer


class NextOf(models.Model):
    """What one surviving customer is likely to buy next, as of the run that :class:`NextFound` names; swapped as a
    whole.

    ``next_category``: the category due soonest among those bought on at least three days and likely to be bought
    again; ``next_due``: the day; ``next_chance``: that it is bought within a week. ``upsell_category``: the category in
    which a higher price tier brings most, ``upsell_chance``: that the next purchase in it is of one, ``upsell_gain``:
    what is expected of it, in minor units. ``habits``: the categories due, ``products``: the products, ``upsells``: the
    categories with a higher tier to take, as JSON (:mod:`rondo.analysis.next.shapes`).
    """

    customer = models.OneToOneField(
        Customer, primary_key=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    next_category = models.CharField(max_length=120, null=True)  # noqa: DJ001 - null: nothing is due
    next_due = models.DateField(null=True)
    next_chance = models.FloatField(null=True)
    upsell_category = models.CharField(max_length=120, null=True)  # noqa: DJ001 - null: there is none
    upsell_chance = models.FloatField(null=True)
    upsell_gain = models.BigIntegerField(null=True)
    habits = models.TextField()
    products = models.TextField()
    upsells = models.TextField(default="[]")

    class Meta:
        db_table = "analysis_next"


class NextFound(models.Model):
    """What a run found of the whole base: ``results`` in the shape of :class:`rondo.analysis.next.shapes.Found`. There
    is one row, of the run whose rows :class:`NextOf` holds."""

    run_id = models.BigIntegerField(unique=True)
    as_of = models.DateField()
    made_at = models.DateTimeField(auto_now_add=True)
    results = models.JSONField()
