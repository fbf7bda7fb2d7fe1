"""What the shell itself puts into the navigation and into the command palette."""

from django.utils.translation import gettext_lazy as _

from rondo.foundation.registry import Finder, HomeCard, NavItem, registries
from rondo.web import changed
from rondo.web.analysis import registrations as analysis
from rondo.web.campaigns import registrations as campaigns
from rondo.web.customers import registrations as customers
from rondo.web.duplicates import registrations as duplicates
from rondo.web.erasure import registrations as erasure
from rondo.web.finders import find_pages
from rondo.web.imports import registrations as imports
from rondo.web.jobs import request_charts
from rondo.web.leads import registrations as leads
from rondo.web.merging import registrations as merging
from rondo.web.relations import registrations as relations
from rondo.web.reports import registrations as reports
from rondo.web.retention import registrations as retention
from rondo.web.segments import registrations as segments
from rondo.web.stages import registrations as stages
from rondo.web.webhooks import registrations as webhooks

__all__ = [
    "analysis",
    "campaigns",
    "customers",
    "duplicates",
    "erasure",
    "imports",
    "leads",
    "merging",
    "relations",
    "reports",
    "retention",
    "segments",
    "stages",
    "webhooks",
]

registries.nav.add("home", NavItem("home", _("Home"), "house", "home", 10))
registries.nav.add("portfolio", NavItem("portfolio", _("Portfolio"), "chart-pie", "portfolio", 30))
registries.nav.add("loyalty", NavItem("loyalty", _("Loyalty"), "heart-handshake", "loyalty", 80))
registries.nav.add(
    "settings",
    NavItem("settings", _("Settings"), "settings", "settings", 110, "administer", also=("audit", "integrate")),
)

registries.finders.add("pages", Finder("pages", _("Go to"), 10, find_pages))

registries.home_cards.add("changed", HomeCard("changed", 20, "shell/changed_card.html", changed.on_home))

registries.after_analysis.add("charts", request_charts)
