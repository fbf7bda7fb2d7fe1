"""Who: customers, their identifiers, addresses, attributes, links, and merges as pointers."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from rondo.foundation import ids
from rondo.foundation.long_work import LongWork
from rondo.foundation.models import Load, Team


class Source(models.Model):
    """A system that data comes from; external ids and message ids are unique within it."""

    name = models.CharField(max_length=60, unique=True)

    def __str__(self) -> str:
        return self.name


class Bin(LongWork):
    """Customers who were put into the bin together, at ``created_at`` by ``actor``: gone from every read, and put back
    together unless somebody put some of them back before. A job does it where they are many: ``results`` then holds
    their ``keys`` until it is done. ``count``: how many went; ``back``: how many were put back.
    """

    count = models.BigIntegerField(default=0)
    back = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="customer_bin_age")]

    def __str__(self) -> str:
        return f"bin {self.pk}"


class Customer(models.Model):
    """One record of a person, household or organisation. ``version`` counts changes, against lost updates.

    ``changed_in`` is the number of the last change to anything that belongs to the record (its fields, identifiers,
    addresses, attributes, links, merges), see :mod:`rondo.customers.changed`; 0 if none was ever noted.

    ``bin``: the customer was put into the bin, with all records merged into it, and is left out of every read.

    ``known_since`` is the first day we know of; with ``known_since_at_least`` the relationship is older than the data.
    ``preferred_address`` is shown before the others; it may belong to a record merged into this one, or be gone.
    """

    PREFIX: ClassVar[str] = "c"

    class Kind(models.TextChoices):
        PERSON = "person", _("Person")
        HOUSEHOLD = "household", _("Household")
        ORGANISATION = "organisation", _("Organisation")

    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.PERSON)
    name = models.CharField(max_length=200, blank=True)
    given_name = models.CharField(max_length=100, blank=True)
    family_name = models.CharField(max_length=100, blank=True)
    folded_name = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=8, blank=True)
    birth_date = models.DateField(null=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, null=True, on_delete=models.PROTECT, related_name="+")
    known_since = models.DateField(null=True)
    known_since_at_least = models.BooleanField(default=False)
    preferred_address = models.ForeignKey(
        "Address", null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    is_demo = models.BooleanField(default=False)
    is_merged = models.BooleanField(default=False)
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    version = models.PositiveIntegerField(default=1)
    changed_in = models.BigIntegerField(default=0, editable=False)
    bin = models.ForeignKey(Bin, null=True, on_delete=models.PROTECT, related_name="customers", db_index=False)

    class Meta:
        indexes = [
            models.Index(fields=["bin", "id"], name="customer_binned", condition=models.Q(bin__isnull=False)),
            models.Index(fields=["changed_in", "id"], name="customer_changed_in"),
            models.Index(fields=["folded_name", "id"], name="customer_folded_name"),
            models.Index(fields=["kind", "id"], name="customer_kind"),
            models.Index(fields=["known_since", "id"], name="customer_known_since"),
        ]

    def __str__(self) -> str:
        return self.name or self.public_id

    @property
    def public_id(self) -> str:
        return ids.encode(self.PREFIX, self.pk)


class Identifier(models.Model):
    """What recognises a customer: normalised, unique per (kind, source). It stays on the record it was written with."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        CARD = "card", _("Card number")
        EXTERNAL = "external", _("Number in another system")
        ANONYMOUS = "anonymous", _("Anonymous id")
        DEVICE = "device", _("Device id")

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="identifiers")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    value = models.CharField(max_length=255)
    shown = models.CharField(max_length=255)
    is_demo = models.BooleanField(default=False)
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "source", "value"], name="identifier_unique", condition=models.Q(source__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["kind", "value"], name="identifier_unique_no_source", condition=models.Q(source__isnull=True)
            ),
        ]


class Address(models.Model):
    """A postal address of a customer; country as ISO 3166 alpha-2."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="addresses")
    street = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=120, blank=True)
    region = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=2, blank=True)
    is_demo = models.BooleanField(default=False)
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)


class StandingDefinitions(models.Manager["AttributeDefinition"]):
    """The attributes in use: neither archived, nor what an attribute was before its type was changed."""

    def get_queryset(self) -> "models.QuerySet[AttributeDefinition]":
        return super().get_queryset().filter(state=AttributeDefinition.State.STANDING)


class AttributeDefinition(models.Model):
    """A typed attribute of customers, and which form of segmentation it serves. ``objects`` are those in use.

    ``choices`` lists ``{"value", "en", "de"}`` in their natural order, only for the types ``choice`` and ``multi``; one
    with ``"retired": true`` stays where customers have it and is offered no more. ``default``: what a customer who is
    made without a value gets, as :func:`~rondo.customers.values.parse` takes it. ``visible_to``: keys of the roles that
    see it, besides the administrator's; None: everybody. ``version`` counts changes, against lost updates.

    A change of type makes a new definition with new values, which takes over the key when they all stand; ``replaces``
    is what the attribute was before, kept for the undo. ``changing``: the type that it is being changed to meanwhile.
    """

    class Type(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        DATE = "date", _("Date")
        CHOICE = "choice", _("Choice")
        MULTI = "multi", _("Several choices")
        BOOLEAN = "boolean", _("Yes or no")
        MONEY = "money", _("Money")
        LINK = "link", _("Web link")

    class Form(models.TextChoices):
        GEOGRAPHIC = "geographic", _("Geographic")
        DEMOGRAPHIC = "demographic", _("Demographic")
        BEHAVIOURAL = "behavioural", _("Behavioural")
        BENEFIT = "benefit", _("Benefit")
        PSYCHOGRAPHIC = "psychographic", _("Psychographic")

    class State(models.TextChoices):
        STANDING = "standing", pgettext_lazy("attribute", "in use")
        ARCHIVED = "archived", pgettext_lazy("attribute", "archived")
        MADE = "made", pgettext_lazy("attribute", "being made")
        FORMER = "former", pgettext_lazy("attribute", "former")

    key = models.SlugField(max_length=60, unique=True)
    label_en = models.CharField(max_length=100)
    label_de = models.CharField(max_length=100, blank=True)
    type = models.CharField(max_length=8, choices=Type.choices)
    form = models.CharField(max_length=14, choices=Form.choices)
    choices = models.JSONField(default=list, blank=True)
    order = models.PositiveSmallIntegerField(default=100)
    required = models.BooleanField(default=False)
    unique = models.BooleanField(default=False)
    default = models.CharField(max_length=255, blank=True)
    visible_to = models.JSONField(null=True, default=None)
    state = models.CharField(max_length=8, choices=State.choices, default=State.STANDING)
    changing = models.CharField(max_length=8, blank=True)
    replaces = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    version = models.PositiveIntegerField(default=1)

    everything = models.Manager["AttributeDefinition"]()
    objects = StandingDefinitions()

    class Meta:
        ordering = ["order", "key"]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The label in the language in force."""
        from django.utils.translation import get_language

        return (self.label_de if (get_language() or "").startswith("de") else "") or self.label_en

    @property
    def has_choices(self) -> bool:
        """Whether values are of a list of choices."""
        return self.type in (self.Type.CHOICE, self.Type.MULTI)


class AttributeValue(models.Model):
    """One attribute of one customer, in the column of its type: text, link and choice in ``text``, several choices too,
    as ``|one|other|`` in their natural order; number, money (minor units) and boolean (0/1) in ``number``; date in
    ``day``. ``unique_key``: the value in the form in which it may occur but once, where the attribute is unique."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="attribute_values")
    definition = models.ForeignKey(AttributeDefinition, on_delete=models.CASCADE, related_name="+", db_index=False)
    text = models.CharField(max_length=255, null=True)  # noqa: DJ001 - null and empty differ: one column per type
    number = models.FloatField(null=True)
    day = models.DateField(null=True)
    unique_key = models.CharField(max_length=255, null=True, editable=False)  # noqa: DJ001 - null: may occur again
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "definition"], name="attribute_value_unique"),
            models.UniqueConstraint(
                fields=["definition", "unique_key"],
                name="attribute_value_once",
                condition=models.Q(unique_key__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["definition", "text", "customer"], name="attribute_text"),
            models.Index(fields=["definition", "number", "customer"], name="attribute_number"),
            models.Index(fields=["definition", "day", "customer"], name="attribute_day"),
        ]


class Consent(models.Model):
    """One entry of the ledger of consents: what a customer said of being reached over a channel for a purpose. Entries
    are added, never changed; the last one by ``at`` is what holds, and where there is none, nothing is known.

    ``at``: when it was said. ``source``: where, such as a form. ``evidence``: what proves it. ``actor``: who noted it.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        SMS = "sms", _("Text message")
        MAIL = "mail", _("Letter")
        MESSENGER = "messenger", _("Messenger")

    class Purpose(models.TextChoices):
        MARKETING = "marketing", _("Marketing")
        SURVEYS = "surveys", _("Surveys")
        PROFILING = "profiling", _("Profiling")

    class State(models.TextChoices):
        GIVEN = "given", pgettext_lazy("consent", "given")
        WITHDRAWN = "withdrawn", pgettext_lazy("consent", "withdrawn")
        UNKNOWN = "unknown", pgettext_lazy("consent", "not known")

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="consents", db_index=False)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.MARKETING)
    state = models.CharField(max_length=10, choices=State.choices)
    at = models.DateTimeField()
    source = models.CharField(max_length=60, blank=True)
    evidence = models.CharField(max_length=400, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    noted_at = models.DateTimeField(default=timezone.now)
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["customer", "channel", "purpose", "at", "id"], name="consent_last")]


class Link(models.Model):
    """A link from one customer to another: ``role`` says what ``subject`` is to ``object``, ``position`` as what, such
    as a buyer.

    ``since`` and ``until`` are the first and the last day, None where the day is not known. A link with ``until`` has
    ended: days ahead are refused, so that who has left does not depend on the clock of who asks.
    """

    class Role(models.TextChoices):
        MEMBER = "member", _("member of the household")
        EMPLOYEE = "employee", _("works for")
        PARTNER = "partner", _("partner of")
        REFERRED = "referred", _("recommended us to")
        SUBSIDIARY = "subsidiary", _("subsidiary of")

    BELONGING: ClassVar[tuple[str, ...]] = (Role.MEMBER, Role.EMPLOYEE, Role.SUBSIDIARY)
    """The roles by which the subject belongs to the object, whose figures it then is part of."""

    subject = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="links_out")
    object = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="links_in")
    role = models.CharField(max_length=12, choices=Role.choices)
    position = models.CharField(max_length=60, blank=True)
    since = models.DateField(null=True)
    until = models.DateField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    load = models.ForeignKey(Load, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "object", "role"], condition=models.Q(until__isnull=True), name="link_once_at_a_time"
            ),
            models.CheckConstraint(condition=~models.Q(subject=models.F("object")), name="link_not_to_itself"),
        ]


class Merge(models.Model):
    """An edge of the merge tree: ``loser`` points to ``winner`` until the edge is undone. Nothing is copied."""

    loser = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    winner = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["loser"], condition=models.Q(undone_at__isnull=True), name="merge_one_winner_at_a_time"
            )
        ]


class MergePick(models.Model):
    """A value that a survivor (``holder``) shows because of a merge: what it held ``before``, what it holds ``after``,
    and the record that the value was entered for (``origin``).

    ``field``: ``kind``, ``name`` (with its parts), ``language``, ``birth_date``, ``known_since``, ``owner``, ``team``,
    ``address`` or ``attr.<key>``; ``before`` and ``after`` map its columns to JSON values, of an attribute None where
    there was none. Rows go when the merge is undone, or the origin leaves (:mod:`rondo.customers.actions.picking`).
    """

    merge = models.ForeignKey(Merge, on_delete=models.CASCADE, related_name="picks")
    holder = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_index=False)
    origin = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    field = models.CharField(max_length=80)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["holder", "field", "id"], name="merge_pick_held")]

    def __str__(self) -> str:
        return f"{self.field} of {self.holder_id}"


class Survivor(models.Model):
    """The maintained closure of the merge edges: every merged customer and the record that survives it.

    Customers that were not merged have no row: readers take the customer itself.
    """

    customer = models.OneToOneField(Customer, primary_key=True, on_delete=models.CASCADE, related_name="survivor_row")
    survivor = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="absorbed")


class NameWord(models.Model):
    """A word of a name that finds a customer: of their own name, or of the name of a record merged into them.

    The folded words of all these names, each once; ``later`` is false for the word that the customer's own name begins
    with. Derived from ``Customer.folded_name`` and ``Survivor`` and kept by :mod:`rondo.customers.names` alone.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+", db_index=False)
    word = models.CharField(max_length=200)
    later = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "word"], name="name_word_unique")]
        indexes = [models.Index(fields=["later", "word", "customer"], name="name_word_found")]
