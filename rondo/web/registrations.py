"""What the shell itself puts into the navigation and into the command palette."""

from django.utils.translation import gettext_lazy as _

from rondo.foundation.registry import Finder, NavItem, registries
from rondo.web.finders import find_pages

registries.nav.add("home", NavItem("home", _("Home"), "house", "home", 10))
registries.nav.add("settings", NavItem("settings", _("Settings"), "settings", "settings", 110, "administer"))

registries.finders.add("pages", Finder("pages", _("Go to"), 10, find_pages))
