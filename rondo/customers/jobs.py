"""Jobs of customers: a change of an attribute's type over many values, and many customers on their way into the bin."""

from rondo.customers.actions.binning import carry_out_binning, put_back
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


@task()
def bin_customers(bin_id: int) -> str:
    """Put many customers into the bin; returns how it ended. Safe to run twice."""
    return str(carry_out_binning(bin_id).status)


def enqueue_binning(bin_id: int) -> None:
    """Queue it."""
    enqueue_after_commit(bin_customers, bin_id)


@task()
def put_back_customers(user_id: int, bin_id: int) -> int:
    """Put back what went into the bin together; returns how many. Safe to run twice."""
    return put_back(Actor(User.objects.get(pk=user_id), "job"), bin_id)


def request_putting_back(user: User, bin_id: int) -> None:
    """Queue it."""
    enqueue_after_commit(put_back_customers, user.pk, bin_id)
