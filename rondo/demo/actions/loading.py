"""Loads the Complete Journey through the ordinary import and analyses it; a second run finds everything in place."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.analysis.actions import run_analysis
from rondo.analysis.models import Run
from rondo.campaigns.models import Exposure
from rondo.customers.actions import define_attribute
from rondo.customers.models import AttributeDefinition, Customer
from rondo.demo import complete_journey
from rondo.errors import StateError
from rondo.foundation.accounts import add_user
from rondo.foundation.actors import Actor, system
from rondo.foundation.installation import change_installation, installation
from rondo.foundation.loads import shown
from rondo.foundation.models import Load, User
from rondo.foundation.rights import ADMINISTRATOR
from rondo.interactions.importing import ImportOptions, run_import
from rondo.interactions.queries import standing

Progress = Callable[[int, int], None]
STEPS: tuple[tuple[str, Callable[[], pa.Table]], ...] = (
    ("customers", complete_journey.customers),
    ("products", complete_journey.products),
    ("orders", complete_journey.orders),
    ("campaigns", complete_journey.campaigns),
    ("exposures", complete_journey.exposures),
    ("interactions", complete_journey.redemptions),
)
OWNER = "demo@example.com"


@dataclass
class Report:
    """What the demo did: seconds per step (only of steps that ran now) and the run that its figures come from."""

    run: Run
    seconds: dict[str, float] = field(default_factory=dict)


_NAMES = {
    "customers": gettext_noop("customers"),
    "products": gettext_noop("products"),
    "orders": gettext_noop("orders"),
    "campaigns": gettext_noop("campaigns"),
    "exposures": gettext_noop("exposures"),
    "interactions": gettext_noop("interactions"),
    "analysis": gettext_noop("analysis"),
}


def step_name(step: str) -> str:
    """What a step of the demo is called in the reader's language."""
    return _(_NAMES[step])


def demo_user() -> User:
    """The demo's administrator, who signs in by one-time link only (no password is set)."""
    user = User.objects.filter(email=OWNER).first()
    return user or add_user(system(), OWNER, name="Demo", role=ADMINISTRATOR)


def _prepare(actor: Actor) -> None:
    if installation().has_demo:
        return
    if Customer.objects.filter(shown(), is_demo=False).exists():
        raise StateError(
            _(
                "RONDO_HOME=%(home)s holds customers of your own; load the demo elsewhere: "
                "RONDO_HOME=/another/folder rondo demo."
            )
            % {"home": settings.RONDO_HOME}
        )
    if installation().company not in ("", complete_journey.COMPANY):
        raise StateError(
            _(
                "RONDO_HOME=%(home)s is set up for %(company)s, and the demo would change its currency and time zone; "
                "load the demo elsewhere: RONDO_HOME=/another/folder rondo demo."
            )
            % {"home": settings.RONDO_HOME, "company": installation().company}
        )
    change_installation(
        actor,
        company=complete_journey.COMPANY,
        currency=complete_journey.CURRENCY,
        time_zone=complete_journey.ZONE,
        has_demo=True,
    )


def _define_attributes(actor: Actor) -> None:
    for order, (key, (label_en, label_de, choices)) in enumerate(complete_journey.ATTRIBUTES.items()):
        if not AttributeDefinition.objects.filter(key=key).exists():
            define_attribute(
                actor,
                key,
                label_en=label_en,
                label_de=label_de,
                type=AttributeDefinition.Type.CHOICE,
                form=AttributeDefinition.Form.DEMOGRAPHIC,
                choices=[{"value": value, "en": value, "de": german} for value, german in choices],
                order=order,
            )


def missing_steps() -> list[str]:
    """The import kinds of the demo that have not been loaded yet."""
    done = set(
        Load.objects.filter(source=complete_journey.SOURCE, status=Load.Status.VISIBLE).values_list("kind", flat=True)
    )
    return [kind for kind, _table in STEPS if kind not in done]


def load_demo(begin: Callable[[str], Progress] = lambda _step: lambda _done, _total: None) -> Report:
    """Load what is missing, analyse if something was loaded or no analysis stands, and report.

    ``begin(step)`` is called before each step and returns the step's progress callback ``(done, total)``.

    Raises:
        StateError: the home already holds somebody's own customers, or is set up for a company.
    """
    actor = system()
    _prepare(actor)
    _define_attributes(actor)
    seconds: dict[str, float] = {}
    todo = set(missing_steps())
    for kind, table in STEPS:
        if kind not in todo:
            continue
        started = time.perf_counter()
        progress = begin(step_name(kind))
        run_import(
            actor,
            kind,
            table(),
            source=complete_journey.SOURCE,
            options=ImportOptions(is_demo=True),
            progress=progress,
        )
        seconds[kind] = time.perf_counter() - started
    current = Run.objects.filter(is_current=True, status=Run.Status.DONE).first()
    if current is None or todo:
        started = time.perf_counter()
        report = begin(step_name("analysis"))
        current = run_analysis(actor, progress=lambda _step, done, total: report(done, total))
        seconds["analysis"] = time.perf_counter() - started
    return Report(current, seconds)


def ledger_counts() -> tuple[int, int]:
    """Exposures and redemptions that stand in the store."""
    exposures = Exposure.objects.filter(shown()).count()
    return exposures, standing().filter(kind="redemption", in_response_to__isnull=False).count()
