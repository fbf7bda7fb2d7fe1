"""What binds a customer: five scores that coexist, from 0 to 1 or not known (nan), after Meyer & Oevermann (1995).

Local, contractual, economic, technical-functional, emotional. Each is a share of a stated measure; how large a measure
counts as a full bond is a convention. Who is bound (by contract or by price) but not attached stays only for as long as
they have to.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray
from rondo.science.standing.settling import States

BONDS = ("local", "contractual", "economic", "technical", "emotional")
DAYS_PER_MONTH = 365.25 / 12
_LOWEST, _HIGHEST = 1.0, 7.0
_PROMOTER = 10.0


class Band(IntEnum):
    """How strong a bond is; every score is in exactly one band."""

    UNKNOWN = 0
    WEAK = 1
    MODERATE = 2
    STRONG = 3


class Attachment(IntEnum):
    """Whether who is bound is attached as well. ``BOUND``: bound but not attached; ``FREE``: neither."""

    UNKNOWN = 0
    ATTACHED = 1
    BOUND = 2
    FREE = 3


@dataclass(frozen=True)
class BondRules:
    """Thresholds of the bonds (all are conventions, so all are settings).

    ``window_days``: the purchases that are looked at; ``least_days``: purchase days among them below which neither
    the local nor the economic bond is known. ``full_saving``: the share of list prices saved that makes a full economic
    bond; ``full_months``: months until a contract can be left that make a full contractual one; ``full_products``:
    connected products that make a full technical-functional one; ``member``: the least emotional bond of a member of
    the community. ``strong``: score from which a bond is strong; ``weak``: score below which it is weak.
    """

    window_days: int = 365
    least_days: int = 5
    full_saving: float = 0.3
    full_months: int = 12
    full_products: int = 3
    member: float = 0.5
    strong: float = 0.6
    weak: float = 0.3

    def __post_init__(self) -> None:
        for name in ("window_days", "least_days", "full_months", "full_products"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: {getattr(self, name)}; write 1 or more")
        for name in ("full_saving", "member", "strong", "weak"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(f"{name}: {getattr(self, name)}; write a share between 0 and 1")
        if self.weak >= self.strong:
            raise InputError(f"weak: {self.weak}; has to lie below strong ({self.strong})")

    def to_dict(self) -> dict[str, Any]:
        """The thresholds as JSON."""
        return asdict(self)


def local(at_main_store: IntArray, store_days: IntArray, rules: BondRules) -> FloatArray:
    """Share of purchase days at the main store: of ``store_days`` (days on which a store is named) those at it.

    The main store stands in for the nearest, since a purchase log knows stores and not where people live.
    """
    return np.where(store_days >= rules.least_days, at_main_store / np.maximum(store_days, 1), np.nan)


def economic(saved: IntArray, paid: IntArray, days: IntArray, rules: BondRules) -> FloatArray:
    """Share of list prices saved (``saved`` of ``saved + paid``, minor units) on so many purchase ``days``, as a part
    of what makes a full bond."""
    listed = saved + paid
    known = (days >= rules.least_days) & (listed > 0)
    share = saved / np.where(listed > 0, listed, 1)
    return np.where(known, np.clip(share / rules.full_saving, 0, 1), np.nan)


def contractual(days_left: FloatArray, notice_months: FloatArray, rules: BondRules) -> FloatArray:
    """Months until the contract can be left, as a part of what makes a full bond.

    ``days_left``: days to the end of the term (negative: it has ended; nan: without an end or not known);
    ``notice_months``: months of notice (nan: not known). The later of term and notice binds; who has neither has no
    known contract (nan).
    """
    months, notice = days_left / DAYS_PER_MONTH, np.maximum(notice_months, 0)
    bound = np.where(months < 0, 0.0, np.fmax(months, notice))
    return np.clip(bound / rules.full_months, 0, 1)


def technical(products: FloatArray, rules: BondRules) -> FloatArray:
    """Number of installed or connected products (nan: not known), as a part of what makes a full bond."""
    return np.clip(products / rules.full_products, 0, 1)


def emotional(commitment: FloatArray, promoter: FloatArray, member: FloatArray, rules: BondRules) -> FloatArray:
    """Mean of the commitment items (1 to 7), else the promoter score (0 to 10), each brought to 0 to 1; at least
    ``rules.member`` for members of the community (``member`` 1). Values off their scale are not known (nan), and not
    being a member says nothing."""
    asked = np.where((commitment >= _LOWEST) & (commitment <= _HIGHEST), commitment, np.nan)
    asked = (asked - _LOWEST) / (_HIGHEST - _LOWEST)
    would = np.where((promoter >= 0) & (promoter <= _PROMOTER), promoter, np.nan) / _PROMOTER
    told = np.where(np.isnan(asked), would, asked)
    return np.fmax(told, np.where(member == 1, rules.member, np.nan))


def bands(score: FloatArray, rules: BondRules) -> States:
    """The :class:`Band` of each score."""
    found = np.where(score >= rules.strong, Band.STRONG, np.where(score < rules.weak, Band.WEAK, Band.MODERATE))
    return np.where(np.isnan(score), Band.UNKNOWN, found).astype(np.uint8)


def attached(contract: FloatArray, price: FloatArray, heart: FloatArray, rules: BondRules) -> States:
    """The :class:`Attachment` of each customer, from the contractual, economic and emotional bonds.

    Only where the emotional bond is known. A weak one with a strong contractual or economic one is *bound but not
    attached*; with neither strong it is *free*, if both are known, for one that is not might bind.
    """
    feels = bands(heart, rules)
    by_contract, by_price = bands(contract, rules), bands(price, rules)
    held = (by_contract == Band.STRONG) | (by_price == Band.STRONG)
    seen = (by_contract != Band.UNKNOWN) & (by_price != Band.UNKNOWN)
    found = np.full(feels.size, Attachment.UNKNOWN, np.uint8)
    found[(feels == Band.MODERATE) | (feels == Band.STRONG)] = Attachment.ATTACHED
    found[(feels == Band.WEAK) & seen] = Attachment.FREE
    found[(feels == Band.WEAK) & held] = Attachment.BOUND
    return found
