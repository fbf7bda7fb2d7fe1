"""What rules can speak of in this installation: fields, events with their details, and links, as the rooms registered
them; and the circumstances in which a rule is asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from rondo.foundation.installation import installation
from rondo.foundation.registry import RuleDetail, RuleEvents, RuleField, RuleLinks, RuleSource, registries
from rondo.rules.tree import ANY_KIND, Node

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.utils.functional import _StrOrPromise

    from rondo.foundation.models import User

CUSTOMERS = "customer"
"""Key of the source whose rows are the customers themselves."""


@dataclass(frozen=True)
class Members:
    """A segment that is a list: the keys of its customers, or, however many they are, ``rows()`` of the operational
    store that hold them in ``customer_id``."""

    customers: frozenset[int] = frozenset()
    rows: "Callable[[], QuerySet[Any]] | None" = None

    def has(self, key: int) -> bool:
        """Whether a customer is among them."""
        return key in self.customers if self.rows is None else self.rows().filter(customer_id=key).exists()


Segment: TypeAlias = Node | Members
Resolver: TypeAlias = Callable[[str], Segment | None]


def no_segments(_key: str) -> Segment | None:
    """The resolver of who knows no segments."""
    return None


@dataclass(frozen=True)
class Context:
    """Circumstances: the day windows end on, the viewer whom "me" means, and what segments are at this moment."""

    as_of: date
    viewer: int | None = None
    segment: Resolver = no_segments


@dataclass(frozen=True)
class EventKind:
    """A kind of event, its label, and the chain it belongs to."""

    key: str
    label: "_StrOrPromise"
    events: str


@dataclass
class Schema:
    """Everything rules can name. Made per request or job, since attributes and users are data."""

    fields: dict[str, RuleField]
    kinds: dict[str, EventKind]
    details: dict[str, RuleDetail]
    roles: "dict[str, _StrOrPromise]"
    currency: str
    sources: dict[str, RuleSource] = field(default_factory=dict)
    events: dict[str, RuleEvents] = field(default_factory=dict)
    links: RuleLinks | None = None
    asked: "dict[tuple[Node, date, int | None], str]" = field(default_factory=dict, compare=False)
    """Keys of customers that were asked of elsewhere, or gathered from the chains of all, joined by commas, by the part
    of a rule and the circumstances."""

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Short keys that mean exactly one field, with the key they stand for."""
        found: dict[str, list[str]] = {}
        for term in self.fields.values():
            if term.alias and term.alias not in self.fields:
                found.setdefault(term.alias, []).append(term.key)
        return {alias: keys[0] for alias, keys in found.items() if len(keys) == 1}

    def find(self, key: str) -> RuleField | None:
        """A field by its key or its alias."""
        return self.fields.get(self.aliases.get(key, key))

    def short(self, key: str) -> str:
        """The shortest way to write a field's key."""
        term = self.fields.get(key)
        return term.alias if term is not None and self.aliases.get(term.alias) == key else key

    def details_of(self, kind: str) -> dict[str, RuleDetail]:
        """The details that events of a kind have."""
        chain = self.chain(kind).key
        return {
            key: detail
            for key, detail in self.details.items()
            if (kind in detail.kinds if detail.kinds and kind != ANY_KIND else detail.events == chain)
        }

    def chain(self, kind: str) -> RuleEvents:
        """The chain that events of a kind belong to; for any kind, the first that is registered."""
        found = self.kinds.get(kind)
        return self.events[found.events] if found is not None else next(iter(self.events.values()))

    @property
    def customers(self) -> RuleSource:
        """The source whose rows are the customers."""
        return self.sources[CUSTOMERS]


def schema(viewer: "User | None" = None) -> Schema:
    """What is registered at this moment and ``viewer`` may speak of; None is the system, which may of everything."""
    fields = {
        term.key: term
        for source in registries.rule_sources
        for term in source.fields()
        if viewer is None or term.hidden_from is None or not term.hidden_from(viewer)
    }
    kinds = {
        key: EventKind(key, label, events.key) for events in registries.rule_events for key, label in events.kinds()
    }
    links = next(iter(registries.rule_links), None)
    return Schema(
        fields=fields,
        kinds=kinds,
        details={detail.key: detail for detail in registries.rule_details},
        roles=dict(links.roles()) if links else {},
        currency=installation().currency,
        sources={source.key: source for source in registries.rule_sources},
        events={events.key: events for events in registries.rule_events},
        links=links,
    )
