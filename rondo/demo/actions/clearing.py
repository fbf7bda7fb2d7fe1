"""Clears the whole demo, and nothing else.

The demo is hidden first, by the status of its imports, so that it is gone from every page at once; then its rows go in
portions, each in a transaction of its own. Killed at any moment and run again, it goes on with what is still there.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from rondo.analysis.forgetting import forget_figures
from rondo.catalogue.models import Category, Product
from rondo.customers.actions.definitions import uses_of
from rondo.customers.actions.merging import unmerge
from rondo.customers.models import AttributeDefinition, AttributeValue, Customer, Merge
from rondo.demo import complete_journey
from rondo.demo.jobs import enqueue_analysis
from rondo.demo.models import Clearing
from rondo.demo.queries import demo_campaigns, demo_customers, demo_loads, preview
from rondo.duplicates.models import Search
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.installation import change_installation, forget, installation
from rondo.foundation.long_work import worked_on
from rondo.foundation.models import Load
from rondo.foundation.removal import remove_rows
from rondo.interactions.importing import locking, sweeping
from rondo.interactions.models import About
from rondo.interactions.queries import standing
from rondo.warehouse.locks import exclusive
from rondo.warehouse.refresh import drop_copy
from rondo.web.charts.kept import throw_away

_PORTION = 25
"""Households that go in one transaction: about fifteen thousand lines of purchases."""
_WAIT_SECONDS = 300.0

Report = Callable[[str, int, int], None]


def clear_demo(key: int, report: Report | None = None) -> Clearing:
    """Do a removal. Safe to be killed and to be run again; ``report(step, done, total)`` is told besides the row.

    Raises whatever is no error of Rondo's own, after it has been written down.
    """
    row = Clearing.objects.get(pk=key)
    if not row.under_way:
        return row
    with worked_on(row) as written, _alone():
        fresh = Clearing.objects.get(pk=key)
        if not fresh.under_way:  # somebody else was at it while this one waited
            return fresh

        def tell(step: str, done: int, total: int) -> None:
            written(step, done, total)
            if report:
                report(step, done, total)

        actor = Actor(row.actor, "job" if report is None else "command")
        if not row.results:
            Clearing.objects.filter(pk=key).update(results={"goes": preview().goes})
        tell("hide", 0, 1)
        with transaction.atomic():
            _hide(actor)
        _remove_customers(tell)
        tell("rest", 0, 1)
        _remove_rest(actor)
        tell("figures", 0, 1)
        _forget()
        with transaction.atomic():
            _end(actor, Clearing.objects.get(pk=key))
    forget()
    row.refresh_from_db()
    return row


@contextmanager
def _alone() -> Iterator[None]:
    """No import and no analysis meanwhile; waits for one that is running.

    Raises:
        StateError: it runs for longer than five minutes.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            with locking.exclusive(), exclusive("analysis", wait=_WAIT_SECONDS):
                yield
                return
        except locking.Busy:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


def _hide(actor: Actor) -> None:
    """Take merges of the demo's records with others back, then hide all that is the demo's."""
    mixed = Merge.objects.filter(undone_at__isnull=True).exclude(loser__is_demo=F("winner__is_demo"))
    for edge in mixed.order_by("-pk"):
        unmerge(actor, edge.pk)
    first = demo_loads().order_by("pk").first()
    if first is not None:
        demo_customers().filter(load__isnull=True).update(load=first)
    demo_loads().filter(status=Load.Status.VISIBLE).update(status=Load.Status.ABANDONED)


def _remove_customers(tell: Report) -> None:
    for campaign in demo_campaigns():
        with transaction.atomic():
            remove_rows(demo_campaigns().filter(pk=campaign.pk))
    total = demo_customers().count()
    done = 0
    while keys := list(demo_customers().order_by("pk").values_list("pk", flat=True)[:_PORTION]):
        tell("customers", done, total)
        with transaction.atomic():
            remove_rows(Customer.objects.filter(pk__in=keys))
        done += len(keys)
    tell("customers", total, total)


def _remove_rest(actor: Actor) -> None:
    """What the demo's imports brought for others, their products, and its attributes that nobody came to use."""
    sweeping.remove(list(demo_loads()))
    with transaction.atomic():
        Product.objects.filter(load__in=demo_loads()).update(load=None)  # purchases of others name them
        told = {"by": actor.user.email if actor.user else "", "at": timezone.now().isoformat()}
        demo_loads().exclude(status=Load.Status.UNDONE).update(status=Load.Status.UNDONE, spans={}, undo=told)
        for key in complete_journey.ATTRIBUTES:
            used = AttributeValue.objects.filter(definition__key=key).exists() or uses_of(None, key)
            if not used:
                AttributeDefinition.everything.filter(key=key).delete()
        while Category.objects.filter(children=None).exclude(pk__in=_categories_in_use()).delete()[0]:
            pass


def _categories_in_use() -> list[int]:
    named = set(Product.objects.filter(category__isnull=False).values_list("category_id", flat=True).distinct())
    named |= set(About.objects.filter(category__isnull=False).values_list("category_id", flat=True).distinct())
    return sorted(key for key in named if key is not None)


def _forget() -> None:
    """Figures were worked out from the demo: none of them stands any more."""
    with transaction.atomic():
        forget_figures()
        Search.objects.exclude(status__in=[Search.Status.QUEUED, Search.Status.RUNNING]).delete()
    drop_copy()
    throw_away()


def _end(actor: Actor, row: Clearing) -> None:
    """The installation is one without a demo; what it was is in the audit log."""
    forget()
    named_by_demo = installation().company == complete_journey.COMPANY
    change_installation(actor, has_demo=False, first_steps_away=False, **({"company": ""} if named_by_demo else {}))
    goes = {name: [count, 0] for name, count in row.results.get("goes", {}).items() if count}
    audit.record(actor, "demo.cleared", "installation", 1, goes)
    Clearing.objects.filter(pk=row.pk).update(status=Clearing.Status.DONE, finished_at=timezone.now(), error="")
    if standing().exists():
        enqueue_analysis()
