"""The kinds of events that webhooks are told of, and which entry of the audit log is which.

The audit log is the one place that hears of every change, in the transaction that makes it; what a kind keeps of an
entry are keys and names of fields, never a value that somebody entered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from rondo.foundation.models import AuditEntry

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

Facts = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A kind of event: what it is called in messages and by people, and which verbs of the audit log are one.

    ``facts(entry)`` is what is kept of an entry, None where it is no event of this kind after all.
    """

    key: str
    label: "_StrOrPromise"
    meaning: "_StrOrPromise"
    group: "_StrOrPromise"
    verbs: frozenset[str] = frozenset()
    facts: Callable[[AuditEntry], Facts | None] = lambda entry: {}


PING = "webhook.ping"
"""What a test sends; nobody subscribes to it, every webhook gets it when asked for."""
ENTERED, LEFT = "segment.entered", "segment.left"


def _customer(entry: AuditEntry) -> Facts:
    return {"customers": [entry.record_id]}


def _changed(entry: AuditEntry) -> Facts | None:
    about, _dot, _done = entry.verb.partition(".")
    if about in {"identifier", "address", "link"}:
        fields = [f"{about}s" if about != "address" else "addresses"]
    else:
        fields = sorted(entry.changes)
    return {"customers": [entry.record_id], "fields": fields} if entry.record_type == "customer" else None


def _merged(entry: AuditEntry) -> Facts | None:
    """Of the two entries of a merge the one of the record that no longer stands for itself."""
    if "survivor" not in entry.changes:
        return None
    before, after = entry.changes["survivor"]
    return {"customers": [entry.record_id], "other": after or before}


def _split(entry: AuditEntry) -> Facts | None:
    """Of the two entries of a split the one of the record that was there before."""
    other = next((key for key in entry.changes.get("other", ()) if key), 0)
    return {"customers": [entry.record_id], "other": other} if entry.record_id < other else None


def _consent(entry: AuditEntry) -> Facts | None:
    found = [(name.split("."), after) for name, (_before, after) in entry.changes.items() if name.count(".") == 2]
    if not found:
        return None
    (_consent_word, channel, purpose), state = found[0]
    return {"customers": [entry.record_id], "channel": channel, "purpose": purpose, "state": state}


def _interaction(entry: AuditEntry) -> Facts:
    return {"interaction": entry.record_id}


def _load(entry: AuditEntry) -> Facts:
    return {"import": entry.record_id}


def _run(entry: AuditEntry) -> Facts:
    return {"as_of": next(iter(reversed(entry.changes.get("as_of", [None]))), None)}


_CUSTOMERS, _CHAIN = _("Customers"), _("Contacts")
_SETS = _("Imports, segments, analysis")
KINDS: dict[str, Kind] = {
    kind.key: kind
    for kind in (
        Kind(
            "customer.created",
            _("Customer made"),
            _("By hand, by the API or by a split; an import tells of all its customers at once."),
            _CUSTOMERS,
            frozenset({"customer.created"}),
            _customer,
        ),
        Kind(
            "customer.changed",
            _("Customer changed"),
            _("Fields, owner, team, attributes, identifiers, addresses or links; with the names of what changed."),
            _CUSTOMERS,
            frozenset(
                {"customer.changed", "customer.assigned", "attribute.set", "identifier.added", "identifier.removed"}
                | {"address.added", "address.removed"}
                | {"link.added", "link.changed", "link.removed", "link.restored"}
            ),
            _changed,
        ),
        Kind(
            "customer.merged",
            _("Customers merged"),
            _("Which record no longer stands for itself, and which one stands for it now."),
            _CUSTOMERS,
            frozenset({"customer.merged"}),
            _merged,
        ),
        Kind(
            "customer.unmerged",
            _("Merge taken back"),
            _("Which record stands for itself again, and which one stood for it."),
            _CUSTOMERS,
            frozenset({"customer.unmerged"}),
            _merged,
        ),
        Kind(
            "customer.split",
            _("Customer split"),
            _("Which record was split, and which one came out of it."),
            _CUSTOMERS,
            frozenset({"customer.split"}),
            _split,
        ),
        Kind(
            "customer.split_back",
            _("Split taken back"),
            _("Both are one again, under the record that was there first."),
            _CUSTOMERS,
            frozenset({"customer.split_back"}),
            _split,
        ),
        Kind(
            "customer.deleted",
            _("Customer deleted"),
            _("Erased for good; delete your copy, too."),
            _CUSTOMERS,
            frozenset({"customer.deleted", "customer.erased"}),
            _customer,
        ),
        Kind(
            "customer.binned",
            _("Customer put into the bin"),
            _("Gone from every read, with the records merged into it, until it is put back or erased."),
            _CUSTOMERS,
            frozenset({"customer.binned"}),
            _customer,
        ),
        Kind(
            "customer.restored",
            _("Customer put back"),
            _("Out of the bin, as it was."),
            _CUSTOMERS,
            frozenset({"customer.restored"}),
            _customer,
        ),
        Kind(
            "consent.changed",
            _("Consent changed"),
            _("Given, withdrawn or taken back, by channel and purpose."),
            _CUSTOMERS,
            frozenset({"consent.noted"}),
            _consent,
        ),
        Kind(
            "interaction.added",
            _("Contact logged"),
            _("By hand, by the API or by another system; an import tells of all its contacts at once."),
            _CHAIN,
            frozenset({"interaction.logged"}),
            _interaction,
        ),
        Kind(
            "interaction.retracted",
            _("Contact taken back"),
            _("It was wrong, and counts no more."),
            _CHAIN,
            frozenset({"interaction.retracted"}),
            _interaction,
        ),
        Kind(
            "import.finished",
            _("Import finished"),
            _("With how many rows were made, changed and refused; what it brought is read from the API."),
            _SETS,
            frozenset({"import.published"}),
            _load,
        ),
        Kind(
            "import.undone",
            _("Import taken back"),
            _("What it made is gone, what it changed is as before."),
            _SETS,
            frozenset({"import.undone"}),
            _load,
        ),
        Kind(ENTERED, _("Customers entered a segment"), _("Who came in with one refresh, together."), _SETS),
        Kind(LEFT, _("Customers left a segment"), _("Who went out with one refresh, together."), _SETS),
        Kind(
            "analysis.finished",
            _("Analysis finished"),
            _("New scores are served."),
            _SETS,
            frozenset({"analysis.run"}),
            _run,
        ),
    )
}
BY_VERB: dict[str, Kind] = {verb: kind for kind in KINDS.values() for verb in kind.verbs}
"""Which kind of event an entry of the audit log is, by its verb."""
