"""The verbs of the chain: log a contact by hand or by message, retract what was wrong, put back what was right.

The chain is append-only: nothing here changes an interaction. A retraction is final; whoever retracted by mistake puts
the interaction back, which adds it once more and says from which one it was restored.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.catalogue.loading import PATH_MARK
from rondo.catalogue.models import Category, Product
from rondo.customers.actions.gate import CustomerRef, check_fields, seen
from rondo.customers.models import Customer, Source
from rondo.customers.queries import record_ids, survivor_id, visible
from rondo.errors import InputError, NotFound, StateError
from rondo.foundation import audit, ids
from rondo.foundation.actors import Actor
from rondo.foundation.installation import installation, zone
from rondo.foundation.loads import shown
from rondo.foundation.money import MAX_MINOR
from rondo.foundation.registry import InteractionKind, registries
from rondo.interactions.changed import note_interaction
from rondo.interactions.models import About, Departure, Interaction, Retraction
from rondo.interactions.queries import standing
from rondo.interactions.reasons import checked

InteractionRef = Interaction | int | str
"""An interaction, its key, or its public id."""

OWN_SOURCE = "rondo"
"""The source of message ids that Rondo gives itself, such as the one of a form that must not be taken twice."""

_RESTORED = "restored:"
"""How message ids of what was put back begin, which nobody else may take."""

_CLOCK_SKEW = timedelta(minutes=5)
_LONGEST_BODY = 100_000


def current_transaction() -> int | None:
    """The id of the writing transaction on PostgreSQL, for the watermark of the columnar copy; None on SQLite.

    On PostgreSQL keys are not committed in order: a reader takes rows whose transaction its last snapshot did not see
    (see :mod:`rondo.warehouse.refresh`). Call inside the transaction that inserts the row.
    """
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])


def log_interaction(
    actor: Actor,
    customer: CustomerRef,
    kind: str,
    *,
    title: str = "",
    body: str = "",
    occurred_at: datetime | None = None,
    channel: str = "",
    direction: str = "",
    initiative: str = "",
    medium: str = "",
    amount: int | None = None,
    currency: str = "",
    details: dict[str, Any] | None = None,
    in_response_to: InteractionRef | None = None,
    source: str = "",
    message_id: str | None = None,
    category: "Category | str | None" = None,
    product: "Product | str | None" = None,
    reason: str = "",
    sub_reason: str = "",
) -> Interaction:
    """Add one contact to a customer's chain.

    Channel, direction, initiative and medium are those of the kind unless given. ``occurred_at`` is now unless given;
    without an offset it is in the company's zone. ``amount`` is in minor units of ``currency`` (the company's unless
    given). The same ``message_id`` of the same ``source`` is taken once: the interaction it made is returned.
    ``category``, ``product``: what it is about; a category by its path or by a name that only one has, a product by its
    number. ``reason``, ``sub_reason``: why the customer leaves, of a cancellation or a notice
    (:mod:`rondo.interactions.departures`).

    Raises:
        InputError: unknown kind, a kind that people do not log, or a value that is not usable, such as a category or
            product that the catalogue does not have.
        NotFound: the customer, or the interaction answered, is not there or not the actor's to see.
    """
    actor.require("contact")
    about = _kind(actor, kind, source)
    with transaction.atomic():
        row = seen(actor, customer)
        if message_id is not None:
            source = source or OWN_SOURCE
            if message_id.startswith(_RESTORED) and "restored_from" not in (details or {}):
                raise InputError(
                    _("message_id = %(id)s: Rondo itself gives such ids; take another.") % {"id": message_id}
                )
            if held := _taken(actor, source, message_id):
                return held
        at = moment(occurred_at)
        made = Interaction(
            customer=row,
            kind=kind,
            channel=channel or about.channel,
            direction=direction or about.direction,
            initiative=initiative or about.initiative,
            medium=medium or about.medium,
            occurred_at=at,
            business_date=at.astimezone(zone()).date(),
            amount=_checked_amount(amount),
            currency="" if amount is None else (currency or installation().currency),
            title=" ".join(title.split()),
            body=_checked_body(body),
            details=details,
            in_response_to=_answered(actor, row, in_response_to),
            source=Source.objects.get_or_create(name=source)[0] if source else None,
            message_id=message_id,
            actor=actor.user,
            load_id=actor.load_id,
            written_in=current_transaction(),
        )
        check_fields(made, {"channel", "direction", "initiative", "medium", "title", "currency", "message_id"})
        meant, thing = _category(category), _product(product)
        why, more = checked(kind, reason, sub_reason)
        made.save(force_insert=True)
        if meant is not None or thing is not None:
            About.objects.create(interaction=made, category=meant, product=thing)
        if why:
            Departure.objects.create(interaction=made, reason=why, sub_reason=more)
        note_interaction(made.pk)
        audit.record(
            actor, "interaction.logged", "interaction", made.pk, {"kind": [None, kind], "customer": [None, row.pk]}
        )
    return made


def retract(actor: Actor, interaction: InteractionRef, reason: str) -> Retraction:
    """Say that an interaction was wrong; every read leaves it out from now on. A second time returns the first.

    Whoever logged a contact may retract it with the right to log; others, and rows of imports, need the right to edit.

    Raises:
        InputError: no reason given; NotFound: not there, or not the actor's to see.
    """
    actor.require("contact")
    why = " ".join(reason.split())
    if not why:
        raise InputError(_("Why was it wrong? A retraction needs a reason that others can read."))
    with transaction.atomic():
        row = _found(actor, interaction)
        if row.actor_id is None or actor.user is None or row.actor_id != actor.user.pk:
            actor.require("edit")
        made, new = Retraction.objects.get_or_create(interaction=row, defaults={"by": actor.user, "reason": why[:200]})
        if new:
            note_interaction(row.pk)
            audit.record(actor, "interaction.retracted", "interaction", row.pk, {"reason": [None, why[:200]]})
    return made


def restore(actor: Actor, interaction: InteractionRef) -> Interaction:
    """Undo of a retraction: the retracted interaction is added once more, with its own moment, and says so in
    ``details["restored_from"]``. Twice makes one.

    Raises:
        StateError: it is not retracted, or its kind comes from imports only (import it again).
        NotFound: not there, or not the actor's to see.
    """
    actor.require("contact")
    with transaction.atomic():
        row = _found(actor, interaction)
        if not Retraction.objects.filter(interaction=row).exists():
            raise StateError(_("This interaction stands as it is; there is nothing to put back."))
        about = registries.interaction_kinds.get(row.kind)
        if about is None or not about.by_hand:
            raise StateError(
                _("Interactions of the kind “%(kind)s” come from other systems; import them again.")
                % {"kind": about.label if about else row.kind}
            )
        why = Departure.objects.filter(pk=row.pk).first()
        named = About.objects.filter(pk=row.pk).select_related("category", "product").first()
        return log_interaction(
            actor,
            row.customer_id,
            row.kind,
            title=row.title,
            body=row.body,
            occurred_at=row.occurred_at,
            channel=row.channel,
            direction=row.direction,
            initiative=row.initiative,
            medium=row.medium,
            amount=row.amount,
            currency=row.currency,
            details={**(row.details or {}), "restored_from": row.public_id},
            in_response_to=_standing_or_none(row.in_response_to_id),
            message_id=f"{_RESTORED}{row.public_id}",
            category=named.category if named else None,
            product=named.product if named else None,
            reason=why.reason if why else "",
            sub_reason=why.sub_reason if why else "",
        )


def is_put_back(actor: Actor, interaction: InteractionRef) -> bool:
    """Whether a retracted interaction of the actor's to see stands again, so that :func:`restore` adds nothing.

    Raises:
        NotFound: not there, or not the actor's to see.
    """
    with transaction.atomic():
        row = _found(actor, interaction)
        again = standing().filter(source__name=OWN_SOURCE, message_id=f"{_RESTORED}{row.public_id}")
        return again.exists()


def _kind(actor: Actor, kind: str, source: str) -> InteractionKind:
    """The kind, if the actor may log it: a program that may import brings any but purchases, which are orders, and says
    from which system."""
    about = registries.interaction_kinds.get(kind)
    brings = actor.door == "api" and bool(source) and kind != "purchase" and actor.may("import")
    by_hand = actor.user is not None and actor.door in {"web", "api"} and not brings
    allowed = [k.key for k in registries.interaction_kinds if k.by_hand or not by_hand]
    if about is None or kind not in allowed:
        raise InputError(
            _("%(kind)r cannot be logged; one of %(kinds)s is needed.") % {"kind": kind, "kinds": ", ".join(allowed)}
        )
    return about


def _category(given: Category | str | None) -> Category | None:
    """The category meant: by the path, or by a name that only one has, in whatever case."""
    if given is None or isinstance(given, Category):
        return given
    path = " > ".join(part for part in map(str.strip, given.split(PATH_MARK)) if part)
    if not path:
        return None
    found = list(Category.objects.filter(path__iexact=path)[:2]) or list(Category.objects.filter(name__iexact=path)[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            _("Several categories are called “%(name)s”; give the path to one, such as “%(path)s”.")
            % {"name": path, "path": found[0].path}
        )
    raise InputError(_("There is no category “%(name)s” in the catalogue.") % {"name": path})


def _product(given: Product | str | None) -> Product | None:
    """The product meant, by its number."""
    if given is None or isinstance(given, Product):
        return given
    number = given.strip()
    if not number:
        return None
    found = list(Product.objects.filter(shown(), number=number).order_by("pk")[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(_("Several sources have a product %(number)s; name its category.") % {"number": number})
    raise InputError(_("There is no product %(number)s in the catalogue.") % {"number": number})


def _taken(actor: Actor, source: str, message_id: str) -> Interaction | None:
    """The interaction that a message made already; two that bring the same message at once go one after the other.

    Raises:
        StateError: it was retracted, or is of a customer who is not the actor's to see.
    """
    if connection.vendor == "postgresql":  # on SQLite the transaction holds the write lock already
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{source}\n{message_id}"])
    meant = {"source__name": source, "message_id": message_id}
    held = standing().filter(**meant).order_by("pk").first()
    if held is None and not Interaction.objects.filter(shown(), **meant).exists():
        return None
    if held is None or not visible(actor.user).filter(pk=survivor_id(held.customer_id)).exists():
        raise StateError(
            _("Message %(id)s of %(source)s was taken before, and was retracted or is not yours to see.")
            % {"id": message_id, "source": source}
        )
    return held


def moment(at: datetime | None) -> datetime:
    """When a contact was: now unless given, in the company's zone without an offset; raises InputError for a day ahead
    or before 1900."""
    now = timezone.now()
    if at is None:
        return now
    if timezone.is_naive(at):
        at = timezone.make_aware(at, zone())
    if at > now + _CLOCK_SKEW or at.year < 1900:
        told = at.astimezone(zone()) if datetime.min.year < at.year < datetime.max.year else at  # else beyond them
        raise InputError(
            _("%(at)s: a contact has happened, between 1900 and now; check day and time.")
            % {"at": told.strftime("%Y-%m-%d %H:%M")}
        )
    return at


def _checked_amount(amount: int | None) -> int | None:
    if amount is not None and abs(amount) > MAX_MINOR:
        raise InputError(
            _("%(amount)d is beyond %(limit)d minor units; check it.") % {"amount": amount, "limit": MAX_MINOR}
        )
    return amount


def _checked_body(body: str) -> str:
    text = body.strip()
    if len(text) > _LONGEST_BODY or "\x00" in text:
        raise InputError(
            _("The text has %(length)d characters; at most %(limit)d are kept, none of them NUL. Shorten it.")
            % {"length": len(text), "limit": _LONGEST_BODY}
        )
    return text


def _found(actor: Actor, ref: InteractionRef) -> Interaction:
    """An interaction whose customer the actor may see, retracted or not.

    Raises:
        NotFound: not there, or not the actor's to see.
    """
    key = (
        ref.pk if isinstance(ref, Interaction) else ids.decode(Interaction.PREFIX, ref) if isinstance(ref, str) else ref
    )
    row = None if key is None else Interaction.objects.filter(shown(), pk=key).first()
    if row is None or not visible(actor.user).filter(pk=survivor_id(row.customer_id)).exists():
        shown_id = ref if isinstance(ref, str) else ids.encode(Interaction.PREFIX, key or 0)
        raise NotFound(_("Interaction %(id)s is not there or not yours to see; check the address.") % {"id": shown_id})
    return row


def _answered(actor: Actor, customer: Customer, ref: InteractionRef | None) -> Interaction | None:
    """The interaction that a new one answers: one that stands, of the same customer."""
    if ref is None:
        return None
    row = _found(actor, ref)
    if row.customer_id not in record_ids(customer.pk):
        raise InputError(
            _("Interaction %(id)s belongs to another customer; an answer stays within one chain.")
            % {"id": row.public_id}
        )
    if _standing_or_none(row.pk) is None:
        raise StateError(_("Interaction %(id)s was retracted; answer another one.") % {"id": row.public_id})
    return row


def _standing_or_none(key: int | None) -> int | None:
    return None if key is None else standing().filter(pk=key).values_list("pk", flat=True).first()
