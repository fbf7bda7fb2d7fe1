"""What the demo adds to the rooms below: a card of the home page, and its page in the command palette."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rondo.demo import held
from rondo.demo.views import on_home
from rondo.foundation.installation import installation
from rondo.foundation.models import User
from rondo.foundation.registry import Finder, Hit, HomeCard, registries
from rondo.foundation.rights import has_right
from rondo.foundation.search import fold

__all__ = ["held"]


def find_demo(viewer: User, text: str, limit: int) -> list[Hit]:
    """The page that clears the demo, while there is one."""
    if not installation().has_demo or not has_right(viewer, "administer"):
        return []
    title = _("Clear the demo")
    wanted = fold(text)
    return (
        [Hit(title, "", reverse("demo-data"), "trash-2")][:limit]
        if any(word.startswith(wanted) for word in fold(title).split())
        else []
    )


registries.home_cards.add("demo", HomeCard("demo", 90, "demo/home_card.html", on_home, wide=True))
registries.finders.add("demo", Finder("demo", gettext_lazy("Go to"), 11, find_demo))

__all__ = ["held"]
