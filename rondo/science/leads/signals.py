"""Signals of people who have not bought, as of a day: what they did, what we sent, how they came, whom they know.

A signal is called ``theme:measure``; those of one theme tell of the same thing and are told together. Contacts fade:
one that lies ``life`` days back counts half of one of today.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rondo.science._checks import FloatArray
from rondo.science.features import Features
from rondo.science.leads.log import NEVER, LeadLog
from rondo.science.reasons import RECENT_DAYS

Mask = npt.NDArray[np.bool_]
LIVES = (7.0, 28.0, 91.0)
_MOST_DAYS = 3650.0

CONTACT = "contact"
SENT = "sent"
ANSWERS = "answers"
WAITS = "waits"
INTEREST = "interest"
KNOWN = "known"


def fading(age: npt.ArrayLike, life: float) -> FloatArray:
    """What a contact counts that lies ``age`` days back: 1 today, half after ``life`` days."""
    found: FloatArray = np.exp2(-np.asarray(age, np.float64) / life)
    return found


def themes(names: tuple[str, ...]) -> tuple[str, ...]:
    """The themes of signals, in the order in which they first occur."""
    return tuple(dict.fromkeys(name.partition(":")[0] for name in names))


@dataclass(frozen=True)
class Evidence:
    """What can be told of people and themes, (person, theme): contacts of the last 14 days, in all, and days since the
    last (-1: none). Of themes that are no contacts ``total`` is the figure itself, such as days known."""

    themes: tuple[str, ...]
    recent: npt.NDArray[np.int64]
    total: npt.NDArray[np.int64]
    silent: npt.NDArray[np.int64]


class _Sums:
    """Sums over the contacts up to a day, by person."""

    def __init__(self, log: LeadLog, day: int) -> None:
        kept = log.day <= day
        self.log, self.day = log, day
        self.person = log.person[kept].astype(np.int64)
        self.age = (day - log.day[kept]).astype(np.int64)
        self.kind, self.channel = log.kind[kept].astype(np.int64), log.channel[kept].astype(np.int64)
        self.medium, self.named = log.medium[kept].astype(np.int64), log.named[kept].astype(np.int64)
        self.inbound, self.pull, self.answers = log.inbound[kept], log.pull[kept], log.answers[kept]
        self.open = log.waits[kept] & (log.answered[kept] > day)
        self.faded = {life: fading(self.age, life) for life in LIVES}

    def by_person(self, rows: Mask, weight: FloatArray | None = None) -> FloatArray:
        found: FloatArray = np.bincount(
            self.person[rows], None if weight is None else weight[rows], minlength=self.log.people
        ).astype(np.float64)
        return found

    def by(self, code: npt.NDArray[np.int64], width: int, rows: Mask, weight: FloatArray) -> FloatArray:
        cells = np.bincount(self.person[rows] * width + code[rows], weight[rows], minlength=self.log.people * width)
        found: FloatArray = cells.reshape(self.log.people, width).astype(np.float64)
        return found

    def silent(self, rows: Mask) -> FloatArray:
        """Days since the last of some contacts; nan where there is none."""
        last = np.full(self.log.people, np.inf)
        np.minimum.at(last, self.person[rows], self.age[rows])
        last[np.isinf(last)] = np.nan
        return last


def signals_of(log: LeadLog, day: int) -> Features:
    """All signals of all people in the log as of the end of ``day``; contacts after it are not looked at."""
    sums = _Sums(log, day)
    inbound, outbound = sums.inbound, ~sums.inbound
    found: dict[str, FloatArray] = {f"{KNOWN}:days": np.clip(day - log.known, 0, _MOST_DAYS).astype(np.float64)}
    found[f"{CONTACT}:fading 7"] = sums.by_person(inbound, sums.faded[7.0])
    found[f"{CONTACT}:fading 28"] = sums.by_person(inbound, sums.faded[28.0])
    found[f"{CONTACT}:days"] = _different_days(sums, inbound)
    found[f"{CONTACT}:silent"] = sums.silent(inbound)
    found[f"{CONTACT}:any"] = (sums.by_person(inbound) > 0).astype(np.float64)
    everything = np.ones(sums.person.size, bool)
    for life in (28.0, 91.0):
        of_kind = sums.by(sums.kind, len(log.kinds), everything, sums.faded[life])
        found |= {f"kind.{name}:fading {life:.0f}": of_kind[:, place] for place, name in enumerate(log.kinds)}
    of_channel = sums.by(sums.channel, len(log.channels), inbound, sums.faded[28.0])
    found |= {f"channel.{name}:fading 28": of_channel[:, place] for place, name in enumerate(log.channels)}
    of_medium = sums.by(sums.medium, len(log.media), everything, sums.faded[28.0])
    found |= {f"medium.{name}:fading 28": of_medium[:, place] for place, name in enumerate(log.media)}
    found[f"{CONTACT}:on their own"] = sums.by_person(inbound & sums.pull, sums.faded[28.0])
    found[f"{SENT}:fading 28"] = sums.by_person(outbound, sums.faded[28.0])
    found[f"{SENT}:fading 91"] = sums.by_person(outbound, sums.faded[91.0])
    sent, answered = sums.by_person(outbound), sums.by_person(sums.answers)
    found[f"{ANSWERS}:fading 28"] = sums.by_person(sums.answers, sums.faded[28.0])
    found[f"{ANSWERS}:share"] = np.where(sent > 0, np.minimum(answered / np.maximum(sent, 1), 1.0), np.nan)
    found[f"{WAITS}:open"] = sums.by_person(sums.open)
    named = inbound & (sums.named >= 0)
    found[f"{INTEREST}:fading 28"] = sums.by_person(named, sums.faded[28.0])
    found[f"{INTEREST}:categories"] = _different(sums, named)
    found |= _origin(log, sums)
    found |= _links(log, day)
    found |= {f"attribute.{name}:value": values for name, values in log.attributes.items()}
    return Features(tuple(found), np.column_stack(list(found.values())))


def _different_days(sums: _Sums, rows: Mask) -> FloatArray:
    width = int(sums.age.max(initial=0)) + 1
    cells = np.unique(sums.person[rows] * width + sums.age[rows])
    found: FloatArray = np.bincount(cells // width, minlength=sums.log.people).astype(np.float64)
    return found


def _different(sums: _Sums, rows: Mask) -> FloatArray:
    width = int(sums.named.max(initial=0)) + 1
    cells = np.unique(sums.person[rows] * width + sums.named[rows])
    found: FloatArray = np.bincount(cells // width, minlength=sums.log.people).astype(np.float64)
    return found


def _origin(log: LeadLog, sums: _Sums) -> dict[str, FloatArray]:
    """Over which channel the first contact came; 0 for all of who has had none by the day."""
    first = np.full(log.people, -1, np.int64)
    order = np.arange(sums.person.size)[::-1]  # rows stand by day, so that the first is written last
    first[sums.person[order]] = sums.channel[order]
    return {f"origin.{name}:first": (first == place) * 1.0 for place, name in enumerate(log.channels)}


def _links(log: LeadLog, day: int) -> dict[str, FloatArray]:
    kept = log.link_day <= day
    buys = log.link_bought <= day
    found = {}
    for place, role in enumerate(log.roles):
        rows = kept & (log.link_role == place)
        found[f"link.{role}:all"] = np.bincount(log.link_person[rows], minlength=log.people).astype(np.float64)
        rows &= buys
        found[f"link.{role}:buyers"] = np.bincount(log.link_person[rows], minlength=log.people).astype(np.float64)
    return found


def evidence_of(log: LeadLog, day: int, names: tuple[str, ...]) -> Evidence:
    """What can be told of the themes ``names`` as of a day, in whole numbers."""
    sums = _Sums(log, day)
    shape = (log.people, len(names))
    recent, total, silent = (np.zeros(shape, np.int64) for _column in range(3))
    silent -= 1
    rows_of = {
        CONTACT: sums.inbound,
        SENT: ~sums.inbound,
        ANSWERS: sums.answers,
        WAITS: sums.open,
        INTEREST: sums.inbound & (sums.named >= 0),
    }
    rows_of |= {f"kind.{name}": sums.kind == place for place, name in enumerate(log.kinds)}
    rows_of |= {f"channel.{name}": sums.inbound & (sums.channel == place) for place, name in enumerate(log.channels)}
    rows_of |= {f"medium.{name}": sums.medium == place for place, name in enumerate(log.media)}
    links = _links(log, day)
    late = sums.age < RECENT_DAYS
    for place, name in enumerate(names):
        rows = rows_of.get(name)
        if rows is not None:
            recent[:, place] = sums.by_person(rows & late)
            total[:, place] = sums.by_person(rows)
            silent[:, place] = np.nan_to_num(sums.silent(rows), nan=-1)
        elif name == KNOWN:
            total[:, place] = np.clip(day - log.known, 0, NEVER)
        elif f"{name}:all" in links:
            total[:, place] = links[f"{name}:all"]
            recent[:, place] = links[f"{name}:buyers"]
        elif name.startswith("origin."):
            total[:, place] = _origin(log, sums)[f"{name}:first"]
        elif name.startswith("attribute."):
            values = log.attributes[name.removeprefix("attribute.")]
            total[:, place] = np.rint(np.nan_to_num(values, nan=-1))
    return Evidence(names, recent, total, silent)
