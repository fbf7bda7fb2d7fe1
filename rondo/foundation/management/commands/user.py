"""``rondo user add|change|list``: who may sign in, and what they may do."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.errors import NotFound
from rondo.foundation import accounts
from rondo.foundation.actors import system
from rondo.foundation.management.base import RondoCommand
from rondo.foundation.models import User
from rondo.foundation.second_factor import reset_second_factor


class Command(RondoCommand):
    help = gettext_noop("Add or change users, or list them.")
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True, metavar="add|change|list")
        for step, meaning in (("add", _("make a user and print a one-time link")), ("change", _("change a user"))):
            one = steps.add_parser(step, help=meaning)
            one.add_argument("email")
            one.add_argument("--name", help=_("as others see it"))
            one.add_argument("--role", help=_("key of the role, which says what the user may do (default: reader)"))
            one.add_argument(
                "--reach", choices=User.Reach.values, help=_("whose customers the user sees (default: all)")
            )
            one.add_argument("--team", help=_("name of the user's team; made if there is none of that name"))
            if step == "change":
                one.add_argument(
                    "--reset-second-factor", action="store_true", help=_("takes passkeys, app and recovery codes away")
                )
                state = one.add_mutually_exclusive_group()
                state.add_argument("--off", action="store_const", const=False, dest="is_active", help=_("ends access"))
                state.add_argument("--on", action="store_const", const=True, dest="is_active", help=_("gives it back"))
        steps.add_parser("list", help=_("all users"))

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"step_{options['step']}")(options)

    def step_add(self, options: dict[str, Any]) -> None:
        user = accounts.add_user(system(), options["email"], **_fields(options))
        self.stdout.write(_told(user))
        self.stdout.write(_("Sign in with this link; it works once, within the hour:"))
        self.stdout.write(accounts.make_login_link(system(), user))

    def step_change(self, options: dict[str, Any]) -> None:
        user = accounts.change_user(system(), accounts.find_user(options["email"]), **_fields(options))
        if options["reset_second_factor"]:
            reset_second_factor(system(), user)
        self.stdout.write(_told(user))

    def step_list(self, options: dict[str, Any]) -> None:
        for user in User.objects.select_related("team").order_by("email"):
            parts = [user.email, user.name, user.role.key, user.reach, user.team.name if user.team else ""]
            self.stdout.write("\t".join([*parts, "" if user.is_active else _("off")]).rstrip("\t"))
        if not User.objects.exists():
            raise NotFound(_("There are no users yet; “rondo user add EMAIL --role administrator” makes one."))


def _told(user: User) -> str:
    sentence = (
        _("%(email)s: %(role)s, sees: %(reach)s") if user.is_active else _("%(email)s: %(role)s, sees: %(reach)s; off")
    )
    return sentence % {"email": user.email, "role": user.role, "reach": user.get_reach_display()}


def _fields(options: dict[str, Any]) -> dict[str, Any]:
    given = {name: options[name] for name in ("name", "role", "reach", "is_active") if options.get(name) is not None}
    if options.get("team"):
        given["team"] = accounts.team_named(system(), options["team"])
    return given
