"""What the ground floor's tables, and those of the libraries it stands on, hold about customers: texts at most."""

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django_tasks_db.models import DBTaskResult

from rondo.foundation.holdings import Impersonal, Swept
from rondo.foundation.models import (
    ApiAnswer,
    ApiToken,
    Attempt,
    AuditEntry,
    Change,
    Installation,
    Invitation,
    JobLease,
    Load,
    LoginLink,
    PeriodicState,
    ProcessBeat,
    Role,
    Team,
    User,
    UserSession,
)
from rondo.foundation.registry import registries

registries.swept.add("audit", Swept("audit", AuditEntry, ("changes",), door=True))
registries.swept.add("loads", Swept("loads", Load, ("source", "file_name", "options", "counts", "undo")))
registries.swept.add(
    "answers",
    Swept("answers", ApiAnswer, ("key", "headers", "body"), emptied={"status": 0, "headers": {}, "body": ""}),
)
registries.swept.add("tasks", Swept("tasks", DBTaskResult, ("args_kwargs", "return_value", "traceback")))

_STAFF = "tells of people who work here"
_MACHINE = "the state of machinery: keys, moments, counts"
for _model, _why in (
    (User, _STAFF),
    (Role, "roles and their rights"),
    (Team, "names of teams"),
    (User.groups.through, _STAFF),
    (User.user_permissions.through, _STAFF),
    (Group, "not in use"),
    (Group.permissions.through, "not in use"),
    (Permission, "names of the program's tables"),
    (ContentType, "names of the program's tables"),
    (Installation, "what the company is and assumes"),
    (LoginLink, _STAFF),
    (UserSession, _STAFF),
    (Invitation, _STAFF),
    (ApiToken, _STAFF),
    (EmailAddress, _STAFF),
    (EmailConfirmation, _STAFF),
    (Authenticator, _STAFF),
    (Attempt, "digests that tell nobody who or where"),
    (Change, _MACHINE),
    (JobLease, _MACHINE),
    (ProcessBeat, _MACHINE),
    (PeriodicState, _MACHINE),
):
    registries.impersonal.add(_model._meta.db_table, Impersonal(_model, _why))
