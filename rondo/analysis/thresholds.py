"""The thresholds of where customers stand and what binds them: versions, and a dry run before each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from rondo.analysis.models import Run, StandingVersion
from rondo.analysis.queries import served as served_run
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.outcome import Outcome, Report, present_run
from rondo.analysis.versions import changing
from rondo.errors import InputError, StateError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.science.standing import BondRules, LadderRules, LifeCycleRules, RelationshipRules

KIND = "standing"
"""The kind of study that tries thresholds."""


@dataclass(frozen=True)
class Thresholds:
    """All thresholds of where customers stand. ``version`` 0 are the conventions Rondo comes with."""

    ladder: LadderRules = field(default_factory=LadderRules)
    life_cycle: LifeCycleRules = field(default_factory=LifeCycleRules)
    version: int = 0
    relationship: RelationshipRules = field(default_factory=RelationshipRules)
    bonds: BondRules = field(default_factory=BondRules)

    def to_dict(self) -> dict[str, Any]:
        """The thresholds as JSON, without their version: equal thresholds are equal rules."""
        return {name: getattr(self, name).to_dict() for name in PARTS}


PARTS: dict[str, type[Any]] = {
    "ladder": LadderRules,
    "life_cycle": LifeCycleRules,
    "relationship": RelationshipRules,
    "bonds": BondRules,
}
"""The parts of :class:`Thresholds`, each with its rules."""


def read(document: Mapping[str, Any], version: int = 0) -> Thresholds:
    """Thresholds from JSON; what is not named has its convention.

    Raises:
        InputError: a name that is none, or a value that a threshold cannot have.
    """
    made: dict[str, Any] = {}
    for name, rules in PARTS.items():
        given = document.get(name, {})
        known = {one.name for one in fields(rules)}
        if unknown := sorted(set(given) - known):
            raise InputError(
                _("There is no threshold “%(name)s”; there are %(known)s.")
                % {"name": f"{name}.{unknown[0]}"[:60], "known": ", ".join(sorted(known))}
            )
        made[name] = rules(**given)
    return Thresholds(version=version, **made)


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
    with changing(actor, reason) as kept:
        now = in_force()
        if now.version != expected_version:
            raise StateError(
                _("The thresholds were changed in the meantime (version %(version)d); look at them and try again.")
                % {"version": now.version}
            )
        if now.to_dict() == wanted.to_dict():
            raise InputError(_("These thresholds are in force already."))
        row = StandingVersion.objects.create(thresholds=wanted.to_dict(), reason=kept, actor=actor.user)
        audit.record(actor, "standing.changed", "standing", row.pk, _changes(now, wanted) | {"reason": [None, kept]})
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

    Results: ``customers``, ``moved`` (on any scale), and per scale (``ladder``, ``stage``, ``relationship``, and the
    bands of each bond, as ``bond_local``) ``keys``, ``moved`` and ``matrix`` (customers from state (row) to state).
    """
    import numpy as np

    from rondo.analysis import bonds, fingerprints, standing
    from rondo.analysis.facts import past
    from rondo.analysis.modelling import purchase_log
    from rondo.analysis.reserved_values import read_reserved
    from rondo.analysis.signs import read_signs
    from rondo.science.models import alive_from
    from rondo.science.standing import transitions
    from rondo.science.standing.bonds import BONDS
    from rondo.science.standing.bonds import bands as bands_of
    from rondo.warehouse.tables import open_tables

    run, wanted, now = present_run(), read(study.config), in_force()
    report("standing", 0, 2)
    with open_tables() as tables:
        if "scores" not in tables.names:
            raise StateError(_("There is no analysis yet, and so no day to look from; analyse first."))
        known = past(tables, run.as_of, run.config["currency"])
        scores = tables.scores
        facts = tables.arrow(scores.select("customer_id", "first_purchase", "alive").order_by("customer_id"))
        ids = facts["customer_id"].to_numpy()
        log = purchase_log(tables.arrow(known.purchase_days))
        fingerprint = fingerprints.data_fingerprint(tables, known)
        attributes = read_reserved(tables, ids)
        told = read_signs(tables, known, facts, attributes)
        windows = {rules.window_days: rules for rules in (now.bonds, wanted.bonds)}
        evidence = {days: bonds.gather(tables, known, ids, log, attributes, rules) for days, rules in windows.items()}
    model = _model(run)
    alive = None if model is None else partial(alive_from, model)
    served = None if model is None else facts["alive"].fill_null(np.nan).to_numpy()
    stand = partial(
        standing.stand,
        known,
        ids,
        log,
        told,
        alive,
        served=served,
        dropout_told=model is None or model.dropout_identified,
    )
    before = stand(now)
    report("standing", 1, 2)
    after = stand(wanted)
    report("standing", 2, 2)
    pairs = {
        scale: (list(old.names), old.last, new.last)
        for (scale, old), (_scale, new) in zip(before.courses(), after.courses(), strict=True)
    }
    was, would = (bonds.bind(evidence[rules.window_days], rules) for rules in (now.bonds, wanted.bonds))
    for name in BONDS:
        here, there = bands_of(was.scores[name], now.bonds), bands_of(would.scores[name], wanted.bonds)
        pairs[f"bond_{name}"] = (list(bonds.BANDS), here, there)
    scales: dict[str, Any] = {}
    moved = np.zeros(ids.size, bool)
    for scale, (keys, old_states, new_states) in pairs.items():
        differ = old_states != new_states
        moved |= differ
        scales[scale] = {
            "keys": keys,
            "moved": int(differ.sum()),
            "matrix": transitions(old_states, new_states, len(keys)).tolist(),
        }
    results = {"customers": int(moved.size), "moved": int(moved.sum()), "version": now.version, "scales": scales}
    return Outcome(results=results, config=wanted.to_dict(), fingerprint=fingerprint, run=run, as_of=run.as_of)


def _model(run: Run) -> Any:
    """The model of purchases that the run fitted; None where it fitted none."""
    from rondo.science.models import load

    document = run.models_json.get("purchases")
    if not document:
        return None
    # The run's own model, though purchases may have come since: it is the thresholds that are compared, not the models.
    return load(document, fingerprint=document["fingerprint"])


def tried_with(study: Study) -> Thresholds:
    """The thresholds that a study tried."""
    return read(study.config)


def served() -> Thresholds | None:
    """The thresholds by which the figures being served were made; None before an analysis that kept them."""
    return made_by(served_run())


def made_by(run: tuple[date, dict[str, Any]] | None) -> Thresholds | None:
    """The thresholds in the configuration of a run that :func:`rondo.analysis.queries.served` gave."""
    document = run[1].get("standing") if run else None
    return read(document) if document else None
