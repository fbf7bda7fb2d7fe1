"""Memberships of households that rows of a file end: a last day that stands beside the name of the household."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _

from rondo.customers.loading.keys import known_identifiers
from rondo.customers.loading.matching import roots
from rondo.customers.models import Link, Survivor
from rondo.errors import InputError
from rondo.foundation import audit
from rondo.foundation.installation import business_now
from rondo.foundation.loading import bulk
from rondo.foundation.loading.changes import Foreseen
from rondo.foundation.loading.job import LoadJob

UNTIL = "household_until"
_ROLE = str(Link.Role.MEMBER)


@dataclass(frozen=True)
class Ending:
    """A row that ends the membership of ``owner`` in ``household`` (the records that stand for them): the keys of the
    links that say it and stand, and the last day of those that ended already."""

    line: int
    owner: int
    household: int
    day: date
    links: tuple[int, ...]
    ended: tuple[date, ...]
    begun: date | None


class Endings:
    """Works on the tables ``staged``, ``matched`` and ``household_forms``; without the field it has nothing to do.
    ``household`` is the field that names the household."""

    def __init__(self, job: LoadJob, household: str) -> None:
        self.job = job
        self.household = household
        self.given = job.has(UNTIL)

    def check(self) -> None:
        """Before customers are matched: refuse days without a household, and days to come.

        Raises:
            InputError: no column names the household.
        """
        job = self.job
        if not self.given:
            return
        if not job.has(self.household):
            raise InputError(_("%(field)s ends a membership; map %(household)s, too.") % {
                "field": UNTIL, "household": self.household
            })  # fmt: skip
        today = business_now().date()
        told = job.query(f'SELECT line, "{UNTIL}" AS day, "{self.household}" AS name FROM staged').to_pylist()
        given = [row for row in told if row["day"] is not None]
        self._refuse([(row["line"], row["day"], _("ends a membership, and the row names no household")) for row in given
                      if row["name"] is None])  # fmt: skip
        self._refuse(
            [
                (row["line"], row["day"], _("lies in the future; a membership ends on a day that was"))
                for row in given
                if row["name"] is not None and row["day"] > today
            ]
        )

    def check_matched(self) -> None:
        """Once customers are matched: refuse the end of what is no membership, or of one that began later."""
        if not self.given:
            return
        job = self.job
        flaws = []
        for one in self._rows(new=True):
            if one.day in one.ended and not one.links:
                continue
            if not one.links:
                flaws.append((one.line, one.day, self._why_none(one)))
            elif one.begun is not None and one.begun > one.day:
                reason = _("lies before the first day of the membership, %(since)s") % {"since": one.begun.isoformat()}
                flaws.append((one.line, one.day, reason))
        self._refuse(flaws)
        job.run("DELETE FROM matched WHERE line NOT IN (SELECT line FROM staged)")
        job.run("DELETE FROM row_identifiers WHERE line NOT IN (SELECT line FROM staged)")

    def plan(self) -> None:
        """When it is settled which rows go in: how many memberships end."""
        if self.given and self.job.options.on_match == "update":
            self.job.count("memberships_ended", sum(bool(one.links) for one in self._rows()))

    def foresee(self) -> list[Foreseen]:
        """The last days that memberships would get."""
        if not self.given:
            return []
        return [(one.line, UNTIL, None, one.day.isoformat()) for one in self._rows() if one.links]

    def held(self) -> list[int]:
        """The households whose members leave, to be locked with the customers of the file."""
        return [one.household for one in self._rows()] if self.given else []

    def publish(self) -> None:
        """In the publishing transaction: end what stands still; what ended meanwhile is left as it is."""
        job = self.job
        if not self.given or job.options.on_match != "update":
            return
        entries = []
        for one in self._rows():
            if not one.links or (one.begun is not None and one.begun > one.day):
                continue
            Link.objects.filter(pk__in=one.links, until=None).update(until=one.day)
            told = {"until": [None, one.day.isoformat()]}
            entries += [audit.entry(job.actor, "link.imported", "link", key, told) for key in one.links]
            ends = ((one.owner, one.household, _ROLE), (one.household, one.owner, f"{_ROLE} of"))
            for customer, other, role in ends:
                entries.append(
                    audit.entry(job.actor, "link.changed", "customer", customer, {role: [other, other], **told})
                )
            job.touched.update((one.owner, one.household))
        audit.record_many(entries)

    def _refuse(self, flaws: list[tuple[int, date, str]]) -> None:
        if not flaws:
            return
        lines, days, reasons = zip(*flaws, strict=True)
        table = {
            "line": pa.array(lines, pa.int64()),
            "value": pa.array([day.isoformat() for day in days], pa.string()),
            "reason": pa.array(reasons, pa.string()),
        }
        self.job.put("endings_refused", pa.table(table))
        self.job.refuse(f"SELECT line, '{UNTIL}' AS field, value, reason FROM endings_refused")

    def _why_none(self, one: Ending) -> str:
        if one.ended:
            return _("ends a membership that ended on %(day)s; correct that by hand") % {
                "day": max(one.ended).isoformat()
            }
        return _("ends a membership that there is not: the customer does not live in this household")

    def _rows(self, *, new: bool = False) -> list[Ending]:
        """The rows that end a membership, with what is said of it now; ``new``: those of new customers, too, who have
        none."""
        job = self.job
        known_identifiers(job, "external", "SELECT DISTINCT value FROM household_forms", "endings_known")
        wanted = "" if new else " AND m.state = 'known'"
        rows = job.query(
            f'SELECT s.line, s."{UNTIL}" AS day, coalesce(m.customer_id, 0) AS owner, m.state AS state, '
            "coalesce(k.customer_id, 0) AS household FROM staged AS s JOIN matched AS m ON m.line = s.line "
            f'JOIN household_forms AS f ON f.raw = s."{self.household}" '
            "LEFT JOIN endings_known AS k ON k.value = f.value AND k.state = 'known' "
            f'WHERE s."{UNTIL}" IS NOT NULL{wanted} ORDER BY s.line'
        ).to_pylist()
        stands = roots(sorted({key for row in rows for key in (row["owner"], row["household"]) if key}))
        merged = bulk.lookup(Survivor, "survivor_id", sorted(set(stands.values())), ["customer_id", "survivor_id"])
        records: dict[int, int] = stands | dict(merged) | {root: root for root in stands.values()}
        owners = {stands[row["owner"]] for row in rows if row["owner"] and row["state"] == "known"}
        subjects = sorted(record for record, root in records.items() if root in owners)
        wanted_columns = ["id", "subject_id", "object_id", "load_id", "since", "until"]
        there: dict[tuple[int, int], list[tuple[int, Any, Any]]] = {}
        hidden = set(job.hidden)
        for key, subject, target, load, since, until in bulk.lookup(
            Link, "subject_id", subjects, wanted_columns, role=_ROLE
        ):
            if load not in hidden:
                ends = (records[subject], records.get(target, target))
                there.setdefault(ends, []).append((key, _day(since), _day(until)))
        found = []
        for row in rows:
            owner, household = stands.get(row["owner"], 0), stands.get(row["household"], 0)
            links = there.get((owner, household), ()) if row["state"] == "known" else ()
            # what has ended on that day already is told once more; who lives there again came later
            told = any(one[2] == row["day"] for one in links)
            standing = [] if told else [one for one in links if one[2] is None]
            begun = max((one[1] for one in standing if one[1] is not None), default=None)
            ended = tuple(one[2] for one in links if one[2] is not None)
            found.append(
                Ending(row["line"], owner, household, row["day"], tuple(one[0] for one in standing), ended, begun)
            )
        return found


def _day(value: Any) -> date | None:
    """A day as the database gives it raw: SQLite as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value
