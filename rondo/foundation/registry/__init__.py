"""The one typed registry: what an upper room adds to a lower one, without the lower one knowing it.

Each registry holds items of one type under a unique key, in the order of their registration. Rooms register in their
``registrations.py``, which is imported when Django starts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rondo.foundation.registry.items import (
    AttributeUses,
    ChoiceUses,
    Companion,
    CustomerPanel,
    Fact,
    FactType,
    Feature,
    FeatureGroup,
    Finder,
    Hit,
    HomeCard,
    ImportKind,
    InteractionKind,
    LoadedTable,
    NavItem,
    Periodic,
    Room,
    StudyKind,
    WarehouseTable,
)
from rondo.foundation.registry.keyed import Registry
from rondo.foundation.registry.ruled import (
    RuleDetail,
    RuleEvents,
    RuleField,
    RuleLinks,
    RuleSource,
    RuleTerm,
    RuleType,
)
from rondo.foundation.shown_lists import ShownList

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rondo.foundation.actors import Actor
    from rondo.foundation.holdings import Held, Holding, Impersonal, KeptFigures, Swept
    from rondo.foundation.models import AuditEntry

__all__ = [
    "AttributeUses",
    "ChoiceUses",
    "Companion",
    "CustomerPanel",
    "Fact",
    "FactType",
    "Feature",
    "FeatureGroup",
    "Finder",
    "Hit",
    "HomeCard",
    "ImportKind",
    "InteractionKind",
    "LoadedTable",
    "NavItem",
    "Periodic",
    "Registries",
    "Registry",
    "Room",
    "RuleDetail",
    "RuleEvents",
    "RuleField",
    "RuleLinks",
    "RuleSource",
    "RuleTerm",
    "RuleType",
    "StudyKind",
    "WarehouseTable",
    "registries",
]


@dataclass
class Registries:
    """All registries of the product."""

    facts: Registry[Fact] = field(default_factory=lambda: Registry("facts"))
    features: Registry[FeatureGroup] = field(default_factory=lambda: Registry("features"))
    studies: Registry[StudyKind] = field(default_factory=lambda: Registry("studies"))
    interaction_kinds: Registry[InteractionKind] = field(default_factory=lambda: Registry("interaction kinds"))
    customer_panels: Registry[CustomerPanel] = field(default_factory=lambda: Registry("customer panels"))
    rooms: Registry[Room] = field(default_factory=lambda: Registry("rooms"))
    nav: Registry[NavItem] = field(default_factory=lambda: Registry("navigation"))
    finders: Registry[Finder] = field(default_factory=lambda: Registry("finders"))
    import_kinds: Registry[ImportKind] = field(default_factory=lambda: Registry("import kinds"))
    loaded_tables: Registry[LoadedTable] = field(default_factory=lambda: Registry("loaded tables"))
    warehouse_tables: Registry[WarehouseTable] = field(default_factory=lambda: Registry("warehouse tables"))
    home_cards: Registry[HomeCard] = field(default_factory=lambda: Registry("home cards"))
    periodic: Registry[Periodic] = field(default_factory=lambda: Registry("periodic jobs"))
    rule_sources: Registry[RuleSource] = field(default_factory=lambda: Registry("sources of rules"))
    rule_events: Registry[RuleEvents] = field(default_factory=lambda: Registry("events of rules"))
    rule_details: Registry[RuleDetail] = field(default_factory=lambda: Registry("details of events"))
    clusters: "Registry[Callable[[], AbstractContextManager[Any]]]" = field(
        default_factory=lambda: Registry("clusters")
    )
    """Open a session on the cluster that the settings name, for the time of a block; None where they name none."""
    rule_links: Registry[RuleLinks] = field(default_factory=lambda: Registry("links of rules"))
    attribute_uses: Registry[AttributeUses] = field(default_factory=lambda: Registry("attribute uses"))
    choice_uses: Registry[ChoiceUses] = field(default_factory=lambda: Registry("choice uses"))
    """By type of record, as the audit log calls it."""
    holdings: "Registry[Holding]" = field(default_factory=lambda: Registry("holdings"))
    swept: "Registry[Swept]" = field(default_factory=lambda: Registry("swept texts"))
    impersonal: "Registry[Impersonal]" = field(default_factory=lambda: Registry("impersonal tables"))
    kept_figures: "Registry[KeptFigures]" = field(default_factory=lambda: Registry("kept figures"))
    holds: "Registry[Callable[[Sequence[int]], list[Held]]]" = field(default_factory=lambda: Registry("holds"))
    """By room: why the persons of these customer records cannot be erased for now."""
    lists: Registry[ShownList] = field(default_factory=lambda: Registry("lists"))
    companions: Registry[Companion] = field(default_factory=lambda: Registry("companions of the worker"))
    noted: "Registry[Callable[[Sequence[AuditEntry]], None]]" = field(
        default_factory=lambda: Registry("followers of the audit log")
    )
    """Called with audit entries inside the transaction that wrote them: what must stand or fall with a change."""
    members_moved: "Registry[Callable[[Any], None]]" = field(default_factory=lambda: Registry("followers of segments"))
    """Called with the refresh (:class:`rondo.analysis.segments.models.Refresh`) by which customers entered or left a
    segment, inside its transaction."""
    after_load: "Registry[Callable[[Actor], None]]" = field(default_factory=lambda: Registry("after load"))
    after_analysis: "Registry[Callable[[], None]]" = field(default_factory=lambda: Registry("after analysis"))


registries = Registries()
