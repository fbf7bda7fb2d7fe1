"""What the room `campaigns` registers with the floors below."""

from django.utils.translation import gettext_lazy

from rondo.campaigns import copied, features, held, panels, ruled, types
from rondo.campaigns.loading import CampaignLoader, ExposureLoader
from rondo.campaigns.models import Campaign, Exposure
from rondo.foundation.registry import CustomerPanel, HomeCard, ImportKind, LoadedTable, registries

__all__ = ["copied", "features", "held", "ruled", "types"]

for _key, _label, _loader in (
    ("campaigns", gettext_lazy("Campaigns"), CampaignLoader),
    ("exposures", gettext_lazy("Exposures"), ExposureLoader),
):
    registries.import_kinds.add(
        _key,
        ImportKind(
            _key,
            _label,
            {name: field.meaning for name, field in _loader.fields.items() if field.required},
            {name: field.meaning for name, field in _loader.fields.items() if not field.required},
            _loader,
        ),
    )
registries.loaded_tables.add("campaigns", LoadedTable("campaigns", Campaign, 40))
registries.loaded_tables.add("exposures", LoadedTable("exposures", Exposure, 41))

registries.customer_panels.add(
    "campaigns", CustomerPanel("campaigns", "worth", 50, "campaigns/customer_panel.html", panels.of_customer)
)
registries.home_cards.add("campaigns", HomeCard("campaigns", 40, "campaigns/home_card.html", panels.on_home))
