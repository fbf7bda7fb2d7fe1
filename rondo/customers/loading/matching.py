"""Which customer a row of a file means, by what stands in the database, and whether whoever imports may touch them."""

from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _

from rondo.customers.models import Customer, Identifier, Survivor
from rondo.customers.queries import sees_all, visible
from rondo.errors import InputError
from rondo.foundation import audit, ids
from rondo.foundation.loading import bulk
from rondo.foundation.loading.changes import quoted
from rondo.foundation.loading.job import LoadJob
from rondo.foundation.models import User


def owned_by(job: LoadJob) -> dict[str, Any]:
    """Columns of the customers that a run makes: the owner chosen for it; else whoever does not see all owns them, as
    when they are made by hand.

    Raises:
        InputError: the owner chosen is no active user, or somebody else where the actor does not see all customers.
    """
    actor = job.actor
    limited = actor.user is not None and not sees_all(actor.user)
    chosen = actor.user.pk if limited and actor.user is not None else None
    if job.options.owner is not None:
        if limited and job.options.owner != chosen:
            raise InputError(
                _("Who does not see all customers imports for themselves alone; choose yourself as owner.")
            )
        chosen = job.options.owner
    if chosen is None:
        return {}
    person = User.objects.filter(pk=chosen, is_active=True).first()
    if person is None:
        raise InputError(_("owner=%(owner)d: no active user; choose another.") % {"owner": chosen})
    return {"owner_id": person.pk, "team_id": person.team_id}


def roots(customers: "list[int]") -> dict[int, int]:
    """The record that stands for each customer: the survivor of a merged one, else itself."""
    merged = dict(bulk.lookup(Survivor, "customer_id", customers, ["customer_id", "survivor_id"]))
    return {key: merged.get(key, key) for key in customers}


def refuse_unseen(job: LoadJob, rows: str) -> None:
    """Refuse the rows whose customer the actor may not see, or who is in the bin: what cannot be read cannot be changed
    or added to.

    ``rows`` is a query that yields (line, field, value, customer_id) for identifiers of customers that stand. The
    reason says no more than an action by hand does: that the identifier is taken.
    """
    everybody = job.actor.user is None or sees_all(job.actor.user)
    if everybody and not Customer.objects.filter(bin__isnull=False).exists():
        return
    keys = roots(job.query(f"SELECT DISTINCT customer_id FROM ({rows})").column(0).to_pylist())
    wanted = sorted(set(keys.values()))
    seen: set[int] = set()
    for start in range(0, len(wanted), 500):
        some = visible(job.actor.user).filter(pk__in=wanted[start : start + 500])
        seen.update(some.values_list("pk", flat=True))
    unseen = [key for key, root in keys.items() if root not in seen]
    job.put("customers_unseen", pa.table({"id": pa.array(unseen, pa.int64())}))
    reason = quoted(
        _("belongs to a customer in the bin; put that one back first")
        if job.actor.user is None or everybody
        else _("belongs to a customer that is not %(user)s's to see; ask an administrator")
        % {"user": job.actor.user.email}
    )
    job.refuse(
        f"SELECT line, field, value, {reason} AS reason FROM ({rows}) "
        "WHERE customer_id IN (SELECT id FROM customers_unseen)"
    )


def match(job: LoadJob) -> None:
    """``matched``(line, customer_id, state new/hidden/known): which customer each row of ``row_identifiers`` is.

    One identifier of a customer that stands is enough; a row whose identifiers belong to two of them is refused, with
    both named (merged records are one). Identifiers of runs that were taken back decide only where none stands; those
    of other customers than the row's get the state ``freed``, see :func:`free`.

    Where the options name the identifiers that may match, the others decide nothing: a row that has one of somebody
    else's is refused, since an identifier belongs to one customer; one that only a run taken back had said is freed.
    """
    telling, told = f"(state = 'known' AND {deciding(job)})", f"(state = 'hidden' AND {deciding(job)})"
    known = "SELECT line, kind AS field, shown AS value, customer_id FROM row_identifiers WHERE state = 'known'"
    refuse_unseen(job, known)
    _forget(job, "row_identifiers")
    keys = roots(job.query(f"SELECT DISTINCT customer_id FROM ({known})").column(0).to_pylist())
    columns = {"id": pa.array(list(keys), pa.int64()), "root": pa.array(list(keys.values()), pa.int64())}
    job.put("customer_roots", pa.table(columns))
    job.run(
        "CREATE OR REPLACE TABLE row_owners AS SELECT line, "
        f"coalesce(arg_min(customer_id, rank) FILTER ({telling}), "
        f"arg_min(customer_id, rank) FILTER ({told})) AS customer_id, "
        f"CASE WHEN bool_or({telling}) THEN 'known' WHEN bool_or({told}) THEN 'hidden' ELSE 'new' END "
        "AS state FROM row_identifiers GROUP BY line"
    )
    job.run(
        "CREATE OR REPLACE TABLE torn AS SELECT i.line, i.kind, i.shown, i.rank, r.root AS other, q.root AS owner "
        "FROM row_identifiers AS i JOIN row_owners AS o ON o.line = i.line JOIN customer_roots AS r "
        "ON r.id = i.customer_id JOIN customer_roots AS q ON q.id = o.customer_id "
        "WHERE i.state = 'known' AND r.root <> q.root"
    )
    if job.options.match_by:
        reason = quoted(_("belongs to a customer already, and may not tell who a row is"))
        job.refuse(
            f"SELECT i.line, arg_min(i.kind, i.rank) AS field, arg_min(i.shown, i.rank) AS value, {reason} AS reason "
            "FROM row_identifiers AS i JOIN row_owners AS o ON o.line = i.line "
            "WHERE i.state = 'known' AND o.state <> 'known' GROUP BY i.line"
        )
    named = job.query("SELECT other AS id FROM torn UNION SELECT owner FROM torn").column(0).to_pylist()
    public = [ids.encode(Customer.PREFIX, key) for key in named]
    job.put("public_ids", pa.table({"id": pa.array(named, pa.int64()), "public": pa.array(public, pa.string())}))
    first, middle = quoted(_("belongs to customer")), quoted(_(", but what stands before it in the row to customer"))
    job.refuse(
        f"SELECT t.line, arg_min(t.kind, t.rank) AS field, arg_min(t.shown, t.rank) AS value, {first} || ' ' || "
        f"arg_min(p.public, t.rank) || {middle} || ' ' || arg_min(q.public, t.rank) AS reason FROM torn AS t "
        "JOIN public_ids AS p ON p.id = t.other JOIN public_ids AS q ON q.id = t.owner GROUP BY t.line"
    )
    job.run(
        "UPDATE row_identifiers AS i SET state = 'freed' FROM row_owners AS o "
        "WHERE o.line = i.line AND i.state = 'hidden' AND i.customer_id IS DISTINCT FROM o.customer_id"
    )
    job.run("CREATE OR REPLACE TABLE matched AS SELECT o.* FROM row_owners AS o JOIN staged AS s ON s.line = o.line")
    reason = quoted(_("is the same customer as in line"))
    job.refuse(
        f"SELECT line, 'customer' AS field, NULL AS value, {reason} || ' ' || first AS reason FROM ("
        "SELECT line, customer_id, min(line) OVER (PARTITION BY customer_id) AS first FROM matched "
        "WHERE customer_id IS NOT NULL) WHERE line > first"
    )
    _forget(job, "matched")
    _forget(job, "row_identifiers")


def deciding(job: LoadJob) -> str:
    """Whether an identifier may tell who its row is, as a condition on its ``kind``."""
    kinds = ", ".join(map(quoted, job.options.match_by))
    return f"kind IN ({kinds})" if kinds else "true"


def _forget(job: LoadJob, table: str) -> None:
    """Take the rows out of a table that were refused meanwhile."""
    job.run(f"DELETE FROM {table} WHERE line NOT IN (SELECT line FROM staged)")


def free(job: LoadJob, state: str) -> None:
    """Take identifiers off customers that only a run taken back knows, for the rows of ``state`` that bring them again.

    They count as new afterwards. Must run in the publishing transaction.
    """
    job.run(
        "CREATE OR REPLACE TABLE freed AS SELECT i.* FROM row_identifiers AS i JOIN matched AS m ON m.line = i.line "
        f"WHERE i.state = 'freed' AND m.state = '{state}'"
    )
    rows = job.query("SELECT identifier_id, customer_id, kind, shown FROM freed").to_pylist()
    for start in range(0, len(rows), 500):
        some = [row["identifier_id"] for row in rows[start : start + 500]]
        Identifier.objects.filter(pk__in=some, load_id__in=job.hidden).delete()
    audit.record_many(
        audit.entry(
            job.actor, "identifier.removed", "customer", row["customer_id"], {row["kind"]: [row["shown"], None]}
        )
        for row in rows
    )
    job.run("UPDATE row_identifiers SET state = 'new' WHERE identifier_id IN (SELECT identifier_id FROM freed)")
