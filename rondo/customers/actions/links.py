"""Links between customers."""

from django.db import transaction
from django.utils.translation import gettext as _

from rondo.customers.actions.gate import CustomerRef, locked_pair
from rondo.customers.changed import noted
from rondo.customers.models import Customer, Link
from rondo.errors import InputError, NotFound
from rondo.foundation.actors import Actor

_NEEDED: dict[str, tuple[str | None, str | None]] = {
    Link.Role.MEMBER: (None, Customer.Kind.HOUSEHOLD),
    Link.Role.EMPLOYEE: (Customer.Kind.PERSON, Customer.Kind.ORGANISATION),
    Link.Role.SUBSIDIARY: (Customer.Kind.ORGANISATION, Customer.Kind.ORGANISATION),
}
"""Kinds that a role needs of subject and object; others link any two customers."""


def link(actor: Actor, subject: CustomerRef, object: CustomerRef, role: str) -> Link:
    """Say what ``subject`` is to ``object``; the same link again is returned as it is.

    Raises:
        InputError: unknown role, both are one customer, or their kinds do not fit the role.
    """
    actor.require("edit")
    if role not in Link.Role.values:
        raise InputError(
            _("%(role)r is no link; one of %(roles)s is needed.") % {"role": role, "roles": ", ".join(Link.Role.values)}
        )
    with transaction.atomic():
        first, second = locked_pair(actor, subject, object)
        if first.pk == second.pk:
            raise InputError(_("A customer cannot be linked to itself; choose another one."))
        for row, kind in zip((first, second), _NEEDED.get(role, (None, None)), strict=True):
            if kind is not None and row.kind != kind:
                raise InputError(
                    _("%(customer)s is a %(kind)s; “%(role)s” needs a %(needed)s there.")
                    % {
                        "customer": row,
                        "kind": row.get_kind_display(),
                        "role": Link.Role(role).label,
                        "needed": Customer.Kind(kind).label,
                    }
                )
        row_, made = Link.objects.get_or_create(subject=first, object=second, role=role)
        if made:
            noted(actor, "link.added", first.pk, {role: [None, second.pk]})
            noted(actor, "link.added", second.pk, {f"{role} of": [None, first.pk]})
    return row_


def unlink(actor: Actor, link_id: int) -> None:
    """Remove a link; raises NotFound if it is not there or one of its customers is not the actor's to see."""
    actor.require("edit")
    with transaction.atomic():
        row = Link.objects.filter(pk=link_id).first()
        if row is None:
            raise NotFound(_("This link is not there any more; load the page again."))
        first, second = locked_pair(actor, row.subject_id, row.object_id)
        if Link.objects.filter(pk=link_id).delete()[0]:
            noted(actor, "link.removed", first.pk, {row.role: [second.pk, None]})
            noted(actor, "link.removed", second.pk, {f"{row.role} of": [first.pk, None]})
