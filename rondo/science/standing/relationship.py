"""What kind of relationship a customer has with the company: one main type or unknown, with confidence, with
hysteresis (types after Avery, Fournier & Wittenbraker 2014; the rules of assignment are our convention).

What the customer answered when asked comes first, then how they behave. Behaviour hints and does not tell: confidence
is high only for an answer, and who fits no rule is unknown.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import IntArray
from rondo.science.standing.history import NEVER, Block, Marks, blocks
from rondo.science.standing.ladder import Rung
from rondo.science.standing.settling import Settling, States
from rondo.science.summary import PurchaseDays

Counts = npt.NDArray[np.int32]
_FLING = 1


class Relation(IntEnum):
    """Types of relationship; every customer has exactly one."""

    UNKNOWN = 0
    EXCHANGE = 1
    PARTNER = 2
    BUDDIES = 3
    BEST_FRIENDS = 4
    FLING = 5
    MASTER_SERVANT = 6


class Confidence(IntEnum):
    """How sure the type is. ``NONE`` goes with unknown; ``HIGH`` takes an answer of the customer."""

    NONE = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3


class Sign(IntEnum):
    """What a dated contact tells: a complaint; a customer who turns to us unprompted; a personal word of ours; a
    campaign sent; a campaign answered; a recommendation made."""

    COMPLAINT = 0
    UNPROMPTED = 1
    TALK = 2
    SENT = 3
    ANSWERED = 4
    REFERRED = 5


@dataclass(frozen=True)
class RelationshipRules:
    """Thresholds of the types (all are conventions, so all are settings).

    ``window_days``: contacts and purchases that are looked at. Exchange: a client with ``exchange_from`` purchase days,
    at most ``few`` contacts of their own, and at most the share ``answered`` of at least ``offers`` campaigns answered.
    Fling: ``fling_from`` purchase days within ``fling_days`` of the first, then nothing for ``fling_silence`` days.
    Buddies: ``contacts`` unprompted contacts and no complaint; best friends: as many, and a recommendation. Partner: an
    organisation with ``partner_talks`` contacts from both sides. Master and servant: ``demands`` complaints.
    ``survey_days``: for so long an answer counts. ``hold_days``: days a rule must hold before a type is entered; an
    answer counts at once.
    """

    window_days: int = 365
    exchange_from: int = 6
    few: int = 1
    offers: int = 3
    answered: float = 0.1
    fling_from: int = 4
    fling_days: int = 60
    fling_silence: int = 90
    contacts: int = 3
    partner_talks: int = 4
    demands: int = 3
    survey_days: int = 730
    hold_days: int = 28

    def __post_init__(self) -> None:
        ones = ("window_days", "exchange_from", "offers", "fling_days", "fling_silence", "contacts", "demands")
        for name in (*ones, "survey_days"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}: {getattr(self, name)}; write 1 or more")
        for name in ("fling_from", "partner_talks"):
            if getattr(self, name) < 2:
                raise InputError(f"{name}: {getattr(self, name)}; write 2 or more")
        for name in ("few", "hold_days"):
            if getattr(self, name) < 0:
                raise InputError(f"{name}: {getattr(self, name)}; write 0 or more")
        if not 0 < self.answered < 1:
            raise InputError(f"answered: {self.answered}; write a share between 0 and 1")

    def to_dict(self) -> dict[str, Any]:
        """The thresholds as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Contacts:
    """Dated contacts by customer code, ascending, and what is known of each customer besides.

    ``customer``, ``day``, ``sign`` (:class:`Sign`): a row per contact. By customer: ``answer`` (:class:`Relation`,
    0 where nobody asked), ``answered_on`` (``NEVER`` without one), ``organisation``, ``cut_off`` (began before the log
    does). ``recorded_from``: the first day on which anybody's own contacts are in the data; before it, that there are
    none says nothing.
    """

    customer: IntArray
    day: IntArray
    sign: npt.NDArray[np.uint8]
    answer: npt.NDArray[np.uint8]
    answered_on: IntArray
    organisation: npt.NDArray[np.bool_]
    cut_off: npt.NDArray[np.bool_]
    recorded_from: int = NEVER

    @classmethod
    def none(cls, customers: int) -> Contacts:
        """No contact with anybody."""
        no, never = np.zeros(customers, bool), np.full(customers, NEVER, np.int64)
        nothing = np.empty(0, np.int64)
        return cls(nothing, nothing, nothing.astype(np.uint8), np.zeros(customers, np.uint8), never, no, no)

    def part(self, start: int, stop: int) -> Contacts:
        """The contacts of the customers with codes from ``start`` to below ``stop``, with codes from 0."""
        rows = slice(*np.searchsorted(self.customer, (start, stop)))
        each = slice(start, stop)
        return Contacts(
            self.customer[rows] - start,
            self.day[rows],
            self.sign[rows],
            self.answer[each],
            self.answered_on[each],
            self.organisation[each],
            self.cut_off[each],
            self.recorded_from,
        )


@dataclass(frozen=True)
class Related:
    """``types``: the :class:`Relation` of every customer on every grid day (grid day, customer code). By customer, on
    the last grid day: ``confidence`` (:class:`Confidence`), ``purchases`` (purchase days within the window) and
    ``counts`` (:class:`Sign`, customer: contacts within it)."""

    types: States
    confidence: States
    purchases: Counts
    counts: Counts


def relate(
    log: PurchaseDays, rungs: States, contacts: Contacts, grid: IntArray, rules: RelationshipRules | None = None
) -> Related:
    """The type of every customer on every grid day. ``rungs``: as :func:`rondo.science.standing.climb` gave them for
    the same log and grid.

    Raises:
        InputError: rungs or contacts do not go with the log and the grid.
    """
    rules = rules or RelationshipRules()
    if rungs.shape != (grid.size, log.n_customers):
        raise InputError(f"rungs: {rungs.shape} does not go with {grid.size} days and {log.n_customers} customers")
    if contacts.answer.size != log.n_customers:
        raise InputError(f"contacts: of {contacts.answer.size} customers; the log has {log.n_customers}")
    types = np.empty((grid.size, log.n_customers), np.uint8)
    confidence = np.empty(log.n_customers, np.uint8)
    purchases = np.zeros(log.n_customers, np.int32)
    counts = np.zeros((len(Sign), log.n_customers), np.int32)
    for start, stop, block in blocks(log, grid):
        here = slice(start, stop)
        seen = _Seen(block, contacts.part(start, stop), rungs[:, here], rules)
        types[:, here] = seen.settled()
        confidence[here] = seen.confidence(types[-1, here])
        purchases[here] = seen.last(seen.purchases)
        for sign in Sign:
            counts[sign, here] = seen.last(seen.of[sign])
    return Related(types, confidence, purchases, counts)


class _Seen:
    """What is known of a block of customers on each grid day; arrays (grid day, customer), None where all are 0."""

    def __init__(self, block: Block, contacts: Contacts, rungs: States, rules: RelationshipRules) -> None:
        self._block, self._contacts, self._rules = block, contacts, rules
        self.purchases = self._within(block.customer, block.day)
        self.of: dict[Sign, Counts | None] = {}
        for sign in Sign:
            rows = contacts.sign == sign
            self.of[sign] = self._within(contacts.customer[rows], contacts.day[rows])
        self._fits = self._fitting(rungs)

    def _within(self, customer: IntArray, day: IntArray) -> Counts | None:
        """How many of the events lie within the window that ends with each grid day."""
        block, size = self._block, self._block.size
        if not day.size:
            return None
        cells = np.zeros((block.grid.size + 1) * size, np.int32)
        for place, step in ((block.first_on(day), 1), (block.first_on(day + self._rules.window_days), -1)):
            np.add.at(cells, place * size + customer, np.int32(step))
        turned = cells.reshape(block.grid.size + 1, size)[:-1]
        for number in range(1, block.grid.size):
            turned[number] += turned[number - 1]
        return turned

    def last(self, counts: Counts | None) -> Counts:
        """The counts of the last grid day."""
        return np.zeros(self._block.size, np.int32) if counts is None else counts[-1]

    def _at_least(self, counts: Counts | None, least: int) -> npt.NDArray[np.bool_] | bool:
        return least <= 0 if counts is None else counts >= least

    def _fitting(self, rungs: States) -> States:
        """Which type behaviour alone points to, on every grid day: of several rules that hold the last one here."""
        rules, of = self._rules, self.of
        complaints, unprompted, talks = of[Sign.COMPLAINT], of[Sign.UNPROMPTED], of[Sign.TALK]
        zero = np.int32(0)
        own = (zero if complaints is None else complaints) + (zero if unprompted is None else unprompted)
        both = (zero if talks is None else talks) + (zero if unprompted is None else unprompted)
        sent, answers = of[Sign.SENT], of[Sign.ANSWERED]
        fits = np.zeros(rungs.shape, np.uint8)
        if sent is not None:
            quiet = (sent >= rules.offers) & ((zero if answers is None else answers) <= rules.answered * sent)
            regular = (rungs >= Rung.CLIENT) & self._at_least(self.purchases, rules.exchange_from)
            fits[regular & quiet & (own <= rules.few)] = Relation.EXCHANGE
        fits[self._flings()] = Relation.FLING
        bought = rungs >= Rung.CUSTOMER
        near = bought & self._at_least(unprompted, rules.contacts)
        fits[near & ~self._broad(self._at_least(complaints, 1))] = Relation.BUDDIES
        heard = self._broad(self._at_least(unprompted, 1)) & self._at_least(talks, 1)
        fits[bought & self._contacts.organisation & heard & (both >= rules.partner_talks)] = Relation.PARTNER
        fits[near & self._at_least(of[Sign.REFERRED], 1)] = Relation.BEST_FRIENDS
        fits[bought & self._at_least(complaints, rules.demands)] = Relation.MASTER_SERVANT
        return fits

    def _broad(self, flag: npt.NDArray[np.bool_] | bool) -> npt.NDArray[np.bool_]:
        return np.broadcast_to(np.asarray(flag), (self._block.grid.size, self._block.size))

    def _flings(self) -> npt.NDArray[np.bool_]:
        """Who bought often right after the first time and has been silent since; not whose beginning is not known."""
        rules, block = self._rules, self._block
        marks = Marks(block.grid.size, block.size)
        short = block.day - block.first[block.customer] < rules.fling_days
        rows = short & (block.rank >= rules.fling_from) & ~self._contacts.cut_off[block.customer]
        begin = np.minimum(block.first_on(block.day[rows] + rules.fling_silence), block.until[rows])
        marks.between(_FLING, begin, block.until[rows], block.customer[rows])
        return marks.read() > 0

    def _asked(self, day: int) -> npt.NDArray[np.bool_]:
        """Whose answer counts on a day."""
        since = day - self._contacts.answered_on
        return (since >= 0) & (since < self._rules.survey_days) & (self._contacts.answer > 0)

    def settled(self) -> States:
        """The types with hysteresis; an answer counts at once."""
        hold = np.full(len(Relation), self._rules.hold_days, np.int64)
        settling = Settling(self._block.size, hold)
        out = np.empty_like(self._fits)
        some = bool(np.any(self._contacts.answer > 0))
        for number, day in enumerate(self._block.grid.tolist()):
            rule = self._fits[number]
            asked = self._asked(day) if some else None
            if asked is not None:
                rule = np.where(asked, self._contacts.answer, rule)
            out[number] = settling.step(day, rule, asked)
        return out

    def confidence(self, types: States) -> States:
        """How sure the ``types`` of the last grid day are.

        High: the customer said so, and behaviour points nowhere else. Medium: they said so and behave otherwise, or
        behaviour shows it twice over or in two ways. Low: the rest; also a type that is kept though its rule has just
        ceased to hold.
        """
        rules, day = self._rules, int(self._block.grid[-1])
        fits = self._fits[-1]
        complaints, unprompted, talks = (
            self.last(self.of[sign]) for sign in (Sign.COMPLAINT, Sign.UNPROMPTED, Sign.TALK)
        )
        recorded = np.full(types.size, self._contacts.recorded_from <= day)
        sure = {
            Relation.EXCHANGE: recorded,
            Relation.PARTNER: unprompted + talks >= 2 * rules.partner_talks,
            Relation.BUDDIES: unprompted >= 2 * rules.contacts,
            Relation.BEST_FRIENDS: np.ones(types.size, bool),
            Relation.MASTER_SERVANT: complaints >= 2 * rules.demands,
        }
        found = np.where(types == Relation.UNKNOWN, Confidence.NONE, Confidence.LOW).astype(np.uint8)
        for relation, medium in sure.items():
            found[(types == relation) & (fits == relation) & medium] = Confidence.MEDIUM
        said = self._asked(day) & (types == self._contacts.answer)
        agrees = (fits == Relation.UNKNOWN) | (fits == types)
        found[said] = np.where(agrees[said], Confidence.HIGH, Confidence.MEDIUM)
        return found
