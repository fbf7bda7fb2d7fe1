"""What the pages of relationships put on the page of a customer and into the command palette."""

from rondo.foundation.registry import CustomerPanel, registries
from rondo.web.relations import panel

registries.customer_panels.add(
    "relationship", CustomerPanel("relationship", "worth", 20, "relations/panel.html", panel.of_customer)
)
