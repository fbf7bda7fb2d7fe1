"""Home: what the customer base is worth, what is due today, what changed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from rondo.customers.queries import visible
from rondo.foundation.registry import registries
from rondo.web.access import page, viewer
from rondo.web.figures import figures


@require_GET
@page()
def home(request: HttpRequest) -> HttpResponse:
    """The first page after signing in; before there is data or an analysis it says how to get there."""
    user = viewer(request)
    cards = []
    for card in sorted(registries.home_cards, key=lambda card: card.order):
        context = card.build(request)
        if context is not None:
            cards.append({"template": card.template, "wide": card.wide, "context": context})
    context = {"figures": figures(user), "has_customers": visible(user).exists(), "cards": cards}
    return render(request, "shell/home.html", context)
