"""Where customers stand: loyalty ladder and life cycle as disjoint, exhaustive states with hysteresis.

A purchase log and a few dated signs go in; a state per customer and grid day comes out, with its ledger of changes and
the transition matrix between two days. docs/standing.md has the rules in words and a worked table.
"""

from rondo.science.standing.history import NEVER, Signs, weekly_grid
from rondo.science.standing.ladder import LadderRules, Rung, climb
from rondo.science.standing.ledger import Change, changes, transitions
from rondo.science.standing.lifecycle import LifeCycleRules, Stage, live
from rondo.science.standing.rhythm import Rhythm, base_of, rhythm_of
from rondo.science.standing.settling import settle

__all__ = [
    "NEVER",
    "Change",
    "LadderRules",
    "LifeCycleRules",
    "Rhythm",
    "Rung",
    "Signs",
    "Stage",
    "base_of",
    "changes",
    "climb",
    "live",
    "rhythm_of",
    "settle",
    "transitions",
    "weekly_grid",
]
