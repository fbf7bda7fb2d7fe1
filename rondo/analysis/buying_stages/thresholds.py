"""The thresholds of the buying stages: versions that administrators set, and a dry run before they do."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from django.utils.translation import gettext as _

from rondo.analysis.models import StageVersion
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.outcome import Outcome, Report, present_run
from rondo.analysis.versions import changing
from rondo.errors import InputError, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.science.buying_stages import BuyingStageRules

KIND = "buying-stages"
"""The kind of study that tries thresholds."""


@dataclass(frozen=True)
class InForce:
    """Thresholds and their version; 0 are the conventions Rondo comes with."""

    rules: BuyingStageRules = field(default_factory=BuyingStageRules)
    version: int = 0


def read(document: Mapping[str, Any]) -> BuyingStageRules:
    """Thresholds from JSON; what is not named has its convention.

    Raises:
        InputError: a name that is none, or a value that a threshold cannot have.
    """
    known = {one.name for one in fields(BuyingStageRules)}
    if unknown := sorted(set(document) - known):
        raise InputError(
            _("There is no threshold “%(name)s”; there are %(known)s.")
            % {"name": unknown[0][:60], "known": ", ".join(sorted(known))}
        )
    return BuyingStageRules(**document)


def in_force() -> InForce:
    """The thresholds of the next analysis."""
    row = StageVersion.objects.order_by("-pk").first()
    return InForce() if row is None else InForce(read(row.thresholds), row.pk)


def versions() -> list[StageVersion]:
    """All versions that were set, newest first."""
    return list(StageVersion.objects.order_by("-pk").select_related("actor"))


def change(actor: Actor, wanted: BuyingStageRules, *, expected_version: int, reason: str = "") -> InForce:
    """Put thresholds into force from the next analysis on; what is shown keeps those it was made by.

    Raises:
        PermissionRefused: the actor does not administer. StateError: somebody else changed them since
        ``expected_version``. InputError: nothing changes, or the reason is too long.
    """
    with changing(actor, reason) as kept:
        now = in_force()
        if now.version != expected_version:
            raise StateError(
                _("The thresholds were changed in the meantime (version %(version)d); look at them and try again.")
                % {"version": now.version}
            )
        old, new = now.rules.to_dict(), wanted.to_dict()
        if old == new:
            raise InputError(_("These thresholds are in force already."))
        row = StageVersion.objects.create(thresholds=new, reason=kept, actor=actor.user)
        changes = {name: [old[name], value] for name, value in new.items() if old[name] != value}
        audit.record(actor, "buying_stages.changed", "buying_stages", row.pk, changes | {"reason": [None, kept]})
    return InForce(wanted, row.pk)


def answer(study: Study, report: Report) -> Outcome:
    """The dry run: where customers would stand by the thresholds of ``config``, on the data and day of the run that is
    served, beside where they stand by those in force.

    Results: ``customers`` with a stage, ``moved`` (in any category), ``pairs`` of customer and category, and of them
    ``matrix`` from stage (row) to stage.
    """
    import numpy as np

    from rondo.analysis import fingerprints
    from rondo.analysis.buying_stages.texts import STAGES
    from rondo.analysis.buying_stages.working import read as read_signals
    from rondo.analysis.buying_stages.working import stages_alone
    from rondo.analysis.facts import past
    from rondo.warehouse.tables import open_tables

    run, wanted, now = present_run(), read(study.config), in_force()
    report("buying-stages", 0, 2)
    with open_tables() as tables:
        if "scores" not in tables.names:
            raise StateError(_("There is no analysis yet, and so no day to look from; analyse first."))
        known = past(tables, run.as_of, run.config["currency"])
        fingerprint = fingerprints.data_fingerprint(tables, known)
        found = read_signals(tables, known)
    report("buying-stages", 1, 2)
    before, after = (stages_alone(found, run.as_of, rules) for rules in (now.rules, wanted))
    report("buying-stages", 2, 2)
    size = len(STAGES)
    matrix = np.bincount(before.astype(np.int64) * size + after, minlength=size * size).reshape(size, size)
    results = {
        "version": now.version,
        "customers": int(found.customers.size),
        "moved": int(np.unique(found.who[before != after]).size),
        "pairs": int(before.size),
        "matrix": matrix.tolist(),
    }
    return Outcome(results=results, config=wanted.to_dict(), fingerprint=fingerprint, run=run, as_of=run.as_of)


def tried_with(study: Study) -> BuyingStageRules:
    """The thresholds that a study tried."""
    return read(study.config)
