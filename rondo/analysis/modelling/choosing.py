"""Which model of purchases a run uses: tried on earlier dates of the log, stored with the errors of all candidates."""

from collections.abc import Mapping

from rondo.analysis.modelling.log import day_of
from rondo.analysis.results import Candidate, Selection, Trial
from rondo.science import selection
from rondo.science.hybrid import Bases, Covariates
from rondo.science.summary import PurchaseDays


def choose(
    log: PurchaseDays,
    as_of: int,
    horizon_days: float,
    *,
    pinned: str | None = None,
    incumbent: str | None = None,
    bases: Bases | None = None,
    offered: Mapping[str, Covariates] | None = None,
) -> selection.Selection:
    """The model for forecasts of ``horizon_days``; see :func:`rondo.science.selection.select_model`.

    A log that lets the chosen model be fitted at no earlier date is no error: the first one is then taken.
    """
    return selection.select_model(
        log, as_of, horizon_days, pinned=pinned, incumbent=incumbent, bases=bases, offered=offered
    )


def told(found: selection.Selection) -> Selection:
    """The choice as a run stores it; days as dates, errors as means over the origins."""
    trials = next((one.trials for one in found.candidates if one.trials), ())
    return Selection(
        chosen=found.chosen,
        reason=found.reason,
        by_rule=found.by_rule,
        best=found.best,
        pinned=found.pinned,
        incumbent=found.incumbent,
        origins=[day_of(trial.origin).isoformat() for trial in trials],
        days=trials[0].until - trials[0].origin if trials else 0,
        customers=max((trial.customers for trial in trials), default=0),
        candidates=[
            Candidate(
                model=one.model,
                title=one.title,
                total_error=one.total_error,
                mae=one.mae,
                median_mae=one.median_mae,
                rmse=one.rmse,
                correlation=one.correlation,
                deviance=one.deviance,
                log_score=one.log_score,
                excess=one.excess,
                excess_error=one.excess_error,
                failed=one.failed or "",
                trials=[
                    Trial(
                        origin=day_of(trial.origin).isoformat(),
                        end=day_of(trial.until).isoformat(),
                        customers=trial.customers,
                        forecast=trial.forecast,
                        actual=trial.actual,
                        mae=trial.mae,
                        median_mae=trial.median_mae,
                        rmse=trial.rmse,
                        taken=list(trial.taken),
                    )
                    for trial in one.trials
                ],
            )
            for one in found.candidates
        ],
    )
