"""Saved views of lists, and in which order, and with which of them first, somebody's list opens."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from rondo.foundation import ids
from rondo.foundation.models import User
from rondo.lists.states import State

CUSTOMERS = "customers"
"""The list of customers, the key of the lists that there are."""


class SavedView(models.Model):
    """A list under a name (``kind``: the list of what): its owner's own, or shared with everybody.

    It keeps what to ask for, never what was found, so that who opens it gets what they may see. ``version`` counts
    changes, against lost updates.
    """

    PREFIX: ClassVar[str] = "v"

    kind = models.CharField(max_length=30, default=CUSTOMERS)
    name = models.CharField(max_length=60)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="saved_views")
    is_shared = models.BooleanField(default=False)
    query = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """The public id."""
        return ids.encode(self.PREFIX, self.pk)

    @property
    def state(self) -> State:
        """What it keeps."""
        return State.from_dict(self.query)


class Arrangement(models.Model):
    """How the views of a list stand for one person; without a person, for everybody who did not arrange them.

    ``order``: keys of views, the first first; those that are not in it follow by name. ``default``: the key of the view
    that the list opens with, empty where nothing was chosen.
    """

    kind = models.CharField(max_length=30, default=CUSTOMERS)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    order = models.JSONField(default=list)
    default = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind"], name="arrangement_of_user"),
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(user__isnull=True), name="arrangement_of_everybody"
            ),
        ]
