"""Tables every room stands on: users, teams, audit, the installation, links, tokens, loads and job leases."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rondo.foundation.prepared import prepared


class Team(models.Model):
    """A team in a tree; who reads "team" reads the rows of the own team and of those below it."""

    name = models.CharField(max_length=120, unique=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """What those who have it may do (``rights``), how far they see in each room (``reaches``: room → none, own, team or
    all) and what is masked for them. See :mod:`rondo.foundation.rights`. A built-in role without a name of its own is
    called by its translated name; the administrator's is fixed and has every right."""

    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80, blank=True)
    rights = models.JSONField(default=list)
    reaches = models.JSONField(default=dict)
    masked = models.JSONField(default=list)
    is_builtin = models.BooleanField(default=False)

    def __str__(self) -> str:
        from rondo.foundation.rights import role_name

        return role_name(self)


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail address; reads them together with their role, which every check of a right needs."""

    def get_queryset(self) -> models.QuerySet["User"]:
        return super().get_queryset().select_related("role")

    def get(self, *conditions: Any, **fields: Any) -> "User":
        """As always; of all users by key alone by a statement that is kept, since every page begins with that."""
        key = fields.get("pk")
        # What leads from other rows to their users is a manager of a class of its own.
        if conditions or len(fields) > 1 or type(key) is not int or key >= 2**63 or type(self) is not UserManager:
            return super().get(*conditions, **fields)
        if not (found := _of_key(key)):
            raise User.DoesNotExist("User matching query does not exist.")
        return found[0]

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if isinstance(role := fields.get("role"), str):
            fields["role_id"] = role
            del fields["role"]
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save()
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. ``reach`` narrows how far the role's reads go: own rows, the team's, or all."""

    class Reach(models.TextChoices):
        OWN = "own", _("Own customers")
        TEAM = "team", _("Customers of the team")
        ALL = "all", _("All customers")

    class Theme(models.TextChoices):
        SYSTEM = "system", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    role = models.ForeignKey(
        Role, to_field="key", db_column="role", on_delete=models.PROTECT, related_name="users", default="reader"
    )
    reach = models.CharField(max_length=8, choices=Reach.choices, default=Reach.ALL)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="members")
    language = models.CharField(max_length=8, blank=True)
    theme = models.CharField(max_length=8, choices=Theme.choices, default=Theme.SYSTEM)
    is_active = models.BooleanField(default=True)
    is_service = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    limited_to: "frozenset[str] | None" = None
    """Not a column: the rights that the token of this request is limited to; None: it is no token's."""
    token: "ApiToken | None" = None
    """Not a column: the token of this request; None: it came by another door."""
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    def __str__(self) -> str:
        return self.name or self.email


@prepared
def _of_key(key: int) -> models.QuerySet[User]:
    return User.objects.filter(pk=key)


class Installation(models.Model):
    """The one row of what the company is and assumes; figures made under an assumption show it beside themselves.

    ``language``: of mails to people who chose none; empty: as RONDO_LANGUAGE. ``two_factor`` says who must sign in with
    two factors; ``two_factor_roles`` are the keys of those roles.
    """

    class TwoFactor(models.TextChoices):
        NOBODY = "nobody", _("Nobody has to; everybody may")
        ROLES = "roles", _("Whoever has one of these roles")
        EVERYBODY = "all", _("Everybody")

    company = models.CharField(max_length=200, blank=True, default="")
    language = models.CharField(max_length=8, blank=True, default="", choices=settings.LANGUAGES)
    currency = models.CharField(max_length=3, default="EUR")
    time_zone = models.CharField(max_length=64, default="UTC")
    margin_rate = models.DecimalField(
        max_digits=5, decimal_places=4, default="0.2500", validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    discount_rate = models.DecimalField(
        max_digits=5, decimal_places=4, default="0.1000", validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    horizon_months = models.PositiveSmallIntegerField(
        default=12, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    two_factor = models.CharField(max_length=8, choices=TwoFactor.choices, default=TwoFactor.NOBODY)
    two_factor_roles = models.JSONField(default=list, blank=True)
    id_alphabet = models.CharField(max_length=80)
    has_demo = models.BooleanField(default=False)
    first_steps_away = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.company or "Rondo"


class AuditEntry(models.Model):
    """Who changed which field of which record from what to what, when, through which door. Only ever added.

    ``about``: the key of the customer record that the record was a part of, such as an address, where it is none
    itself; so that erasure finds the entry when the part is gone. No foreign key: entries outlive what they tell of."""

    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    door = models.CharField(max_length=10)
    verb = models.CharField(max_length=60)
    record_type = models.CharField(max_length=40)
    record_id = models.BigIntegerField()
    changes = models.JSONField(default=dict)
    load = models.ForeignKey("Load", null=True, on_delete=models.PROTECT, related_name="+")
    about = models.BigIntegerField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["record_type", "record_id", "id"], name="audit_record"),
            models.Index(fields=["about"], name="audit_about", condition=models.Q(about__isnull=False)),
        ]


class Change(models.Model):
    """A number that changed records carry, and when they changed (see :mod:`rondo.foundation.change_numbers`)."""

    at = models.DateTimeField(default=timezone.now, db_index=True)


class LoginLink(models.Model):
    """A single-use, short-lived link that signs one user in; only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Attempt(models.Model):
    """One try at a door that is counted (see :mod:`rondo.foundation.throttling`); ``key`` tells nobody who or where."""

    key = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["key", "at"], name="attempt_key")]


class UserSession(models.Model):
    """Where a user is signed in: the session, by which means it began, the client's address, and when it was seen last
    (see :mod:`rondo.foundation.sessions`)."""

    session_key = models.CharField(max_length=40, unique=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    began_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=300, blank=True)
    means = models.CharField(max_length=20, blank=True)


class Invitation(models.Model):
    """Asks somebody by mail to become a user (see :mod:`rondo.foundation.invitations`). The link is made from ``nonce``
    and the installation's secret key, so that the table alone opens nothing."""

    class Mail(models.TextChoices):
        NONE = "none", _("handed over by hand")
        WAITING = "waiting", _("waits to be sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not sent")

    email = models.EmailField()
    role = models.CharField(max_length=40)
    reach = models.CharField(max_length=8, choices=User.Reach.choices, default=User.Reach.ALL)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(max_length=8, blank=True)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    nonce = models.CharField(max_length=40)
    mail = models.CharField(max_length=8, choices=Mail.choices, default=Mail.NONE)
    mail_error = models.CharField(max_length=300, blank=True)
    mailed_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_as = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)


def only_seeing() -> list[str]:
    """What a token may do unless it is told: read."""
    return ["see"]


class ApiToken(models.Model):
    """A bearer token of a user for the REST API; only its hash is kept, the text is shown once. ``scopes`` are rights;
    a request has those of them that the user has at that moment. ``used`` of its requests are taken or reserved in the
    minute that began at ``minute`` (seconds of the epoch), see :mod:`rondo.foundation.api_rates`. ``made_by``: the
    token that it was made with, with which it is revoked."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    scopes = models.JSONField(default=only_seeing)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    made_by = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="made")
    minute = models.BigIntegerField(default=0, editable=False)
    used = models.PositiveIntegerField(default=0, editable=False)


class ApiAnswer(models.Model):
    """The answer to a request that carried an ``Idempotency-Key``, for who sends it again (see
    :mod:`rondo.foundation.api_answers`). ``request``: digest of what was asked. ``status`` 0: it was carried out, its
    answer is kept no more. ``seen``: what its caller saw of records when it was given. ``done``: of a call in
    portions that has not ended, the items that were done; ``body`` holds what became of them."""

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now, db_index=True)
    status = models.PositiveSmallIntegerField(default=0)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    seen = models.JSONField(default=dict)
    done = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="api_answer_once")]

    def __str__(self) -> str:
        return f"{self.status} to {self.key}"


class Load(models.Model):
    """One import run. Its rows carry its id and are visible exactly while ``status`` is ``visible``.

    A run goes loading → visible → undone; or loading → failed/abandoned, whose rows were never visible and are deleted.
    ``spans`` keeps per loaded table the first and last id given out, so that a run's rows are found without an index.
    ``change`` is the number of :class:`Change` that customers carry which it makes or changes.
    """

    class Status(models.TextChoices):
        LOADING = "loading", _("loading")
        VISIBLE = "visible", _("done")
        UNDONE = "undone", _("taken back")
        FAILED = "failed", _("failed")
        ABANDONED = "abandoned", _("abandoned")

    kind = models.CharField(max_length=30)
    source = models.CharField(max_length=60, blank=True)
    file_name = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, db_index=True)
    options = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.LOADING)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)
    spans = models.JSONField(default=dict)
    reject_file = models.CharField(max_length=255, blank=True)
    undo = models.JSONField(default=dict)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    lease_until = models.DateTimeField(null=True)
    change = models.BigIntegerField(null=True, editable=False)

    class Meta:
        indexes = [models.Index(fields=["status"], name="load_status")]

    def __str__(self) -> str:
        return f"{self.kind} run {self.pk}"


class JobLease(models.Model):
    """Which worker process has claimed which task, and until when; the reaper puts back what outlived its lease."""

    task_id = models.UUIDField(primary_key=True)
    worker = models.CharField(max_length=64)
    until = models.DateTimeField(db_index=True)
    attempts = models.PositiveSmallIntegerField(default=1)


class ProcessBeat(models.Model):
    """The last sign of life of a worker or scheduler; a dead one's row is removed after a day."""

    process = models.CharField(max_length=64, primary_key=True)
    role = models.CharField(max_length=10)
    at = models.DateTimeField()


class PeriodicState(models.Model):
    """When a periodic job is due next, and the task that carried it out last. Claimed by changing ``due_at``."""

    key = models.CharField(max_length=60, primary_key=True)
    due_at = models.DateTimeField()
    task_id = models.UUIDField(null=True)
