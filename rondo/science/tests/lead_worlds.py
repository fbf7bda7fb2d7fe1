"""A base of people with planted effects on their first purchase, for tests of lead scoring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rondo.science.leads import NEVER, LeadLog

KINDS = ("campaign_mail", "content_read", "enquiry", "web_visit")
CHANNELS = ("email", "mail", "web")


@dataclass(frozen=True)
class LeadWorld:
    """``log``, and per day and person the true daily log odds to buy: (day, person)."""

    log: LeadLog
    truth: npt.NDArray[np.float64]


def lead_world(
    people: int = 3000, days: int = 420, seed: int = 1, effect: float = 1.0, base: float = -7.6
) -> LeadWorld:
    """Visits and enquiries raise the daily chance while they fade, an introduction does for good, reading does not."""
    rng = np.random.default_rng(seed)
    known = rng.integers(0, days - 60, people)
    visits = rng.gamma(0.5, 0.04, people)  # personal rates: some look often, most hardly ever
    reads, asks = rng.gamma(0.5, 0.04, people), rng.gamma(0.5, 0.01, people)
    introduced = rng.random(people) < 0.15
    bought = np.full(people, NEVER, np.int64)
    truth = np.full((days, people), np.nan)
    warm, asked = np.zeros(people), np.zeros(people)
    rows: list[tuple[npt.NDArray[np.int64], int, int]] = []
    for day in range(days):
        open_ = (known <= day) & (bought == NEVER)
        warm, asked = warm * 0.5 ** (1 / 28), asked * 0.5 ** (1 / 28)
        for kind, rate in ((1, reads), (2, asks), (3, visits), (0, np.full(people, 0.02))):
            who = np.flatnonzero(open_ & (rng.random(people) < rate))
            rows.append((who, day, kind))
            warm[who] += kind == 3
            asked[who] += kind == 2
        truth[day] = base + effect * (1.1 * np.log1p(2 * warm) + 1.5 * np.minimum(asked, 2) + 1.0 * introduced)
        buys = open_ & (known < day) & (rng.random(people) < 1 / (1 + np.exp(-truth[day])))
        bought[buys] = day
    person = np.concatenate([who for who, _day, _kind in rows])
    day_of = np.concatenate([np.full(who.size, day) for who, day, _kind in rows])
    kind_of = np.concatenate([np.full(who.size, kind) for who, _day, kind in rows])
    order = np.lexsort((kind_of, day_of, person))
    person, day_of, kind_of = person[order], day_of[order], kind_of[order]
    some = np.flatnonzero(introduced)
    return LeadWorld(
        LeadLog(
            known=known,
            bought=bought,
            person=person,
            day=day_of,
            kind=kind_of,
            channel=np.array([1, 2, 0, 2])[kind_of],
            medium=np.zeros(person.size, np.int64),
            inbound=kind_of > 0,
            pull=kind_of > 0,
            answers=np.zeros(person.size, bool),
            named=np.full(person.size, -1),
            waits=kind_of == 2,
            answered=np.full(person.size, NEVER),
            kinds=KINDS,
            channels=CHANNELS,
            media=("owned",),
            link_person=some,
            link_day=known[some],
            link_bought=np.full(some.size, -1),
            link_role=np.zeros(some.size, np.int64),
            roles=("referred",),
        ),
        truth,
    )
