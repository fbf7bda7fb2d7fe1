"""What the pages of leads put into the customer page."""

from rondo.foundation.registry import CustomerPanel, registries
from rondo.web.leads import panel

registries.customer_panels.add("leads", CustomerPanel("leads", "worth", 11, "leads/panel.html", panel.of_customer))
