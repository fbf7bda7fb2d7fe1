"""What the pages of the analysis put into the navigation."""

from django.utils.translation import gettext_lazy as _

from rondo.foundation.registry import NavItem, registries

registries.nav.add("analysis", NavItem("analysis", _("Analysis"), "flask-conical", "models", 100))
