"""The thresholds of loyalty ladder and life cycle: versions that administrators set, and a dry run before they do."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from rondo.analysis.models import Run, StandingVersion
from rondo.analysis.queries import current_run
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.outcome import Outcome, Report, present_run
from rondo.errors import InputError, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.models import Installation
from rondo.science.standing import LadderRules, LifeCycleRules

KIND = "standing"
"""The kind of study that tries thresholds."""
_LONGEST_REASON = 500


@dataclass(frozen=True)
class Thresholds:
    """All thresholds of where customers stand. ``version`` 0 are the conventions Rondo comes with."""

    ladder: LadderRules = field(default_factory=LadderRules)
    life_cycle: LifeCycleRules = field(default_factory=LifeCycleRules)
    version: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The thresholds as JSON, without their version: equal thresholds are equal rules."""
        return {"ladder": self.ladder.to_dict(), "life_cycle": self.life_cycle.to_dict()}


def read(document: Mapping[str, Any], version: int = 0) -> Thresholds:
    """Thresholds from JSON; what is not named has its convention.

    Raises:
        InputError: a name that is none, or a value that a threshold cannot have.
    """
    parts = {"ladder": LadderRules, "life_cycle": LifeCycleRules}
    made: dict[str, Any] = {}
    for name, rules in parts.items():
        given = document.get(name, {})
        known = {one.name for one in fields(rules)}
        if unknown := sorted(set(given) - known):
            raise InputError(
                _("There is no threshold “%(name)s”; there are %(known)s.")
                % {"name": f"{name}.{unknown[0]}"[:60], "known": ", ".join(sorted(known))}
            )
        made[name] = rules(**given)
    return Thresholds(made["ladder"], made["life_cycle"], version)


def in_force() -> Thresholds:
    """The thresholds of the next analysis."""
    row = StandingVersion.objects.order_by("-pk").first()
    return Thresholds() if row is None else read(row.thresholds, row.pk)


def versions() -> list[StandingVersion]:
    """All versions that were set, newest first."""
    return list(StandingVersion.objects.order_by("-pk").select_related("actor"))


def change(actor: Actor, wanted: Thresholds, *, expected_version: int, reason: str = "") -> Thresholds:
    """Put thresholds into force from the next analysis on; past runs keep theirs.

    Raises:
        PermissionRefused: the actor does not administer. StateError: somebody else changed them since
        ``expected_version``. InputError: nothing changes, or the reason is too long.
    """
    actor.require("administer")
    reason = reason.strip()
    if len(reason) > _LONGEST_REASON:
        raise InputError(
            _("reason: %(count)d characters; write at most %(limit)d.")
            % {"count": len(reason), "limit": _LONGEST_REASON}
        )
    with transaction.atomic():
        # A row that is always there is held, so that of two who change the same version one is told.
        Installation.objects.select_for_update().get()
        now = in_force()
        if now.version != expected_version:
            raise StateError(
                _("The thresholds were changed in the meantime (version %(version)d); look at them and try again.")
                % {"version": now.version}
            )
        if now.to_dict() == wanted.to_dict():
            raise InputError(_("These thresholds are in force already."))
        row = StandingVersion.objects.create(thresholds=wanted.to_dict(), reason=reason, actor=actor.user)
        audit.record(actor, "standing.changed", "standing", row.pk, _changes(now, wanted) | {"reason": [None, reason]})
    return replace(wanted, version=row.pk)


def _changes(before: Thresholds, after: Thresholds) -> dict[str, list[Any]]:
    old, new = before.to_dict(), after.to_dict()
    return {
        f"{part}.{name}": [old[part][name], value]
        for part, values in new.items()
        for name, value in values.items()
        if old[part][name] != value
    }


def answer(study: Study, report: Report) -> Outcome:
    """The dry run: where customers would stand by the thresholds of ``config``, on the data and day of the run that is
    served, beside where they stand by those in force.

    Results: ``customers``, ``moved`` (either scale), and per scale (``ladder``, ``stage``) ``keys``, ``moved`` and
    ``matrix`` (customers from state (row) to state).
    """
    import numpy as np

    from rondo.analysis import fingerprints, standing
    from rondo.analysis.facts import past
    from rondo.analysis.modelling import purchase_log
    from rondo.science.standing import transitions
    from rondo.warehouse.tables import open_tables

    run, wanted, now = present_run(), read(study.config), in_force()
    report("standing", 0, 2)
    with open_tables() as tables:
        if "scores" not in tables.names:
            raise StateError(_("There is no analysis yet, and so no day to look from; analyse first."))
        known = past(tables, run.as_of, run.config["currency"])
        scores = tables.scores
        facts = tables.arrow(scores.select("customer_id", "first_purchase").order_by("customer_id"))
        log = purchase_log(tables.arrow(known.purchase_days))
        fingerprint = fingerprints.data_fingerprint(tables, known)
        alive = _alive(run)
        before = standing.stand(tables, known, facts, log, alive, now)
        report("standing", 1, 2)
        after = standing.stand(tables, known, facts, log, alive, wanted)
    report("standing", 2, 2)
    scales: dict[str, Any] = {}
    moved = np.zeros(before.ids.size, bool)
    for name, old, new in (("ladder", before.ladder, after.ladder), ("stage", before.stages, after.stages)):
        moved |= old.last != new.last
        scales[name] = {
            "keys": list(old.names),
            "moved": int((old.last != new.last).sum()),
            "matrix": transitions(old.last, new.last, len(old.names)).tolist(),
        }
    results = {"customers": int(moved.size), "moved": int(moved.sum()), "version": now.version, "scales": scales}
    return Outcome(results=results, config=wanted.to_dict(), fingerprint=fingerprint, run=run, as_of=run.as_of)


def _alive(run: Run) -> Any:
    """P(alive) by the model that the run fitted; None where it fitted none."""
    from rondo.science.models import alive_from, load

    document = run.models_json.get("purchases")
    if not document:
        return None
    # The run's own model, though purchases may have come since: it is the thresholds that are compared, not the models.
    model = load(document, fingerprint=document["fingerprint"])
    return lambda x, t_x, T: alive_from(model, x, t_x, T)


def tried_with(study: Study) -> Thresholds:
    """The thresholds that a study tried."""
    return read(study.config)


def served() -> Thresholds | None:
    """The thresholds by which the figures being served were made; None before an analysis that kept them."""
    run = current_run()
    document = run.config.get("standing") if run else None
    return read(document) if document else None
