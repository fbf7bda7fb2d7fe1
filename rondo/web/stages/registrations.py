"""What the pages of buying stages put into the customer page."""

from rondo.foundation.registry import CustomerPanel, registries
from rondo.web.stages import panel

registries.customer_panels.add("stages", CustomerPanel("stages", "worth", 12, "stages/panel.html", panel.of_customer))
