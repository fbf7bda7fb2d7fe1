"""What a new installation still needs, for who administers it: a list that ticks itself, until all is done."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from rondo.analysis.models import Run
from rondo.customers.models import Customer
from rondo.foundation.installation import installation
from rondo.foundation.models import Invitation, Team, User
from rondo.foundation.rights import has_right

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Step:
    """One step: ``url`` is where it is done, ``action`` what the link there says."""

    key: str
    title: str
    text: str
    url: str
    action: str
    done: bool


def first_steps(user: User) -> list[Step]:
    """The steps with what is done of them; none for who does not administer, for the demo, once all are done, or when
    somebody put the list away."""
    row = installation()
    if row.has_demo or row.first_steps_away or not has_right(user, "administer"):
        return []
    steps = [
        Step(
            "company",
            _("Say which company it is"),
            _("Its name, its currency, and the time zone that says what a day is: before the first import."),
            reverse("start-step", args=["company"]),
            _("Name the company"),
            bool(row.company),
        ),
        Step(
            "import",
            _("Load your purchases"),
            _("A table with one row per order line is enough: customer, order, day, product, amount."),
            reverse("start-step", args=["import"]),
            _("Import a file"),
            Customer.objects.exists(),
        ),
        Step(
            "analysis",
            _("Analyse them"),
            _("Takes seconds. Run it again after an import."),
            reverse("home"),
            _("Analyse now"),
            Run.objects.filter(is_current=True).exists(),
        ),
        Step(
            "team",
            _("Make the first team"),
            _("A customer can belong to a team, and people can be shown their team's customers alone."),
            reverse("start-step", args=["team"]),
            _("Make a team"),
            Team.objects.exists(),
        ),
        Step(
            "colleagues",
            _("Bring your colleagues"),
            _("Invite them by mail with a role, each into a team."),
            reverse("invitations"),
            _("Invite somebody"),
            _colleagues(),
        ),
    ]
    return [] if all(step.done for step in steps) else steps


def _colleagues() -> bool:
    found: tuple[Callable[[], bool], ...] = (
        Invitation.objects.exists,
        lambda: User.objects.filter(is_service=False, is_active=True)[1:2].exists(),
    )
    return any(ask() for ask in found)
