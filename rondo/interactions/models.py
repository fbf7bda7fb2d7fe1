"""The chain: interactions, orders with lines, and retractions. Rows are added, never changed."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from rondo.catalogue.models import Category, Product
from rondo.customers.models import Customer, Source
from rondo.foundation import ids
from rondo.foundation.models import Load


class Interaction(models.Model):
    """One contact with a customer: who, when, what, over which channel, in which direction, on whose initiative, over
    which medium, and what it answers. ``amount`` is in minor units of ``currency``."""

    PREFIX: ClassVar[str] = "i"

    class Direction(models.TextChoices):
        INBOUND = "inbound", _("inbound")
        OUTBOUND = "outbound", _("outbound")

    class Initiative(models.TextChoices):
        PUSH = "push", _("push")
        PULL = "pull", _("pull")

    class Medium(models.TextChoices):
        OWNED = "owned", _("owned")
        PAID = "paid", _("paid")
        EARNED = "earned", _("earned")

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="interactions", db_index=False)
    kind = models.CharField(max_length=24)
    channel = models.CharField(max_length=16)
    direction = models.CharField(max_length=8, choices=Direction.choices)
    initiative = models.CharField(max_length=4, choices=Initiative.choices)
    medium = models.CharField(max_length=6, choices=Medium.choices)
    occurred_at = models.DateTimeField()
    business_date = models.DateField()
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    title = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    details = models.JSONField(null=True)
    in_response_to = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="answers")
    source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    message_id = models.CharField(max_length=120, null=True)  # noqa: DJ001 - null is "has none" and stays out of the index
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    written_in = models.BigIntegerField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["customer", "occurred_at", "id"], name="interaction_chain"),
            models.Index(fields=["occurred_at", "id"], name="interaction_time"),
            models.Index(  # all that a rule over the chains of all customers adds up; see queries.by_kind_and_day
                fields=["kind", "business_date", "customer", "load", "currency", "amount", "id"],
                name="interaction_kind",
                condition=models.Q(kind__gt=""),
            ),
            models.Index(
                fields=["source", "message_id", "load"],
                name="interaction_message",
                condition=models.Q(message_id__isnull=False),
            ),
        ]

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)


class Order(models.Model):
    """A purchase: the interaction of kind ``purchase`` it is, its number in the source, its place and its total."""

    PREFIX: ClassVar[str] = "o"

    interaction = models.OneToOneField(Interaction, primary_key=True, on_delete=models.CASCADE, related_name="order")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.CharField(max_length=60)
    store = models.CharField(max_length=60, blank=True)
    total = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    line_count = models.PositiveIntegerField()
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["source", "number", "load"], name="order_number")]

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)


class OrderLine(models.Model):
    """One line of an order. ``quantity_milli`` is the quantity in thousandths; amounts are minor units of the order's
    currency. ``total`` is what was paid, after the discounts kept beside it (as positive numbers)."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+", db_index=False)
    quantity_milli = models.BigIntegerField()
    total = models.BigIntegerField()
    discount = models.BigIntegerField(default=0)
    coupon_discount = models.BigIntegerField(default=0)
    match_discount = models.BigIntegerField(default=0)


class About(models.Model):
    """What an interaction is about: a category, or a product and so its category. Interactions that name neither have
    no row."""

    interaction = models.OneToOneField(Interaction, primary_key=True, on_delete=models.CASCADE, related_name="about")
    category = models.ForeignKey(Category, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    product = models.ForeignKey(Product, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)


class Departure(models.Model):
    """Why the customer leaves, as a cancellation or a notice states it: group and reason by the keys of
    :mod:`rondo.interactions.reasons`. Where no reason was given there is no row."""

    interaction = models.OneToOneField(
        Interaction, primary_key=True, on_delete=models.CASCADE, related_name="departure"
    )
    reason = models.CharField(max_length=16)
    sub_reason = models.CharField(max_length=16, blank=True)
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)


class LeavingReason(models.Model):
    """A reason for leaving that a company added, or one of the program (:mod:`rondo.interactions.reasons`) that it
    called otherwise or offers no longer. ``key`` and ``group`` stay, since contacts and rules name them."""

    key = models.SlugField(max_length=16, unique=True)
    group = models.CharField(max_length=16)
    label_en = models.CharField(max_length=60)
    label_de = models.CharField(max_length=60, blank=True)
    is_offered = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """What it is called in the language in force."""
        return (self.label_de if (get_language() or "").startswith("de") else "") or self.label_en


class Retraction(models.Model):
    """Says that one interaction was wrong: who says so, when and why. Every read leaves the interaction out."""

    interaction = models.OneToOneField(
        Interaction, primary_key=True, on_delete=models.CASCADE, related_name="retraction"
    )
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)


class Split(models.Model):
    """Says that a customer was two: what belonged to the second went from ``customer`` to ``made``, until it is undone.

    Rows of the chain keep the customer they were written with: those that went are retracted and written anew for
    ``made`` (:class:`Moved`). Identifiers are of whom they recognise: ``identifiers`` lists pairs of the identifier's
    key and of the record that held it.
    """

    PREFIX: ClassVar[str] = "sp"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    made = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    identifiers = models.JSONField(default=list)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.customer_id} → {self.made_id}"

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)


class Moved(models.Model):
    """An interaction that a split took: the one that was retracted, and the same as it was written for the other."""

    split = models.ForeignKey(Split, on_delete=models.CASCADE, related_name="moved")
    original = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="+")
    copy = models.OneToOneField(Interaction, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["split", "original"], name="moved_once_a_split")]

    def __str__(self) -> str:
        return f"{self.original_id} → {self.copy_id}"


class ChainChange(models.Model):
    """When the chain changed last at one place, as the number that readers follow (see
    :mod:`rondo.foundation.change_numbers`): one interaction that was written singly or retracted, or all those of an
    import, which became visible or was taken back. An interaction without a row of its own goes with its import."""

    change = models.BigIntegerField()
    interaction = models.OneToOneField(Interaction, null=True, on_delete=models.CASCADE, related_name="+")
    load = models.OneToOneField(Load, null=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["change", "interaction"], name="chain_change")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(interaction__isnull=True) ^ models.Q(load__isnull=True), name="chain_change_of_one"
            )
        ]


class ImportFile(models.Model):
    """A file that somebody brings in by the browser, from its upload to its run: what it is taken for, which column is
    which field, what a trial found, how far the work is. The file itself lies under ``RONDO_HOME/uploads``.

    ``choice`` is JSON of :class:`rondo.interactions.importing.choosing.Choice`; ``trial`` what the last trial came to.
    """

    PREFIX: ClassVar[str] = "im"

    class Status(models.TextChoices):
        CHOSEN = "chosen", _("being prepared")
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        TRIED = "tried", _("tried")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    class Work(models.TextChoices):
        TRIAL = "trial", _("trial")
        IMPORT = "import", _("import")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=255)
    stored_as = models.CharField(max_length=40)
    size = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=30, blank=True)
    source = models.CharField(max_length=60, blank=True)
    choice = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.CHOSEN)
    work = models.CharField(max_length=10, choices=Work.choices, blank=True)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    trial = models.JSONField(default=dict)
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["user", "-id"], name="import_file_user")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)

    @property
    def under_way(self) -> bool:
        return self.status in {self.Status.QUEUED, self.Status.RUNNING}


class ImportMapping(models.Model):
    """How files of one source and kind were read last, so that the next one is read the same way."""

    source = models.CharField(max_length=60)
    kind = models.CharField(max_length=30)
    choice = models.JSONField(default=dict)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "kind"], name="import_mapping_of")]
