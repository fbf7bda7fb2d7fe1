"""Carrying an erasure out: in steps that are each safe to do twice, so that one that was stopped goes on.

What names the person is looked for while the person's own rows still say it: first the ledger outside of the database,
then files, then texts about others; then the rows themselves, with the values in the audit log, in one transaction
for some persons at a time. After that only keys are needed: the columnar copy, and the pages of the database file.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from rondo.customers.actions.merging import unmerge
from rondo.customers.changed import noted
from rondo.customers.models import Customer, Merge
from rondo.customers.queries import record_ids, survivor_id
from rondo.erasure.actions import ledger
from rondo.erasure.actions.files import clear_files
from rondo.erasure.actions.finding import say_whose
from rondo.erasure.actions.keeping import keep_figures
from rondo.erasure.actions.overwriting import may_overwrite, overwrite, zero_freed
from rondo.erasure.actions.sweeping import sweep
from rondo.erasure.marks import mark_of
from rondo.erasure.models import Erased, Erasure
from rondo.erasure.needles import needles_of
from rondo.erasure.queries import entries_of, in_order
from rondo.foundation import audit
from rondo.foundation.actors import Actor, system
from rondo.foundation.holdings import without_values
from rondo.foundation.long_work import Progress, worked_on
from rondo.foundation.models import AuditEntry
from rondo.interactions.splitting.twins import left_with_others

_TOGETHER = 200
"""Records that lose their rows in one transaction."""
_ENTRIES = 500


def carry_out(key: int, *, at_night: bool = False) -> Erasure:
    """Do what is left of an erasure, and return its row. Safe to run twice, and after it was killed anywhere.

    An error of Rondo's own ends it for now and is written into the row; any other is raised as well.
    """
    row = Erasure.objects.select_related("actor").get(pk=key)
    if row.status == Erasure.Status.DONE:
        return row
    with worked_on(row) as report:
        actor = Actor(row.actor, "job")
        zero_freed()
        if row.rows_at is None:
            _rows(row, actor, report)
        if row.copied_at is None:
            from rondo.erasure.actions.copying import take_out  # Delta tables take their time to import

            report("copy", 0, 1)
            take_out(row.records, row.contacts)
            _note(row, copied_at=timezone.now())
        if row.overwritten_at is None and may_overwrite(at_night=at_night):
            report("pages", 0, 1)
            if overwrite():
                _note(row, overwritten_at=timezone.now())
        _note(row, status=Erasure.Status.DONE, finished_at=timezone.now(), error="", step="", done=0, total=0)
    row.refresh_from_db()
    return row


def _note(row: Erasure, **fields: Any) -> None:
    Erasure.objects.filter(pk=row.pk).update(**fields)
    for name, value in fields.items():
        setattr(row, name, value)


def _rows(row: Erasure, actor: Actor, report: Progress) -> None:
    """Everything that needs the person's own rows to find."""
    results = row.results or {}
    gone = set(Erased.objects.filter(record__in=row.records).values_list("record", flat=True))
    pending = [record for record in row.records if record not in gone]
    marks = dict(Customer.objects.filter(pk__in=pending).values_list("pk", "created_at"))
    now = timezone.now().isoformat(timespec="seconds")
    ledger.add({mark_of(pk, made_at): now for pk, made_at in sorted(marks.items())})
    contacts = {key for keys in left_with_others(pending) for key in keys}
    _note(row, contacts=sorted(contacts.union(row.contacts)))  # the columnar copy asks for them when the rows are gone
    with transaction.atomic():
        say_whose(pending)
    needles = needles_of(pending)
    if needles is not None:
        report("files", 0, 1)
        _more(results, "files", clear_files(system("job"), needles))
        _more(results, "texts", sweep(needles, report))
        _note(row, results=results)
    stand_alone(pending)
    for start in range(0, len(pending), _TOGETHER):
        report("rows", start, len(pending))
        some = [record for record in pending[start : start + _TOGETHER] if record in marks]
        with transaction.atomic():
            list(Customer.objects.select_for_update(no_key=True).filter(pk__in=some).order_by("pk"))
            for part, counts in erase_rows(some).items():
                _more(results, part, counts)
            for record in some:
                noted(actor, "customer.erased", record, {"erasure": [None, row.pk]})
            Erased.objects.bulk_create(
                [Erased(record=pk, mark=mark_of(pk, marks[pk]), erasure=row) for pk in some],
                batch_size=_TOGETHER,
                ignore_conflicts=True,
            )
            _note(row, results=results)
    cache.clear()
    _note(row, rows_at=timezone.now())


def _more(results: dict[str, Any], part: str, counts: dict[str, int]) -> None:
    before = Counter(results.get(part, {}))
    before.update(counts)
    results[part] = dict(before)


def stand_alone(records: Sequence[int]) -> None:
    """Undo merges that stand between these records and others, which only a restored backup has: those others were
    found to be somebody else since."""
    own = set(records)
    for some in _parts(records):
        for column in ("loser_id", "winner_id"):
            edges = Merge.objects.filter(**{f"{column}__in": some}, undone_at__isnull=True)
            for pk, loser, winner in edges.values_list("pk", "loser_id", "winner_id"):
                if not {loser, winner} <= own:
                    _part(pk, loser)


def _part(merge: int, loser: int) -> None:
    """Undo one merge, also of a group in the bin, where no action finds them: all of them stay in it."""
    with transaction.atomic():
        binned = Customer.objects.filter(pk__in=record_ids(survivor_id(loser)), bin__isnull=False)
        bins = dict(binned.values_list("pk", "bin_id"))
        Customer.objects.filter(pk__in=bins).update(bin=None)
        unmerge(system("job"), merge)
        for one in set(bins.values()):
            Customer.objects.filter(pk__in=[pk for pk, held in bins.items() if held == one]).update(bin=one)


def erase_rows(records: Sequence[int]) -> dict[str, dict[str, int]]:
    """Take all rows of customer records out of the operational store, or the persons out of the rows; how many of which
    kind went, stayed, are kept as figures. Within the caller's transaction."""
    kept = keep_figures(records)
    holdings = in_order()
    for holding in holdings:
        if holding.first is not None:
            holding.first(records)
    entries = _forget_values(records)
    deleted: dict[str, int] = {}
    blanked: dict[str, int] = {}
    for holding in holdings:
        rows = holding.model._base_manager.filter(holding.of(records))
        if holding.fate == "delete":
            if count := rows.count():
                rows.delete()
                deleted[holding.key] = count
        elif count := rows.update(**holding.blank):
            blanked[holding.key] = count
    Customer.objects.filter(pk__in=records).update(version=F("version") + 1)
    return {"deleted": deleted, "blanked": blanked, "kept": kept, "entries": {"audit": entries}}


def _forget_values(records: Sequence[int]) -> int:
    """Put :data:`MARK` in place of the values in all entries of the audit log about these records; how many entries."""
    count = 0
    with audit.door_opened("erasure"):
        for rows in list(entries_of(records)):
            for entry in list(rows):
                after = without_values(entry.changes)
                if after != entry.changes:
                    AuditEntry.objects.filter(pk=entry.pk).update(changes=after)
                count += 1
    return count


def _parts(records: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(records), _ENTRIES):
        yield records[start : start + _ENTRIES]
