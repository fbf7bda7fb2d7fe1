"""From purchase days to models: the choice among them, fits, value and risk per customer, and what judges them."""

from rondo.analysis.modelling.covariates import Offer
from rondo.analysis.modelling.fitting import CALIBRATED, UNCALIBRATED, Fitted, fit, forecast_weeks
from rondo.analysis.modelling.judging import Judged, holdout_origin, judge
from rondo.analysis.modelling.log import Log, day_number, day_of, purchase_log

__all__ = [
    "CALIBRATED",
    "UNCALIBRATED",
    "Fitted",
    "Judged",
    "Log",
    "Offer",
    "day_number",
    "day_of",
    "fit",
    "forecast_weeks",
    "holdout_origin",
    "judge",
    "purchase_log",
]
