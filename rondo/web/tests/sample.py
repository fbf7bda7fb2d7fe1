"""A stored run with small round figures, as the analysis would leave it."""

from datetime import date
from typing import Any

from django.utils import timezone

from rondo.analysis.models import Run, RunPart

TOTALS = {
    "customers": 200,
    "buyers": 190,
    "orders": 4000,
    "lines": 16000,
    "revenue": 40_000_000,
    "currency": "USD",
    "first_day": "2017-01-02",
    "last_day": "2017-12-31",
    "nonpositive_orders": 3,
    "campaigns": 2,
    "exposures": 80,
    "reactions": 9,
}


def results(**changed: Any) -> dict[str, Any]:
    """Results of a run over 200 customers; named parts can be replaced."""
    made: dict[str, Any] = {
        "totals": TOTALS,
        "value": {
            "total": 121_000_000,
            "low": 110_000_000,
            "high": 132_000_000,
            "level": 0.9,
            "horizon_months": 12,
            "discount_rate": 0.1,
            "margin_rate": 0.25,
            "currency": "USD",
            "method": "How it was made.",
        },
        "weekly": [
            {
                "week": f"2017-12-{day:02d}",
                "revenue": 900_000 + day * 1000,
                "orders": 90,
                "buyers": 70,
                "complete": day != 25,
            }
            for day in (4, 11, 18, 25)
        ],
        "forecast": [
            {"week": "2018-01-01", "expected": 880_000, "low": 760_000, "high": 1_020_000},
            {"week": "2018-01-08", "expected": 870_000, "low": 750_000, "high": 1_010_000},
        ],
        "activity": {"active": 150, "late": 30, "asleep": 10, "never": 10, "late_value": 9_600_000},
        "value_bins": [
            {"low": 0, "high": 20_000, "customers": 120, "value": 1_000_000},
            {"low": 20_000, "high": 40_000, "customers": 60, "value": 1_800_000},
            {"low": 40_000, "high": 900_001, "customers": 20, "value": 2_500_000},
        ],
        "grid": [
            {
                "recency": recency,
                "frequency": frequency,
                "customers": recency * frequency,
                "value": 1000 * recency * frequency,
                "recency_low": (5 - recency) * 10,
                "recency_high": (5 - recency) * 10 + 9,
                "frequency_low": frequency,
                "frequency_high": frequency,
            }
            for recency in range(1, 6)
            for frequency in range(1, 6)
        ],
        "concentration": {
            "points": [{"customers": share / 10, "revenue": (share / 10) ** 0.5} for share in range(11)],
            "top_10": 0.35,
            "top_20": 0.55,
            "share_carrying_80": 0.42,
            "gini": 0.52,
        },
        "holdout": {
            "origin": "2017-10-01",
            "end": "2017-12-31",
            "days": 91,
            "customers": 200,
            "forecast": 3204.4,
            "low": 3157.2,
            "high": 3251.9,
            "actual": 3177,
            "mae": 4.4,
            "rmse": 6.7,
            "correlation": 0.83,
            "spend_forecast": 11_490_000,
            "spend_actual": 11_763_000,
            "singles": {
                "level": 0.9,
                "customers": 200,
                "held": 0.92,
                "randomised": 0.89,
                "tenths": [
                    {
                        "decile": n,
                        "customers": 20,
                        "expected": 20.0 / n,
                        "low": 12.0 / n,
                        "high": 29.0 / n,
                        "held": 0.87 + n / 100,
                        "randomised": 0.88,
                    }
                    for n in range(1, 11)
                ],
            },
            "deciles": [
                {
                    "decile": n,
                    "customers": 20,
                    "forecast": 400.0 / n,
                    "low": 350.0 / n,
                    "high": 450.0 / n,
                    "actual": 390 // n,
                }
                for n in range(1, 11)
            ],
        },
        "since_previous": {
            "run": 1,
            "as_of": "2017-12-01",
            "value_before": 118_500_000,
            "value_change": 2_500_000,
            "customers_before": 191,
            "became": {"late": 4, "asleep": 2},
        },
        "notes": ["The data hardly tell how customers leave for good."],
        "edges": {"value": [0, 20_000, 40_000, 900_001], "recency": [9, 19, 29, 39, 49], "frequency": [1, 2, 3, 4, 5]},
        "foreign_orders": 0,
        "visible_value": 121_000_000,
        "standing": {
            "rungs": [
                {"key": key, "customers": count, "value": count * 500_000}
                for key, count in (("suspect", 5), ("prospect", 5), ("customer", 70), ("client", 120), ("advocate", 0))
            ],
            "stages": [],
            "bonds": [
                {
                    "key": "local",
                    "bands": {"unknown": 10, "weak": 20, "moderate": 70, "strong": 100},
                    "tenths": [0, 5, 15, 20, 30, 20, 10, 20, 30, 40],
                    "mean": 0.62,
                },
                {
                    "key": "emotional",
                    "bands": {"unknown": 200, "weak": 0, "moderate": 0, "strong": 0},
                    "tenths": [0] * 10,
                    "mean": None,
                },
            ],
            "weekly": [
                {"day": f"2017-12-{day}", "stages": [5, 5, 9, day, 120, 20, 10, 5, 5, 2]} for day in (10, 17, 24, 31)
            ],
            "came_back": {"presumed": 200, "came": 120, "days": 91},
            "moves": {
                "since": "2017-10-01",
                "until": "2017-12-31",
                "customers": [[3 * (row == column) + row for column in range(10)] for row in range(10)],
            },
        },
        "selection": {
            "chosen": "bgnbd",
            "reason": "preferred",
            "by_rule": "bgnbd",
            "best": "mbgnbd",
            "pinned": None,
            "incumbent": None,
            "origins": ["2017-07-01", "2017-10-01"],
            "days": 91,
            "customers": 200,
            "candidates": [
                {
                    "model": key,
                    "title": title,
                    "total_error": 0.01 * n,
                    "mae": 4.4 + n / 100,
                    "rmse": 6.7,
                    "correlation": 0.83,
                    "deviance": 3.6 + n / 100,
                    "log_score": 0.17,
                    "excess": n / 100,
                    "excess_error": n / 90,
                    "failed": "",
                    "trials": [],
                }
                for n, (key, title) in enumerate((("mbgnbd", "MBG/NBD"), ("bgnbd", "BG/NBD"), ("bgbb", "BG/BB")))
            ],
        },
        "churn": {
            "days": 91,
            "customers": 190,
            "expected": 24.5,
            "low": 150,
            "elevated": 30,
            "high": 10,
            "high_value": 90_000,
            "once": 12,
            "own_path": True,
            "check": {
                "origin": "2017-10-01",
                "end": "2017-12-31",
                "paths": [
                    {
                        "path": "all",
                        "customers": 180,
                        "expected": 22.5,
                        "silent": 24,
                        "brier": 0.08,
                        "brier_base": 0.11,
                        "area": 0.84,
                        "area_low": 0.8,
                        "area_high": 0.88,
                        "by_recency": 0.81,
                        "bins": [
                            {
                                "customers": 60,
                                "expected": n / 10,
                                "share": n / 9,
                                "low": n / 12,
                                "high": min(n / 7 + 0.05, 1.0),
                            }
                            for n in range(3)
                        ],
                    }
                ],
            },
        },
    }
    return made | changed


def _triangle(months: int) -> dict[str, Any]:
    starts = [f"2017-{month:02d}-01" for month in range(1, 13, months)]
    ends = [f"2017-{month:02d}-28" for month in range(months, 13, months)]
    return {
        "months": months,
        "step": 30 * months,
        "rows": [
            {
                "start": start,
                "end": end,
                "customers": 40,
                "active": [40, *[30 - age for age in range(len(starts) - number - 1)]],
                "revenue": [90_000 - 1000 * age for age in range(len(starts) - number)],
                "again": [20 + age for age in range(len(starts) - number - 1)],
            }
            for number, (start, end) in enumerate(zip(starts, ends, strict=True))
        ],
        "earlier": 0,
        "complete": True,
    }


def parts() -> dict[str, Any]:
    """The parts of a run (:mod:`rondo.analysis.parts.shapes`)."""
    return {
        "cohorts": {
            "month": _triangle(1),
            "quarter": _triangle(3),
            "cut_until": "2017-01-31",
            "cut": 40,
            "currency": "USD",
        },
        "buying": {
            "buyers": 190,
            "orders": 4000,
            "returns": 2,
            "currency": "USD",
            "categories": [
                {"names": ["FOOD", "BREAD"], "found": True, "buyers": 150, "repeaters": 90, "revenue": 3_000_000},
                {"names": ["FOOD", "MILK"], "found": True, "buyers": 120, "repeaters": 100, "revenue": 2_000_000},
                {"names": ["MISC"], "found": False, "buyers": 20, "repeaters": 2, "revenue": 50_000},
            ],
            "more": 1,
            "more_revenue": 900,
            "unsorted": 80,
            "values": [
                {"low": low, "high": low + 1000 if low < 4000 else None, "orders": 5000 - low, "revenue": low * 1000}
                for low in range(0, 5000, 1000)
            ],
            "sizes": [
                {"low": 1, "high": 2, "orders": 2500, "revenue": 1_000_000},
                {"low": 2, "high": 5, "orders": 1000, "revenue": 2_000_000},
                {"low": 5, "high": None, "orders": 500, "revenue": 3_000_000},
            ],
            "median_value": 1761,
            "median_size": 5.0,
            "gaps": [100 - 2 * day for day in range(42)],
            "longer": 7,
            "median_gap": 3.0,
            "typical": [
                {"above": 0, "most": 7, "customers": 90},
                {"above": 7, "most": 30, "customers": 60},
                {"above": 30, "most": None, "customers": 30},
            ],
            "weekdays": [{"customers": 100 - day, "orders": 500 + day, "revenue": 700_000} for day in range(7)],
            "hours": [[day + hour for hour in range(24)] for day in range(7)],
            "zone": "America/New_York",
        },
        "worth": {
            "cells": [
                {"stage": stage, "risk": risk, "customers": 10 + number, "value": 5_000_000 * (number + 1)}
                for stage in ("growth", "maturity", "decline")
                for number, risk in enumerate(("low", "elevated", "high"))
            ],
            "saving": [],
            "at_stake": 0,
            "in_danger": 0,
            "carrying": {"customers": 80, "of": 190, "spend": 120_000},
        },
        "changes": {"counts": [{"change": "rarer", "customers": 12, "value": 340_000}], "judged": 150},
    }


def store_run(**changed: Any) -> Run:
    """The current run, with :func:`results` and :func:`parts`."""
    run = Run.objects.create(
        as_of=date(2017, 12, 31),
        status=Run.Status.DONE,
        is_current=True,
        finished_at=timezone.now(),
        config={"currency": "USD", "margin_rate": 0.25},
        results=results(**changed),
    )
    RunPart.objects.bulk_create(RunPart(run=run, name=name, figures=figures) for name, figures in parts().items())
    return run
