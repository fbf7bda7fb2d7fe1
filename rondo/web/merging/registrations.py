"""What merging puts on the page of a customer."""

from rondo.foundation.registry import CustomerPanel, registries
from rondo.web.merging import panel

registries.customer_panels.add("merges", CustomerPanel("merges", "who", 90, "merging/panel.html", panel.of_customer))
