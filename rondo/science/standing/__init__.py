"""Where customers stand: loyalty ladder, life cycle and type of relationship as disjoint, exhaustive states with
hysteresis; and what binds them, as scores that coexist.

A purchase log, dated signs and contacts go in; a state per customer and grid day comes out, with its ledger of changes
and the transition matrix between two days. docs/standing.md has the rules in words and worked tables.
"""

from rondo.science.standing.bonds import BONDS, Attachment, Band, BondRules
from rondo.science.standing.history import NEVER, Signs, Spans, weekly_grid
from rondo.science.standing.ladder import LadderRules, Rung, climb
from rondo.science.standing.ledger import Change, changes, transitions
from rondo.science.standing.lifecycle import LifeCycleRules, Stage, live
from rondo.science.standing.relationship import (
    Confidence,
    Contacts,
    Related,
    Relation,
    RelationshipRules,
    Sign,
    relate,
)
from rondo.science.standing.rhythm import Rhythm, base_of, rhythm_of
from rondo.science.standing.settling import settle

__all__ = [
    "BONDS",
    "NEVER",
    "Attachment",
    "Band",
    "BondRules",
    "Change",
    "Confidence",
    "Contacts",
    "LadderRules",
    "LifeCycleRules",
    "Related",
    "Relation",
    "RelationshipRules",
    "Rhythm",
    "Rung",
    "Sign",
    "Signs",
    "Spans",
    "Stage",
    "base_of",
    "changes",
    "climb",
    "live",
    "relate",
    "rhythm_of",
    "settle",
    "transitions",
    "weekly_grid",
]
