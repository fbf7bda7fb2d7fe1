"""Running the analysis: refresh the copy, compute facts, fit models, store the run and swap its scores in."""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import date
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from rondo.analysis import (
    bonds,
    changing,
    circles,
    counting,
    fingerprints,
    modelling,
    rfm,
    scores,
    standing,
    summary,
    thresholds,
)
from rondo.analysis.beside import side_by_side
from rondo.analysis.counted import Keys, keep_of_run
from rondo.analysis.facts import MODELLED, Past, fact_table, past
from rondo.analysis.leavers import still_gone
from rondo.analysis.modelling import Fitted, Judged, Log, choosing, day_number
from rondo.analysis.models import History, Run, RunPart
from rondo.analysis.parts.computing import from_copy, from_scores
from rondo.analysis.parts.worth import at_stake
from rondo.analysis.pins import pinned_model, purchase_model_named
from rondo.analysis.reserved_values import read_reserved
from rondo.analysis.results import Results, Standing
from rondo.analysis.signs import Told, read_signs
from rondo.analysis.summary import Counted
from rondo.errors import InputError, RondoError
from rondo.foundation import audit
from rondo.foundation.actors import Actor
from rondo.foundation.installation import business_now, installation
from rondo.foundation.loading.dates import FIRST_YEAR, LAST_YEAR
from rondo.foundation.registry import registries
from rondo.science._newton import ConvergenceError
from rondo.science.clv import ValueConfig
from rondo.science.hybrid import Bases
from rondo.science.models import CANDIDATES, SPEND_MODELS
from rondo.science.standing.bonds import BondRules
from rondo.warehouse import delta
from rondo.warehouse.locks import exclusive
from rondo.warehouse.refresh import refresh
from rondo.warehouse.tables import Tables, open_tables

Progress = Callable[[str, int, int], None]
_STEP_NAMES = {
    "copy": gettext_noop("copy"),
    "facts": gettext_noop("facts"),
    "models": gettext_noop("models"),
    "standing": gettext_noop("standing"),
    "scores": gettext_noop("scores"),
    "hold-out": gettext_noop("hold-out"),
    "summary": gettext_noop("summary"),
}
STEPS = tuple(_STEP_NAMES)


def step_name(step: str) -> str:
    """What a step of the analysis is called in the reader's language."""
    return _(_STEP_NAMES[step])


def run_analysis(actor: Actor, as_of: date | None = None, progress: Progress | None = None, model: str = "") -> Run:
    """Analyse the data up to the end of business day ``as_of`` (default: the last day with an order).

    ``progress(step, done, steps)`` is told of each step that ends. ``model``: the model of purchases for this run,
    whatever is pinned and whatever the hold-outs say; empty: the pinned one, else the one that they choose. The run is
    stored whatever becomes of it; the scores being served change only when all of it stands.

    Raises:
        PermissionRefused: the actor may not analyse. StateError: another analysis is under way. InputError: ``as_of``
        lies before the data, or there is no such model.
    """
    actor.require("analyse")
    pinned = purchase_model_named(model) if model else pinned_model()
    with exclusive("analysis"):
        # Whoever held the lock is gone: what it left unfinished is unfinished for good.
        interrupted = _("The process was stopped before the analysis ended; run “rondo analyse” again.")
        Run.objects.filter(status=Run.Status.RUNNING).update(
            status=Run.Status.FAILED,
            finished_at=timezone.now(),
            error=interrupted,
        )
        scores.drop(scores.leftovers())
        run = Run.objects.create(
            as_of=as_of or business_now().date(), actor=actor.user, config=_config(pinned), started_at=timezone.now()
        )
        try:
            _analyse(run, as_of, actor, _Steps(progress))
        except Exception as error:
            reason = str(error) if isinstance(error, RondoError) else f"{type(error).__name__}: {error}"
            if not transaction.get_connection().needs_rollback:
                Run.objects.filter(pk=run.pk).update(
                    status=Run.Status.FAILED, finished_at=timezone.now(), error=reason[:1000]
                )
            raise
    for follow in registries.after_analysis:
        follow()
    return run


class _Steps:
    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._done = 0

    def done(self, step: str) -> None:
        self._done += 1
        if self._progress:
            self._progress(step, self._done, len(STEPS))


def _config(pinned: str) -> dict[str, Any]:
    row = installation()
    return {
        "currency": row.currency,
        "time_zone": row.time_zone,
        "margin_rate": float(row.margin_rate),
        "discount_rate": float(row.discount_rate),
        "horizon_months": row.horizon_months,
        "models": [*CANDIDATES, *SPEND_MODELS],
        "pinned": pinned,
        "standing": thresholds.in_force().to_dict(),
    }


def _analyse(run: Run, as_of: date | None, actor: Actor, steps: _Steps) -> None:
    refresh()
    steps.done("copy")
    with side_by_side() as beside:
        with open_tables() as tables:
            run.as_of = as_of or _last_day(tables)
            if as_of is not None:
                _refuse_far_away(tables, as_of)
            known = past(tables, run.as_of, run.config["currency"]).held()
            log = modelling.purchase_log(tables.arrow(known.purchase_days.order_by("customer_id", "day")))
            # One thread fits the models and then holds their hold-out, the other reads the copy, says where customers
            # stand and writes the scores: neither waits for the other before the end.
            bases = Bases(log.days)
            offer = _offer(run, log, bases)
            fitting = beside.start(_fit, run, log, _incumbent(), bases, offer)
            judging = beside.start(_judge, run, log, fitting, bases, offer)
            run.fingerprint = fingerprints.data_fingerprint(tables, known)
            facts = tables.arrow(fact_table(known).order_by("customer_id"))
            steps.done("facts")
            counted = summary.count(tables, known, business_now().date())
            parts = from_copy(tables, known)
            rules = thresholds.read(run.config["standing"])
            ids = facts["customer_id"].to_numpy()
            attributes = read_reserved(tables, ids)
            told = read_signs(tables, known, facts, attributes)
            bound = bonds.bind(bonds.gather(tables, known, ids, log, attributes, rules.bonds), rules.bonds)
            belong = circles.read_circles(tables, known, ids)
            made_of = changing.made_of(tables, known, log, day_number(run.as_of))
        changed, able = changing.beside(facts, log, day_number(run.as_of), *made_of)
        fitted, reason = fitting.result()
        steps.done("models")
        found = _stand(known, ids, log, told, fitted, rules)
        gone = still_gone(told.signs.cancelled.customer, told.signs.cancelled.begin, facts["last_purchase"])
        rate = run.config["margin_rate"]
        table = _with_models(found.beside(bound.beside(rfm.beside(changed))), log, fitted, belong, gone, rate)
        steps.done("standing")
        figures = beside.start(_figures, run, counted, table, fitted, judging, found, rules.bonds)
        copying = beside.start(_copy, run, table, found)
        prepared = scores.prepare(run.pk, table), scores.prepare(run.pk, bound.evident(found.histories()), History)
        steps.done("scores")
        judging.result()
        steps.done("hold-out")
        results, of_scores = figures.result()
        results["since_previous"] = _since(run, results["value"], table)
        parts |= of_scores
        parts["changes"]["judged"] = int(able.size)
        counted_of = counting.of_run(table, log, bases, fitted, results, able, rate)
        run.models_json = fitted.describe() if fitted else {"reason": reason}
        run.result_hash = fingerprints.result_hash(table, {**results, **parts})
        run.results = cast("dict[str, Any]", results)
        copying.result()
    _serve(run, prepared, parts, counted_of, actor)
    steps.done("summary")


def _stand(
    known: Past, ids: npt.NDArray[np.int64], log: Log, told: Told, fitted: Fitted | None, rules: thresholds.Thresholds
) -> standing.Found:
    if fitted is None:
        return standing.stand(known, ids, log, told, None, rules)
    told_by_data = fitted.purchases.dropout_identified
    served = fitted.present_of(log, ids)
    return standing.stand(known, ids, log, told, fitted.alive, rules, served, dropout_told=told_by_data)


def _refuse_far_away(tables: Tables, as_of: date) -> None:
    first = tables.arrow(tables.orders.aggregate(day=tables.orders.business_date.min()))["day"][0].as_py()
    if first is not None and as_of < first:
        raise InputError(
            _("as of %(day)s: the first order is of %(first)s; choose a later day.")
            % {"day": as_of.isoformat(), "first": first.isoformat()}
        )
    if not FIRST_YEAR <= as_of.year <= LAST_YEAR:
        raise InputError(
            _("as of %(day)s: a day between %(first)d and %(last)d is needed.")
            % {"day": as_of.isoformat(), "first": FIRST_YEAR, "last": LAST_YEAR}
        )


def _last_day(tables: Tables) -> date:
    """The last business day with an order; orders dated in the future are errors in the data and do not count."""
    today = business_now().date()
    orders = tables.orders.filter(lambda t: t.business_date <= today)
    return tables.arrow(orders.aggregate(day=orders.business_date.max()))["day"][0].as_py() or today


def _fit(run: Run, log: Log, incumbent: str | None, bases: Bases, offer: modelling.Offer) -> tuple[Fitted | None, str]:
    assumptions = _assumptions(run)
    if assumptions is None:
        return None, _("The margin rate is 0: nothing is worth anything; set one by “rondo setup --margin-rate”.")
    try:
        pinned = run.config["pinned"] or None
        with offer:
            fitted = modelling.fit(
                log,
                day_number(run.as_of),
                assumptions,
                pinned=pinned,
                incumbent=incumbent,
                bases=bases,
                offered=offer.groups,
            )
        return fitted, ""
    except (InputError, ConvergenceError) as error:
        return None, str(error)


def _offer(run: Run, log: Log, bases: Bases) -> modelling.Offer:
    day, learnt = day_number(run.as_of), log.customers[np.unique(bases.log.customer)]
    return modelling.Offer(log, day, run.config["currency"], learnt, whole=(modelling.holdout_origin(log.days, day),))


def _judge(
    run: Run, log: Log, fitting: "Future[tuple[Fitted | None, str]]", bases: Bases, offer: modelling.Offer
) -> Judged | None:
    fitted, _reason = fitting.result()
    if fitted is None:
        return None
    with offer:
        return modelling.judge(log, day_number(run.as_of), fitted.purchases.kind, bases, fitted.covariates)


def _incumbent() -> str | None:
    """The model of purchases of the run being served, if it is one that there still is."""
    results = Run.objects.filter(is_current=True).values_list("results__selection__chosen", flat=True).first()
    return results if results in CANDIDATES else None


def _assumptions(run: Run) -> ValueConfig | None:
    if run.config["margin_rate"] <= 0:
        return None
    return ValueConfig(
        months=run.config["horizon_months"],
        annual_discount_rate=run.config["discount_rate"],
        margin_rate=run.config["margin_rate"],
    )


def _with_models(
    facts: pa.Table,
    log: Log,
    fitted: Fitted | None,
    belong: circles.Circles,
    gone: npt.NDArray[np.bool_],
    margin_rate: float,
) -> pa.Table:
    """The facts with the modelled ones beside them, what is at stake, and what customers who belong together are worth,
    in the score table's columns; null where a model says nothing. ``gone``: who has cancelled."""
    types = scores.schema()
    ids = facts["customer_id"].to_numpy()
    columns: dict[str, pa.Array] = {}
    valued = np.empty(0, np.int64)
    if fitted is not None:
        valued, columns = fitted.columns(log)
    # A purchase may belong to a record that is no longer shown (its load was taken back): it has no row here.
    place = np.clip(np.searchsorted(valued, ids), 0, max(valued.size - 1, 0))
    missing = valued[place] != ids if valued.size else np.ones(ids.size, bool)
    rows = pa.array(place, mask=missing)
    for name in MODELLED:
        field = types.field(name)
        facts = facts.append_column(
            field, columns[name].take(rows).cast(field.type) if columns else pa.nulls(ids.size, field.type)
        )
    facts = facts.append_column("at_stake", at_stake(facts, gone, margin_rate))
    return belong.beside(facts).select(types.names).cast(types)


def _figures(
    run: Run,
    counted: Counted,
    table: pa.Table,
    fitted: Fitted | None,
    judging: "Future[Judged | None]",
    found: standing.Found,
    rules: BondRules,
) -> tuple[Results, dict[str, Any]]:
    """What needs no database of the results of a run, and the parts of it that are computed from the scores."""
    where = bonds.results(table, rules, found.results(table))
    results = _results(run, counted, table, fitted, judging.result(), where)
    return results, from_scores(table, run.config["margin_rate"])


def _results(
    run: Run,
    counted: Counted,
    table: pa.Table,
    fitted: Fitted | None,
    judged: Judged | None,
    where: Standing,
) -> Results:
    """The results but for what differs from the run before."""
    currency = run.config["currency"]
    totals, foreign = counted.totals, counted.foreign_orders
    assumptions = _assumptions(run)
    value = summary.base_value(fitted, assumptions, currency) if fitted and assumptions else None
    forecast = modelling.forecast_weeks(fitted, run.as_of, judged.weekly_error) if fitted and judged else []
    cuts = summary.edges(table)
    spread = summary.spread(table, cuts)
    notes = [
        text
        for text, holds in (
            (summary.NOTE_NONPOSITIVE, totals["nonpositive_orders"] > 0),
            (summary.NOTE_LEFT_CUT, summary.cut_on_the_left(table["first_purchase"], run.as_of)),
            (summary.NOTE_DROPOUT, fitted is not None and not fitted.purchases.dropout_identified),
            (summary.NOTE_EXISTING, bool(forecast)),
            (summary.NOTE_CURRENCY, foreign > 0),
            (summary.NOTE_FUTURE, counted.future_orders > 0),
            (summary.NOTE_NO_MODEL, fitted is None),
        )
        if holds
    ]
    found = Results(
        totals=totals,
        value=value,
        weekly=counted.weekly,
        forecast=forecast,
        holdout=judged.holdout if judged else None,
        since_previous=None,
        notes=notes,
        edges=cuts,
        foreign_orders=foreign,
        visible_value=value["total"] if value else 0,
        standing=where,
        activity=spread["activity"],
        value_bins=spread["value_bins"],
        grid=spread["grid"],
        concentration=spread["concentration"],
    )
    if fitted is not None:
        found["selection"] = choosing.told(fitted.selection)
        found["churn"] = summary.churn(fitted, table, judged.churn if judged else None)
    return found


def _since(run: Run, value: Any, table: pa.Table) -> Any:
    before = Run.objects.filter(is_current=True).first()
    if before and (before.fingerprint, before.as_of, before.config) == (run.fingerprint, run.as_of, run.config):
        # The same question asked again: what changed is still what changed before it.
        return before.results.get("since_previous")
    return summary.since_previous(before, value, table)


def _serve(
    run: Run, prepared: tuple[str, str], parts: dict[str, Any], counted_of: dict[str, Keys], actor: Actor
) -> None:
    """Flip to the scores and histories prepared, to whom the run counted, and to the run, in one transaction."""
    with transaction.atomic():
        scores.put_in_place(*prepared, large=bool(run.results["totals"]["customers"] > scores.INDEXED_AT_ONCE))
        Run.objects.filter(is_current=True).update(is_current=False)
        keep_of_run(run, counted_of)
        RunPart.objects.bulk_create(RunPart(run=run, name=name, figures=part) for name, part in parts.items())
        run.status, run.is_current, run.finished_at = Run.Status.DONE, True, timezone.now()
        run.save()
        audit.record(actor, "analysis.run", "run", run.pk, {"as_of": [None, run.as_of.isoformat()]})


def _copy(run: Run, table: pa.Table, found: standing.Found) -> None:
    """Write scores and the ledger of standing to the columnar copy."""
    _copy_scores(run, table)
    ledger = pa.RecordBatchReader.from_batches(standing.LEDGER, found.ledger())
    delta.commit("standing", delta.Rows(ledger, found.entries), replace=True, notes={"rondo.run": run.pk})
    delta.tidy("standing")


def _copy_scores(run: Run, table: pa.Table) -> None:
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=65_536))
    delta.commit("scores", delta.Rows(reader, table.num_rows), replace=True, notes={"rondo.run": run.pk})
    delta.tidy("scores")
