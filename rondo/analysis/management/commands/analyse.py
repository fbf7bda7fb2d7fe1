"""``rondo analyse [--as-of DATE] [--model KEY] [--json]``: facts, models and value of every customer."""

import json
from datetime import date
from typing import Any

from babel.numbers import format_currency, format_decimal
from django.core.management.base import CommandParser
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from rondo.analysis.actions import run_analysis, step_name
from rondo.analysis.models import Run
from rondo.errors import InputError
from rondo.foundation.actors import system
from rondo.foundation.management.base import RondoCommand
from rondo.foundation.money import Money


class Command(RondoCommand):
    help = gettext_noop(
        "Compute facts and values of all customers from the data up to a day (default: the last day with an order)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as-of", default="", help=_("Business date to look from, such as 2017-12-31."))
        parser.add_argument(
            "--model",
            default="",
            help=_(
                "Model of purchases for this run: bgnbd, mbgnbd, paretonbd, bgbb or hybrid (default: the pinned "
                "one, else the one that hold-outs choose)."
            ),
        )
        parser.add_argument(
            "--json", action="store_true", help=_("Print parameters, log-likelihoods and totals as JSON.")
        )

    def handle(self, *args: Any, as_of: str, model: str, json: bool, **options: Any) -> None:
        run = run_analysis(system(), _day(as_of), None if json else self._progress, model)
        if json:
            self.stdout.write(as_json(run))
        else:
            self._tell(run)

    def _progress(self, step: str, done: int, steps: int) -> None:
        self.stdout.write(f"[{done}/{steps}] {step_name(step)}")

    def _tell(self, run: Run) -> None:
        totals, value = run.results["totals"], run.results["value"]
        self.stdout.write(
            _("Run %(run)s as of %(day)s: %(customers)s customers, %(orders)s orders.")
            % {
                "run": run.pk,
                "day": run.as_of.isoformat(),
                "customers": format_decimal(totals["customers"], locale=get_language()),
                "orders": format_decimal(totals["orders"], locale=get_language()),
            }
        )
        if value is None:
            self.stdout.write(_("No value: %(reason)s") % {"reason": run.models_json["reason"]})
            return
        total, low, high = (
            format_currency(Money(value[key], value["currency"]).major, value["currency"], locale=get_language())
            for key in ("total", "low", "high")
        )
        self.stdout.write(
            _("Worth of the base over %(months)s months: %(total)s (90 %% interval %(low)s to %(high)s).")
            % {"months": value["horizon_months"], "total": total, "low": low, "high": high}
        )


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(_("--as-of %(day)r: no such day; write it as 2017-12-31.") % {"day": text}) from error


def _parameters(card: dict[str, Any]) -> dict[str, Any]:
    return {**card["parameters"], "log_likelihood": card["log_likelihood"]}


def as_json(run: Run) -> str:
    """Parameters by the key of their model, log-likelihoods, totals and hashes of a run, as JSON with sorted keys."""
    models = run.models_json
    often, much = (models.get("cards", {}).get(role) for role in ("purchases", "spend"))
    return json.dumps(
        {
            "run": run.pk,
            "as_of": run.as_of.isoformat(),
            "config": run.config,
            "fingerprint": run.fingerprint,
            "result_hash": run.result_hash,
            **({card["kind"]: _parameters(card) for card in (often, much)} if often and much else {}),
            "reason": models.get("reason"),
            "selection": run.results.get("selection"),
            "churn": run.results.get("churn"),
            "totals": run.results["totals"],
            "value": run.results["value"],
            "activity": run.results["activity"],
            "holdout": run.results["holdout"],
        },
        indent=2,
        sort_keys=True,
    )
