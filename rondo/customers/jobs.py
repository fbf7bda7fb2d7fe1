"""Jobs of customers: a change of an attribute's type over many values."""

from rondo.customers.actions.converting import carry_out
from rondo.foundation.actors import Actor
from rondo.foundation.jobs import enqueue_after_commit, task
from rondo.foundation.models import User


@task()
def convert_attribute(user_id: int, target_id: int, merged: dict[str, str]) -> int:
    """Carry out a change of type that was begun; returns the key of the definition, 0 where it was given up. Safe to
    run twice."""
    done = carry_out(Actor(User.objects.get(pk=user_id), "job"), target_id, merged)
    return 0 if done is None else int(done.pk)


def request_conversion(user: User, target_id: int, merged: dict[str, str]) -> None:
    """Queue the conversion of many values."""
    enqueue_after_commit(convert_attribute, user.pk, target_id, merged)
