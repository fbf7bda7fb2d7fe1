"""What the room `campaigns` registers with the floors below."""

from rondo.campaigns import copied, panels
from rondo.foundation.registry import CustomerPanel, HomeCard, registries

__all__ = ["copied"]

registries.customer_panels.add(
    "campaigns", CustomerPanel("campaigns", "worth", 50, "campaigns/customer_panel.html", panels.of_customer)
)
registries.home_cards.add("campaigns", HomeCard("campaigns", 40, "campaigns/home_card.html", panels.on_home))
