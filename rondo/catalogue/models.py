"""What: products with their category path, brand, own-label flag and price."""

from typing import ClassVar

from django.db import models

from rondo.customers.models import Source
from rondo.foundation import ids
from rondo.foundation.models import Load


class Category(models.Model):
    """A node of the category tree. ``path`` joins the names from the root by " > " and is unique."""

    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    name = models.CharField(max_length=120)
    path = models.CharField(max_length=400, unique=True)
    depth = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return self.path


class Product(models.Model):
    """A product as a source numbers it. ``is_placeholder``: seen in an order before anybody described it."""

    PREFIX: ClassVar[str] = "p"

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.CharField(max_length=60)
    name = models.CharField(max_length=200, blank=True)
    category = models.ForeignKey(Category, null=True, on_delete=models.PROTECT, related_name="+")
    brand = models.CharField(max_length=80, blank=True)
    own_label = models.BooleanField(null=True)
    size = models.CharField(max_length=60, blank=True)
    price = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    is_placeholder = models.BooleanField(default=False)
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="product_unique")]

    def __str__(self) -> str:
        return self.name or self.number

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)
