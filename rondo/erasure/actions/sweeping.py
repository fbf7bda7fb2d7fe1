"""Texts about others, saved views, the audit log, what else may name an erased person: the name goes, the text stays.

A first pass of the database chooses rows that hold one of the hints; what really names somebody is found in Python,
where letters are folded the same on both databases.
"""

import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from functools import reduce
from operator import or_
from typing import Any

from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from rondo.erasure.needles import MOST_HINTS, SAME_DIGITS, Needles
from rondo.foundation import audit
from rondo.foundation.holdings import Swept
from rondo.foundation.registry import registries

_PAGE = 2_000
_OTHER_SIGNS = sorted("".join(SAME_DIGITS.values()).translate(dict.fromkeys(map(ord, "0123456789"))))
_OTHERS = f"[{''.join(_OTHER_SIGNS)}]"
_ESCAPED = "|".join(re.escape(tens) + "[0-9a-f]" for tens in sorted({json.dumps(sign)[1:-2] for sign in _OTHER_SIGNS}))
"""Digits other than 0 to 9, as a text holds them, and as JSON writes them."""


@TextField.register_lookup
class Digits(models.Lookup[bool]):
    """Texts that hold these digits in their order, whatever stands between them."""

    lookup_name = "digits"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        left, params = self.process_lhs(compiler, connection)
        return f"{left} LIKE %s", (*params, "".join(f"%{digit}" for digit in self.rhs) + "%")


@TextField.register_lookup
class OtherDigits(models.Lookup[bool]):
    """Texts that hold digits other than 0 to 9, as they are or, in JSON, as its escapes; compared with True."""

    lookup_name = "other_digits"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        left, params = self.process_lhs(compiler, connection)
        return f"{left} ~ %s", (*params, f"{_OTHERS}|{_ESCAPED}")

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        left, params = self.process_lhs(compiler, connection)
        # REGEXP calls back into Python: it is asked of the few texts that hold an escape.
        told = f"({left} GLOB %s OR ({left} LIKE %s AND {left} REGEXP %s))"
        return told, (*params, f"*{_OTHERS}*", *params, "%\\u%", *params, _ESCAPED)


def sweep(needles: Needles, report: Callable[[str, int, int], None]) -> dict[str, int]:
    """Take what ``needles`` find out of all registered texts; in how many rows of which kind. Each batch commits by
    itself, and doing it twice finds nothing the second time."""
    counts: dict[str, int] = {}
    total = len(registries.swept) + 1
    if found := _end_sessions(needles):
        counts["sessions"] = found
    # The audit log goes last: what the persons were called before stands there alone, and whoever goes on after a stop
    # has to look for it, too.
    for place, swept in enumerate(sorted(registries.swept, key=lambda one: one.door)):
        report("texts", place, total)
        if found := _sweep(swept, needles):
            counts[swept.key] = found
    report("texts", total, total)
    return counts


def _sweep(swept: Swept, needles: Needles) -> int:
    rows: models.QuerySet[Any] = swept.model._base_manager.order_by("pk")
    if swept.where is not None:
        rows = rows.filter(swept.where())
    hints = needles.hints | (needles.ids if swept.emptied else set())
    if not hints and not needles.numbers:
        return 0
    if len(hints) + len(needles.numbers) <= MOST_HINTS:
        rows = rows.alias(**{f"text_{name}": Cast(name, TextField()) for name in swept.columns})
        held = [Q(**{f"text_{name}__icontains": hint}) for name in swept.columns for hint in sorted(hints)]
        held += [Q(**{f"text_{name}__digits": one}) for name in swept.columns for one in sorted(needles.numbers)]
        if needles.numbers:
            held += [Q(**{f"text_{name}__other_digits": True}) for name in swept.columns]
        rows = rows.filter(reduce(or_, held))
    changed, last = 0, None
    while page := list((rows if last is None else rows.filter(pk__gt=last)).values_list("pk", *swept.columns)[:_PAGE]):
        last = page[-1][0]
        found: list[tuple[Any, dict[str, Any]]] = []
        for pk, *values in page:
            after = {name: needles.taken_out(value) for name, value in zip(swept.columns, values, strict=True)}
            named = {name: new for (name, new), old in zip(after.items(), values, strict=True) if new != old}
            if swept.emptied and any(needles.about(_text(value)) for value in values):
                named = dict(swept.emptied)
            if named:
                found.append((pk, named))
        changed += _write(swept, found)
    return changed


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _write(swept: Swept, pending: list[tuple[Any, dict[str, Any]]]) -> int:
    if not pending:
        return 0
    with transaction.atomic(), audit.door_opened("erasure") if swept.door else nullcontext():
        for pk, named in pending:
            swept.model._base_manager.filter(pk=pk).update(**named)
    return len(pending)


def _end_sessions(needles: Needles) -> int:
    """End sessions that hold what names somebody, such as a message that was not shown yet; who has one signs in again.
    What a session holds is encoded, so that each is read."""
    named = [
        session.pk
        for session in Session.objects.iterator(chunk_size=2000)
        if needles.within(_text(session.get_decoded()))
    ]
    return Session.objects.filter(pk__in=named).delete()[0] if named else 0
