"""Thresholds of ladder and life cycle: tried without effect, put into force with a reason, kept as versions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from rondo.analysis import thresholds
from rondo.analysis.actions import run_analysis
from rondo.analysis.models import Score, StandingVersion, Study
from rondo.analysis.studies.actions import answer_study
from rondo.analysis.tests.world import seeded_base
from rondo.analysis.thresholds import Thresholds
from rondo.errors import InputError, PermissionRefused, StateError
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, Installation, User
from rondo.science.standing import LadderRules, LifeCycleRules

SignIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _company(installation: Installation, settings: Any, tmp_path: Path) -> None:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    Installation.objects.update(currency="EUR")  # as the orders of the seeded base


def posted(**changed: object) -> dict[str, object]:
    """What the form sends, untouched but for ``changed``."""
    from rondo.web.views.standing_rules import ThresholdsForm

    form = ThresholdsForm(shown=Thresholds())
    return {name: form[name].value() for name in form.fields} | changed


def stages() -> dict[int, tuple[str | None, str | None]]:
    return {row.customer_id: (row.ladder, row.stage) for row in Score.objects.all()}


def test_a_dry_run_foretells_who_moves_and_changes_nothing(signed_in: SignIn, alice: User) -> None:
    """The customers that the dry run counts are exactly those who stand elsewhere after the analysis that follows."""
    seeded_base(customers=60, days=300)
    run_analysis(system())
    before = stages()
    client = signed_in(alice)
    assert client.post("/loyalty/rules", posted(ladder_client_from=12, life_cycle_decline=95)).status_code == 302
    study = answer_study(Study.objects.get().pk)
    assert study.status == "done", study.error
    foretold = study.results["moved"]
    assert foretold > 0 and stages() == before and not StandingVersion.objects.exists()
    page = client.get("/loyalty/rules").content.decode()
    assert f"{foretold} of {study.results['customers']} customers would move" in page
    assert "Client from" in page and "12 days" in page and "95" in page

    client.post("/loyalty/rules/apply", {"study": study.pk, "reason": "We sell by subscription"})
    assert thresholds.in_force().ladder == LadderRules(client_from=12)
    assert thresholds.in_force().life_cycle == LifeCycleRules(decline=0.95)
    run = run_analysis(system())
    assert run.config["standing"]["ladder"]["client_from"] == 12
    after = stages()
    assert sum(after[key] != before[key] for key in before) == foretold
    for scale, place in (("ladder", 0), ("stage", 1)):
        told = study.results["scales"][scale]
        pairs = [(before[key][place], after[key][place]) for key in before]
        for row, here in enumerate(told["keys"]):
            assert told["matrix"][row] == [pairs.count((here, there)) for there in told["keys"]]


def test_a_dry_run_of_an_older_analysis_says_so_and_is_tried_again_first(signed_in: SignIn, alice: User) -> None:
    """What it foretold is no longer linked nor put into force; tried again, it is of the new analysis."""
    seeded_base(customers=30, days=200)
    run_analysis(system())
    client = signed_in(alice)
    client.post("/loyalty/rules", posted(ladder_client_from=12))
    study = answer_study(Study.objects.get().pk)
    page = client.get("/loyalty/rules").content.decode()
    behind = "/customers/?f=ladder"
    assert "Put into force" in page and "Tried on the analysis of" in page
    assert behind in page and "Try again" not in page

    run_analysis(system())
    page = client.get("/loyalty/rules").content.decode()
    assert "There has been an analysis since these thresholds were tried" in page and "Try again" in page
    assert "Put into force" not in page and behind not in page
    answer = client.post("/loyalty/rules/apply", {"study": study.pk}, follow=True)
    assert "try it again first" in answer.content.decode() and not StandingVersion.objects.exists()

    assert client.post("/loyalty/rules/again", {"study": study.pk}).status_code == 302
    newest = answer_study(Study.objects.latest("pk").pk)
    assert newest.pk != study.pk and newest.config == study.config
    page = client.get("/loyalty/rules").content.decode()
    assert "Put into force" in page and "Try again" not in page
    client.post("/loyalty/rules/apply", {"study": newest.pk})
    assert thresholds.in_force().ladder == LadderRules(client_from=12)


def test_what_is_in_force_has_a_version_a_reason_and_an_audit_entry(signed_in: SignIn, alice: User) -> None:
    seeded_base(customers=20, days=120)
    run_analysis(system())
    made = thresholds.change(
        Actor(alice, "web"), Thresholds(LadderRules(hold_days=7)), expected_version=0, reason="Faster"
    )
    entry = AuditEntry.objects.get(verb="standing.changed")
    assert entry.changes == {"ladder.hold_days": [14, 7], "reason": [None, "Faster"]}
    assert thresholds.in_force() == made
    page = signed_in(alice).get("/loyalty/rules").content.decode()
    assert f"Version {made.version}" in page and "Faster" in page and "14 days → 7 days" in page
    assert "the next analysis brings them up to date" in page


def test_of_two_who_change_the_same_version_one_is_told(alice: User) -> None:
    actor = Actor(alice, "web")
    thresholds.change(actor, Thresholds(LadderRules(hold_days=7)), expected_version=0)
    with pytest.raises(StateError, match="changed in the meantime"):
        thresholds.change(actor, Thresholds(LadderRules(hold_days=9)), expected_version=0)
    with pytest.raises(InputError, match="in force already"):
        thresholds.change(actor, Thresholds(LadderRules(hold_days=7)), expected_version=thresholds.in_force().version)


def test_only_administrators_see_and_change_them(signed_in: SignIn, bob: User) -> None:
    assert signed_in(bob).get("/loyalty/rules").status_code == 403
    with pytest.raises(PermissionRefused):
        thresholds.change(Actor(bob, "web"), Thresholds(LadderRules(hold_days=7)), expected_version=0)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("life_cycle_endangered", "95", "This has to lie below the one of decline."),
        ("life_cycle_trend_days", "181", "An even number of days is needed"),
        ("ladder_client_from", "1", "greater than or equal to 2"),
        ("ladder_quantile", "abc", "Enter a number"),
        ("life_cycle_once", "100", "less than or equal to 99.99"),
    ],
)
def test_a_threshold_that_cannot_be_is_told_and_nothing_is_asked(
    signed_in: SignIn, alice: User, field: str, value: str, words: str
) -> None:
    answer = signed_in(alice).post("/loyalty/rules", posted(**{field: value}))
    assert answer.status_code == 400 and words in answer.content.decode()
    assert not Study.objects.exists()


def test_before_an_analysis_a_dry_run_says_what_is_missing(signed_in: SignIn, alice: User) -> None:
    client = signed_in(alice)
    client.post("/loyalty/rules", posted(ladder_client_from=4))
    study = answer_study(Study.objects.get().pk)
    assert study.status == "failed"
    assert "analyse first" in client.get("/loyalty/rules").content.decode()


def test_a_name_that_is_no_threshold_is_refused() -> None:
    with pytest.raises(InputError, match=r"ladder\.hold_day"):
        thresholds.read({"ladder": {"hold_day": 3}})
