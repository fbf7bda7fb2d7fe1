"""Drawings made before somebody waits for them: after a run, in each language, for who sees all customers."""

from django.conf import settings
from django.utils import translation

from rondo.foundation.models import User
from rondo.foundation.rights import ADMINISTRATOR, built_in
from rondo.web.figures import figures
from rondo.web.views.portfolio import CHARTS


def draw_ahead() -> int:
    """Draw and keep the charts of the current run; returns how many there are, in all languages together."""
    found = figures(User(role=built_in(ADMINISTRATOR), reach=User.Reach.ALL))
    if found is None:
        return 0
    drawn = 0
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            for make in CHARTS.values():
                chart = make(found)
                if chart is not None:
                    chart.draw_ahead()
                    drawn += 1
    return drawn
