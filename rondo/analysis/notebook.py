"""The fitted models of a run for notebooks and scripts, with the histories they were fitted to: ``rondo.models()``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _

from rondo.analysis.facts.past import past
from rondo.analysis.modelling import Log, Offer, day_number, purchase_log, silence
from rondo.analysis.models import Run
from rondo.analysis.queries import current_run
from rondo.errors import InputError, StateError
from rondo.science._checks import FloatArray
from rondo.science.churn import SecondPurchase
from rondo.science.gamma_gamma import GammaGamma
from rondo.science.hybrid import Hybrid
from rondo.science.models import PurchaseModel, SpendModel, alive_from, alive_of, in_units, load, weeks_in_units
from rondo.science.risks import UNCORRECTED, Correction
from rondo.science.summary import Summary, summarise
from rondo.warehouse.tables import Tables


@dataclass(frozen=True)
class Models:
    """What a run fitted. ``purchases`` and ``spend`` are the models themselves (docs/models.md), as they were then;
    ``second``: when one-time buyers come back, None where too few ever did; ``corrected``: what earlier windows say of
    the chances of silence; ``config``: currency, horizon, rates and choices of the run; ``cards``: what the page
    *Analysis* shows of each.
    """

    run: int
    as_of: date
    purchases: PurchaseModel
    spend: SpendModel
    second: SecondPurchase | None
    corrected: Correction
    config: Mapping[str, Any] = field(repr=False)
    cards: Mapping[str, Any] = field(repr=False)

    def histories(self, tables: Tables) -> pa.Table:
        """Histories as of the run's day, in the order of ``customer_id``: ``x`` repeat purchase days; ``t_x`` and ``T``
        weeks from the first purchase to the last one and to the run's day; ``spend_days`` and ``mean_spend`` of the
        days that the spend model counts, in minor units; ``tilt``: what a hybrid knows of the customer beside these (0
        for other models). Purchases copied since the run are in them.
        """
        found, base, model = self._known(tables)
        tilt = model.tilt if isinstance(model, Hybrid) else np.zeros(len(base))
        return pa.table(
            {
                "customer_id": found.customers[base.customer],
                "x": base.x,
                "t_x": base.t_x,
                "T": base.T,
                "spend_days": base.spend_days,
                "mean_spend": base.mean_spend,
                "tilt": tilt,
            }
        )

    def churn(self, tables: Tables) -> pa.Table:
        """The risk as it is served, in the order of ``customer_id``: ``churn``, the chance of no purchase in the 91
        days after the run's day, of one-time buyers by how the base came back after a first purchase; and
        ``churn_usual``, the same had they bought on that day. Purchases copied since the run are in it."""
        found, base, model = self._known(tables)
        told = silence.risk(model, self.second, found.days, base, alive_of(model, base), self.corrected)
        columns = silence.columns(told)
        return pa.table(
            {
                "customer_id": found.customers[base.customer],
                "churn": columns["churn"],
                "churn_usual": columns["churn_usual"],
            }
        )

    def _known(self, tables: Tables) -> tuple[Log, Summary, PurchaseModel]:
        """Purchases up to the run's day, their summary, and the model that speaks of these customers."""
        found = purchase_log(tables.arrow(past(tables, self.as_of, self.config["currency"]).purchase_days))
        model: PurchaseModel = self.purchases
        if isinstance(model, Hybrid):
            with Offer(found, day_number(self.as_of), self.config["currency"], tables=tables) as offer:
                model = model.bound(found.days, offer.taken(model))
        return found, summarise(found.days, day_number(self.as_of)), model

    def expected_purchases(self, histories: pa.Table, weeks: float) -> FloatArray:
        """Expected purchase days of each row of :meth:`histories` within so many weeks after the run's day.

        A hybrid takes the sum of its cohorts over the rows given, so give it all of them.
        """
        unit = self.purchases.config.time_unit
        found = self.purchases.expected_purchases(weeks_in_units(unit, weeks), *in_units(unit, *_columns(histories)))
        if not isinstance(self.purchases, Hybrid):
            return found
        factors = self.purchases.weighed(found, histories["tilt"].to_numpy(), histories["T"].to_numpy(), weeks)
        return np.asarray(found * factors, dtype=np.float64)

    def probability_alive(self, histories: pa.Table) -> FloatArray:
        """P(still active on the run's day) of each row of :meth:`histories`; 1 by construction where the model has no
        dropout before a second purchase (BG/NBD)."""
        return alive_from(self.purchases, *_columns(histories))

    def expected_spend(self, histories: pa.Table) -> FloatArray:
        """Expected spend on a coming purchase day, in minor units before margin."""
        return self.spend.expected_mean_spend(histories["spend_days"].to_numpy(), histories["mean_spend"].to_numpy())


def _columns(histories: pa.Table) -> tuple[FloatArray, FloatArray, FloatArray]:
    x, t_x, T = (np.asarray(histories[name].to_numpy(), dtype=np.float64) for name in ("x", "t_x", "T"))
    return x, t_x, T


def open_models(run: int | None = None) -> Models:
    """The models of the run with that number; of the one being served where none is named.

    Raises:
        StateError: there is no analysis yet, or that run fitted no models (its reason is named).
        InputError: no run that ended has this number.
    """
    row = current_run() if run is None else Run.objects.filter(pk=run, status=Run.Status.DONE).first()
    if row is None and run is None:
        raise StateError(_("There is no analysis yet; run “rondo analyse” first."))
    if row is None:
        raise InputError(_("Run %(run)s: no analysis of this number came to its end.") % {"run": run})
    stored = row.models_json
    if "purchases" not in stored:
        raise StateError(
            _("Run %(run)s fitted no models: %(reason)s") % {"run": row.pk, "reason": stored.get("reason", "–")}
        )
    return Models(
        run=row.pk,
        as_of=row.as_of,
        purchases=load(stored["purchases"], fingerprint=stored["purchases"]["fingerprint"]),
        spend=GammaGamma.from_dict(stored["spend"], fingerprint=stored["spend"]["fingerprint"]),
        second=SecondPurchase.from_dict(second) if (second := stored.get("second")) else None,
        corrected=Correction.from_dict(stored["risk"]) if "risk" in stored else UNCORRECTED,
        config=row.config,
        cards=stored["cards"],
    )
