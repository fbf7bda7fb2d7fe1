"""The scales on which customers stand and move: their states, how they are drawn, what a fall is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from rondo.analysis.ruled import LADDER, RELATIONSHIP, STAGE

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_LOST = ("endangered", "decline", "termination", "abstinence")
_WELL = ("growth", "maturity", "socialisation", "revitalisation")


@dataclass(frozen=True)
class Scale:
    """One scale, by its key in the ledger. ``states`` with their labels in their order; ``drawn``: their order from
    the top of a drawing, who is well first; ``token``: what the colours of its states are called in the stylesheet."""

    key: str
    title: "_StrOrPromise"
    states: "tuple[tuple[str, _StrOrPromise], ...]"
    drawn: tuple[str, ...]
    token: str

    @property
    def labels(self) -> dict[str, str]:
        """The states in the language in force."""
        return {key: str(label) for key, label in self.states}

    def colour(self, state: str) -> str:
        """The colour of a state, as a variable of the stylesheet."""
        return f"var(--{self.token}-{state})"

    def falls(self, before: str, after: str) -> bool:
        """Whether a move is a fall: into danger or out of the relationship, or down the ladder."""
        if self.key == "stage":
            return before in _WELL and after in _LOST
        return self.key == "ladder" and self.drawn.index(after) > self.drawn.index(before)

    def rises(self, before: str, after: str) -> bool:
        """Whether a move is a recovery, or up the ladder."""
        if self.key == "stage":
            return before in _LOST and after in _WELL
        return self.key == "ladder" and self.drawn.index(after) < self.drawn.index(before)

    def tone(self, before: str, after: str) -> str:
        """How a move looks: good, risk, or neither."""
        if self.key == "stage":
            return "risk" if after in _LOST else "good"
        return "risk" if self.falls(before, after) else "good" if self.rises(before, after) else ""


SCALES: dict[str, Scale] = {
    scale.key: scale
    for scale in (
        Scale("stage", _("Life cycle"), STAGE, (*_WELL, *_LOST, "before", "initiation"), "stage"),
        Scale(
            "ladder",
            _("Loyalty ladder"),
            LADDER,
            ("advocate", "client", "customer", "prospect", "suspect"),
            "rung",
        ),
        Scale(
            "relationship",
            _("Type of relationship"),
            RELATIONSHIP,
            ("best_friends", "partner", "buddies", "exchange", "fling", "master_servant", "unknown"),
            "relation",
        ),
    )
}
"""The scales by key; the first is the usual one."""
