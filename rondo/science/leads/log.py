"""What is known of people before their first purchase, as arrays: contacts, links and attributes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rondo.errors import InputError
from rondo.science._checks import FloatArray, IntArray

NEVER = np.iinfo(np.int32).max
"""Stands for a day that has not come."""

Codes = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LeadLog:
    """People who were known before they bought, or who never bought; days are numbers.

    Per person, in the order of their codes: ``known`` the first day we know of them, ``bought`` the day of their first
    purchase (:data:`NEVER`).

    Per contact, ordered by ``person`` and ``day``: ``kind`` and ``channel`` as codes of ``kinds`` and ``channels``;
    ``inbound``: they came to us; ``pull``: on their own initiative; ``medium`` as a code of ``media``; ``answers``: it
    answers what we sent; ``named``: code of the category that it names (-1: none); ``waits``: it expects an answer, and
    ``answered`` is the day on which it got one (:data:`NEVER`).

    ``link_person``, ``link_day``, ``link_role``: links to somebody else from a day on, by roles of ``roles``;
    ``link_bought``: the day of that person's first purchase. ``attributes``: per name one value per person (nan: not
    known), as of today: no day is known for them.
    """

    known: IntArray
    bought: IntArray
    person: Codes
    day: Codes
    kind: Codes
    channel: Codes
    medium: Codes
    inbound: Mask
    pull: Mask
    answers: Mask
    named: Codes
    waits: Mask
    answered: Codes
    kinds: tuple[str, ...]
    channels: tuple[str, ...]
    media: tuple[str, ...]
    link_person: Codes = field(default_factory=lambda: np.empty(0, np.int64))
    link_day: Codes = field(default_factory=lambda: np.empty(0, np.int64))
    link_bought: Codes = field(default_factory=lambda: np.empty(0, np.int64))
    link_role: Codes = field(default_factory=lambda: np.empty(0, np.int64))
    roles: tuple[str, ...] = ()
    attributes: dict[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.known.shape != self.bought.shape:
            raise InputError(f"known {self.known.size} and bought {self.bought.size}: give one of each per person")
        for group in (_PER_CONTACT, _PER_LINK):
            sizes = {name: getattr(self, name).size for name in group}
            if len(set(sizes.values())) > 1:
                raise InputError(f"columns differ in length: {', '.join(f'{n} {size}' for n, size in sizes.items())}")
        if np.any(np.diff(self.person) < 0) or np.any((np.diff(self.person) == 0) & (np.diff(self.day) < 0)):
            raise InputError("contacts: rows must stand by person and day")

    @property
    def people(self) -> int:
        """How many people there are."""
        return int(self.known.size)

    @cached_property
    def first(self) -> IntArray:
        """Where each person's contacts begin, and one entry more."""
        found: IntArray = np.searchsorted(self.person, np.arange(self.people + 1)).astype(np.int64)
        return found

    def at_risk(self, day: int) -> Mask:
        """Who is known and has not bought by the end of a day."""
        found: Mask = (self.known <= day) & (self.bought > day)
        return found

    def chosen(self, people: IntArray) -> LeadLog:
        """The log of some people (ascending codes), whose codes then are their places among them."""
        place = np.full(self.people, -1, np.int64)
        place[people] = np.arange(people.size)
        rows, links = place[self.person] >= 0, place[self.link_person] >= 0
        changed = {name: getattr(self, name)[rows] for name in _PER_CONTACT}
        changed |= {name: getattr(self, name)[links] for name in _PER_LINK}
        changed["person"], changed["link_person"] = place[changed["person"]], place[changed["link_person"]]
        return replace(
            self,
            known=self.known[people],
            bought=self.bought[people],
            attributes={name: values[people] for name, values in self.attributes.items()},
            **changed,
        )


_PER_CONTACT = tuple(
    one.name
    for one in fields(LeadLog)
    if one.name
    in ("person", "day", "kind", "channel", "medium", "inbound", "pull", "answers", "named", "waits", "answered")
)
_PER_LINK = ("link_person", "link_day", "link_bought", "link_role")
