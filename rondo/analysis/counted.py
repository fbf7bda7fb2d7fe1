"""Customers behind a number that no fact tells: kept with the run or the study that counted them, so that the number
opens exactly those, and asked for by rules as ``counted.NAME = yes``.

A set is the differences of its ascending keys, byte by byte and compressed: of a million customers at most a few
hundred thousand bytes, and next to nothing where it is nearly all of them or nearly none.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import F, Min, Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from rondo.analysis.models import Counted, Run, Study
from rondo.analysis.segments import queries as segments
from rondo.customers.models import Customer
from rondo.customers.queries import alive, sees_all
from rondo.erasure.models import Erased
from rondo.foundation.models import Change, User
from rondo.foundation.registry import RuleField, RuleSource, registries
from rondo.rules.django_q import AmongKeys

Keys = npt.NDArray[np.int64]

PREFIX = "counted."
_COLUMN = "counted"
_BYTES = 8
_OF_RUN = {
    "judged": (
        _("Buys often enough to tell changes"),
        _("Whom the last analysis could judge for changes of buying, whether it found one or not."),
    ),
    "left_out": (
        _("Left out of what is at stake"),
        _("Silent beyond the own rhythm, and left out of what is at stake: has cancelled, or has been gone for long."),
    ),
    "tried": (
        _("Models were tried on them"),
        _("On whom the last analysis tried the models of purchases at earlier dates."),
    ),
    "checked": (
        _("Risk was checked on them"),
        _("Of whom the last analysis checked the risk of falling silent by what came after an earlier day."),
    ),
}
_OF_STUDY = {
    "members": (
        _("Twins, study {number}: members"),
        _("From whom the twins of a segment were learnt: its members when somebody asked."),
    ),
    "outside": (
        _("Twins, study {number}: outside"),
        _("Who was ranked by likeness to the members of a segment: all others when somebody asked."),
    ),
    "without": (
        _("Groups, study {number}: in none"),
        _("Who had not bought when groups were looked for, and so is in none."),
    ),
}


def pack(keys: Keys) -> str:
    """Ascending keys as text."""
    apart = np.diff(keys.astype("<i8"), prepend=0)
    return b64encode(zlib.compress(apart.view(np.uint8).reshape(-1, _BYTES).T.tobytes())).decode()


def unpack(packed: str) -> Keys:
    """The keys of :func:`pack`."""
    planes = np.frombuffer(zlib.decompress(b64decode(packed)), np.uint8).reshape(_BYTES, -1)
    return np.cumsum(np.ascontiguousarray(planes.T).view("<i8").ravel()).astype(np.int64)


def keep_of_run(run: Run, sets: Mapping[str, Keys]) -> None:
    """Keep whom a run counted, in place of those of runs before; inside the caller's transaction."""
    Counted.objects.filter(run__isnull=False).delete()
    Counted.objects.bulk_create(_row(name, keys, run=run) for name, keys in sets.items() if keys.size)


def keep_of_study(study: Study, sets: Mapping[str, Keys]) -> None:
    """Keep whom a study counted, in place of those of earlier studies of its question; inside the caller's
    transaction."""
    same = {"study__kind": study.kind, "study__segment": study.segment_id, "study__subject": study.subject}
    Counted.objects.filter(**same).delete()
    Counted.objects.bulk_create(
        _row(name_in(study, name), keys, study=study) for name, keys in sets.items() if keys.size
    )


def name_in(study: Study, name: str) -> str:
    """What a set of a study is called."""
    return f"{study.kind}_{study.pk}_{name}"


def _row(name: str, keys: Keys, **of: Any) -> Counted:
    return Counted(name=name, customers=keys.size, keys=pack(np.sort(keys)), **of)


@dataclass(frozen=True)
class Behind:
    """Those behind a number: the rule that finds them, how many were counted, and how many of them are there no more:
    merged into another, put into the bin, taken back with their load, or erased."""

    rule: str
    customers: int
    gone: int


def behind(name: str) -> Behind | None:
    """Whom a set has; None where there is none (the run or study is older, or counted nobody)."""
    rows = Counted.objects.filter(name=name)
    # What a study reads is the copy of the run before it.
    moments = "customers", "run__started_at", "study__run__started_at", "study__created_at"
    found = rows.values_list(*moments).first()
    if found is None:
        return None
    gone = _gone_since(next(moment for moment in found[1:] if moment is not None))
    lost = 0
    if gone.size and (packed := rows.values_list("keys", flat=True).first()) is not None:
        lost = int(np.isin(gone, unpack(packed), assume_unique=True).sum())
    return Behind(f"{PREFIX}{name} = yes", found[0], lost)


def _gone_since(moment: datetime) -> Keys:
    """Customers who are there no more, and changed or were erased since."""
    first = Change.objects.filter(at__gte=moment).aggregate(first=Min("pk"))["first"]
    keys: set[int] = set(Erased.objects.filter(at__gte=moment).values_list("record", flat=True))
    if first is not None:
        changed = Customer.objects.filter(~Q(alive()), changed_in__gte=first)
        keys |= set(changed.order_by().values_list("pk", flat=True))
    return np.array(sorted(keys), np.int64)


# What rules can ask


def _fields() -> Iterable[RuleField]:
    for row in Counted.objects.select_related("study").defer("keys").order_by("name"):
        label, meaning = _OF_RUN.get(row.name) or _told(row)
        yield RuleField(
            f"{PREFIX}{row.name}",
            label,
            "boolean",
            meaning=meaning,
            group="facts",
            hidden_from=_hidden(row),
            source="counted",
            column=_COLUMN,
            copied=_COLUMN,
            item=row.pk,
        )


def _told(row: Counted) -> tuple[Any, Any]:
    label, meaning = _OF_STUDY[row.name.rpartition("_")[2]]
    return format_lazy(label, number=row.study_id), meaning


def _hidden(row: Counted) -> Any:
    """Studies are of the whole base, and those of a segment as private as it is."""
    if row.study is None:
        return None
    segment = row.study.segment_id

    def hidden(viewer: User) -> bool:
        seen = segment is None or segments.standing(viewer).filter(pk=segment).exists()
        return not (sees_all(viewer) and seen)

    return hidden


def _keys_of(field: RuleField) -> Keys:
    packed = Counted.objects.filter(pk=field.item).values_list("keys", flat=True).first()
    return np.empty(0, np.int64) if packed is None else unpack(packed)


def _values(records: Sequence[int], fields: Sequence[RuleField]) -> dict[str, Any]:
    return {field.key: True if records[0] in _keys_of(field) else None for field in fields}


def _condition(field: RuleField, match: Any, _as_set: bool) -> Q:
    if not match.holds(True):  # of nobody it is told that they were not counted
        return Q(pk__in=())
    return Q(AmongKeys(F("pk"), ",".join(map(str, _keys_of(field).tolist()))))


def _frame(_tables: Any, field: RuleField) -> Any:
    import ibis
    import pyarrow as pa

    keys = _keys_of(field)
    return ibis.memtable(pa.table({"customer_id": pa.array(keys), _COLUMN: pa.repeat(pa.scalar(True), keys.size)}))


registries.rule_sources.add("counted", RuleSource("counted", _fields, _values, frame=_frame, condition=_condition))
