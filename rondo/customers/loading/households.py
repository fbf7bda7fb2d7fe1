"""The households that rows of a file name: rows that name the same one, of the same source, live together.

A household is known again by the folded form of its name, kept as an identifier of the source; so it may be renamed.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.utils import timezone
from django.utils.translation import gettext as _

from rondo.customers import names
from rondo.customers.loading.endings import UNTIL, Endings
from rondo.customers.loading.keys import known_identifiers, revive
from rondo.customers.loading.matching import owned_by, refuse_unseen, roots
from rondo.customers.models import Customer, Identifier, Link, NameWord, Survivor
from rondo.errors import Overtaken
from rondo.foundation.loading import bulk
from rondo.foundation.loading.changes import Foreseen, quoted
from rondo.foundation.loading.job import LoadJob, chunks
from rondo.foundation.search import fold

FIELD, POSITION = "household", "household_position"
_BEFORE = "household:"
"""Begins the identifier of a household, so that it is no customer's number."""
_ROLE = str(Link.Role.MEMBER)


class Households:
    """Works on the tables ``staged`` and ``matched``; makes ``household_keys`` (value, name, id, identifier_id, state
    new/hidden/known) and ``living`` (line, value, position). Without the field it has nothing to do."""

    def __init__(self, job: LoadJob) -> None:
        self.job = job
        self.given = job.has(FIELD)
        self.endings = Endings(job, FIELD)

    def check(self) -> None:
        """Before customers are matched: which households the rows name. Refuses rows that the actor may not add to the
        household of, and households that name one."""
        job = self.job
        self.endings.check()
        if not self.given:
            return
        said = job.query(f'SELECT DISTINCT "{FIELD}" AS name FROM staged WHERE "{FIELD}" IS NOT NULL')["name"]
        values = [_BEFORE + (fold(name) or name.strip())[:200] for name in said.to_pylist()]
        job.put("household_forms", pa.table({"raw": said.cast(pa.string()), "value": pa.array(values, pa.string())}))
        if job.has("kind"):
            reason = quoted(_("is said of a household; name it in the rows of who lives there"))
            job.refuse(
                f"SELECT line, '{FIELD}' AS field, \"{FIELD}\" AS value, {reason} AS reason FROM staged "
                f"WHERE \"{FIELD}\" IS NOT NULL AND kind = 'household'"
            )
        if job.has("external_id"):
            reason = quoted(_("is how the household of other rows is known; give the customer another number"))
            job.refuse(
                f"SELECT line, 'external_id' AS field, external_id AS value, {reason} AS reason FROM staged "
                "WHERE external_id IN (SELECT value FROM household_forms)"
            )
        known_identifiers(job, "external", "SELECT DISTINCT value FROM household_forms", "household_known")
        refuse_unseen(
            job,
            f"SELECT s.line, '{FIELD}' AS field, s.\"{FIELD}\" AS value, k.customer_id FROM staged AS s "
            f'JOIN household_forms AS f ON f.raw = s."{FIELD}" JOIN household_known AS k ON k.value = f.value '
            "WHERE k.state = 'known'",
        )
        known = job.query("SELECT customer_id FROM household_known WHERE state = 'known'")
        stands = roots(known["customer_id"].to_pylist())
        kinds = dict(bulk.lookup(Customer, "id", sorted(set(stands.values())), ["id", "kind"]))
        others = [key for key, root in stands.items() if kinds.get(root) != Customer.Kind.HOUSEHOLD]
        job.put("no_households", pa.table({"id": pa.array(others, pa.int64())}))
        reason = quoted(_("is no household any more; take its number off that customer, or make it one again"))
        job.refuse(
            f"SELECT s.line, '{FIELD}' AS field, s.\"{FIELD}\" AS value, {reason} AS reason FROM staged AS s "
            f'JOIN household_forms AS f ON f.raw = s."{FIELD}" JOIN household_known AS k ON k.value = f.value '
            "WHERE k.state = 'known' AND k.customer_id IN (SELECT id FROM no_households)"
        )

    def plan(self) -> None:
        """When it is settled which rows go in as whom: who is to be linked to what; counts."""
        job = self.job
        if not self.given:
            return
        self.endings.plan()
        keep = "" if job.options.on_match == "update" else " AND m.state <> 'known'"
        if self.endings.given:
            keep += f' AND s."{UNTIL}" IS NULL'
        position = f's."{POSITION}"' if job.has(POSITION) else "NULL"
        job.run(
            f"CREATE OR REPLACE TABLE living AS SELECT s.line, f.value, coalesce({position}, '') AS position, "
            f's."{FIELD}" AS name FROM staged AS s JOIN matched AS m ON m.line = s.line '
            f'JOIN household_forms AS f ON f.raw = s."{FIELD}" WHERE true{keep}'
        )
        self._leave_out_households()
        job.run(
            "CREATE OR REPLACE TABLE household_keys AS SELECT l.value, arg_min(l.name, l.line) AS name, "
            "any_value(k.customer_id) AS id, any_value(k.id) AS identifier_id, "
            "coalesce(any_value(k.state), 'new') AS state FROM living AS l "
            "LEFT JOIN household_known AS k ON k.value = l.value GROUP BY l.value"
        )
        job.count("households_created", job.number("SELECT count(*) FROM household_keys WHERE state <> 'known'"))
        there = job.query("SELECT line FROM living JOIN matched USING (line) WHERE state = 'known'").num_rows
        everybody = job.number("SELECT count(*) FROM living")
        job.count("members_linked", everybody - there + len(self._lacking("known")))

    def _leave_out_households(self) -> None:
        """Customers who are households themselves by now stay as they are: none comes to lie within another."""
        job = self.job
        rows = job.query(
            "SELECT m.line, m.customer_id FROM living JOIN matched AS m USING (line) WHERE state = 'known'"
        )
        stands = roots(rows["customer_id"].to_pylist())
        kinds = dict(bulk.lookup(Customer, "id", sorted(set(stands.values())), ["id", "kind"]))
        lines = [
            line
            for line, key in zip(rows["line"].to_pylist(), rows["customer_id"].to_pylist(), strict=True)
            if kinds.get(stands[key]) == Customer.Kind.HOUSEHOLD
        ]
        job.put("households_themselves", pa.table({"line": pa.array(lines, pa.int64())}))
        job.run("DELETE FROM living WHERE line IN (SELECT line FROM households_themselves)")

    def foresee(self) -> list[Foreseen]:
        """What known customers would be linked to."""
        if not self.given:
            return []
        linked: list[Foreseen] = [(row["line"], FIELD, None, row["name"]) for row in self._lacking("known")]
        return linked + self.endings.foresee()

    def write(self) -> None:
        """Make the households that nobody knows; they are not visible yet."""
        job = self.job
        if not self.given:
            return
        job.run(
            "CREATE OR REPLACE TABLE household_new AS SELECT value, name, row_number() OVER (ORDER BY value) AS n "
            "FROM household_keys WHERE state = 'new'"
        )
        for first, last in chunks(job.number("SELECT count(*) FROM household_new"), job.options.chunk_rows):
            rows = job.query(f"SELECT value, name FROM household_new WHERE n BETWEEN {first} AND {last} ORDER BY n")
            with job.chunk():
                described = _described(rows["name"])
                ids = job.insert(Customer, {**described, **owned_by(job), "is_demo": job.options.is_demo}, len(rows))
                job.insert(NameWord, *names.columns_of_new(ids.to_pylist(), described["folded_name"].to_pylist()))
                columns = {
                    "customer_id": ids,
                    "kind": "external",
                    "source_id": job.source_id,
                    "value": rows["value"],
                    "shown": pc.utf8_slice_codeunits(rows["name"], 0, 200),
                    "is_demo": job.options.is_demo,
                }
                job.insert(Identifier, columns, len(rows))
            job.put("households_made", pa.table({"value": rows["value"], "id": ids}))
            job.run("UPDATE household_keys AS k SET id = m.id FROM households_made AS m WHERE m.value = k.value")

    def link_new(self, lines: Any, ids: Any) -> None:
        """Link customers who were made by this run."""
        if not self.given:
            return
        self.job.put("owners", pa.table({"line": lines, "owner": ids}))
        rows = self.job.query(
            "SELECT o.owner, k.id AS household, l.position FROM owners AS o JOIN living AS l ON l.line = o.line "
            "JOIN household_keys AS k ON k.value = l.value ORDER BY l.line"
        )
        self._insert(rows)

    def held(self) -> list[int]:
        """The households that were there before, to be locked with the customers of the file."""
        if not self.given:
            return []
        there = self.job.query("SELECT id FROM household_keys WHERE state <> 'new'")["id"].to_pylist()
        return [*map(int, there), *self.endings.held()]

    def publish(self) -> None:
        """In the publishing transaction: households of runs taken back come back, and customers who were there before
        are linked.

        Raises:
            Overtaken: a household went meanwhile, or is another customer's now.
        """
        job = self.job
        if not self.given:
            return
        rows = job.query("SELECT * FROM household_keys WHERE state <> 'new' ORDER BY value")
        now = dict(bulk.lookup(Identifier, "id", rows["identifier_id"].to_pylist(), ["id", "customer_id"]))
        if any(now.get(row["identifier_id"]) != row["id"] for row in rows.to_pylist()):
            raise Overtaken
        back = rows.filter(pc.equal(rows["state"], "hidden"))
        if len(back):
            revive(job, back["id"], _described(back["name"]))
            bulk.update(Identifier, back["identifier_id"], {"load_id": job.load.pk})
        for state in ("hidden", "known"):
            lacking = self._lacking(state, write=True)
            columns = ("owner", "household", "position")
            kinds = (pa.int64(), pa.int64(), pa.string())
            table = {
                name: pa.array([row[name] for row in lacking], kind) for name, kind in zip(columns, kinds, strict=True)
            }
            self._insert(pa.table(table))
            job.touched.update(row["owner"] for row in lacking)
        self.endings.publish()
        joined = job.query("SELECT DISTINCT id FROM living JOIN household_keys USING (value) WHERE state = 'known'")
        job.touched.update(joined["id"].to_pylist())

    def _insert(self, rows: pa.Table) -> None:
        columns = {
            "subject_id": rows["owner"],
            "object_id": rows["household"],
            "role": _ROLE,
            "position": rows["position"],
            "created_at": timezone.now(),
        }
        self.job.insert(Link, columns, rows.num_rows)

    def _lacking(self, state: str, *, write: bool = False) -> Sequence[dict[str, Any]]:
        """Rows of customers in ``state`` whose link is not there yet: who lives there, or has left, is left as they
        are. ``write``: what runs that were taken back said of them goes."""
        job = self.job
        rows = job.query(
            "SELECT l.line, m.customer_id AS owner, k.id AS household, l.position, l.name FROM living AS l "
            "JOIN matched AS m ON m.line = l.line JOIN household_keys AS k ON k.value = l.value "
            f"WHERE m.state = '{state}' ORDER BY l.line"
        ).to_pylist()
        ends = [key for row in rows for key in (row["owner"], row["household"]) if key is not None]
        stands = roots(ends)
        merged = bulk.lookup(Survivor, "survivor_id", sorted(set(stands.values())), ["customer_id", "survivor_id"])
        records: dict[int, int] = stands | dict(merged) | {root: root for root in stands.values()}
        owners = {stands[row["owner"]] for row in rows}
        subjects = sorted(record for record, root in records.items() if root in owners)
        links = bulk.lookup(Link, "subject_id", subjects, ["id", "subject_id", "object_id", "load_id"], role=_ROLE)
        hidden = set(job.hidden)
        gone = [key for key, _subject, _object, load in links if load in hidden]
        if write:
            for start in range(0, len(gone), 500):
                Link.objects.filter(pk__in=gone[start : start + 500]).delete()
        there = {
            (records[subject], records.get(target, target))
            for _key, subject, target, load in links
            if load not in hidden
        }
        found = []
        for row in rows:
            owner, household = stands[row["owner"]], stands.get(row["household"])
            if owner != household and (owner, household) not in there:
                there.add((owner, household))
                found.append(row)
        return found


def _described(said: Any) -> dict[str, Any]:
    """Columns of households of these names."""
    shown = [" ".join(name.split())[:200] for name in said.to_pylist()]
    return {
        "kind": str(Customer.Kind.HOUSEHOLD),
        "name": pa.array(shown, pa.string()),
        "folded_name": pa.array([fold(name)[:200] for name in shown], pa.string()),
    }
