"""An analysis is stored whole or not at all, finds the same twice, and is served in one step."""

import json
from datetime import date
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from rondo.analysis import scores
from rondo.analysis.actions import STEPS, run_analysis
from rondo.analysis.indexing import index_job, request_indices
from rondo.analysis.jobs import analyse_job, request_analysis
from rondo.analysis.models import History, Run, Score
from rondo.analysis.queries import current_run
from rondo.analysis.summary import NOTE_FUTURE
from rondo.analysis.tests.world import customer, purchase, seeded_base
from rondo.errors import InputError, PermissionRefused
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, User
from rondo.warehouse.tables import open_tables
from rondo.warehouse.tests.world import end_apart, run_apart, start_apart


def stored() -> tuple[str, str, list[tuple[Any, ...]]]:
    run = current_run()
    assert run is not None
    return run.fingerprint, run.result_hash, list(Score.objects.order_by("pk").values_list())


@pytest.mark.django_db
def test_a_run_fills_scores_results_and_the_copy() -> None:
    people = seeded_base()
    idle = customer("Idle")
    seen: list[tuple[str, int, int]] = []
    run = run_analysis(system(), progress=lambda *step: seen.append(step))
    assert [step[0] for step in seen] == list(STEPS)
    assert (run.status, run.is_current, Run.objects.filter(is_current=True).count()) == ("done", True, 1)
    assert Score.objects.count() == len(people) + 1
    results = run.results
    assert results["totals"]["customers"] == len(people) + 1
    assert results["totals"]["buyers"] == len(people)
    assert results["totals"]["revenue"] == sum(one.spend or 0 for one in Score.objects.all())
    assert results["value"]["total"] == results["visible_value"]
    assert results["value"]["low"] < results["value"]["total"] < results["value"]["high"]
    assert sum(results["activity"][state] for state in ("active", "late", "asleep", "never")) == len(people) + 1
    assert sum(one["customers"] for one in results["value_bins"]) == len(people)
    assert sum(one["value"] for one in results["value_bins"]) == results["value"]["total"]
    assert sum(cell["customers"] for cell in results["grid"]) == len(people)
    assert sum(week["revenue"] for week in results["weekly"]) == results["totals"]["revenue"]
    assert results["holdout"]["days"] == 91
    assert sum(row["actual"] for row in results["holdout"]["deciles"]) == results["holdout"]["actual"]
    assert len(results["forecast"]) == 13 and results["concentration"]["points"][-1] == {
        "customers": 1.0,
        "revenue": 1.0,
    }
    never = Score.objects.get(pk=idle.pk)
    assert (never.activity, never.value, never.orders, never.overdue) == ("never", None, 0, None)
    with open_tables() as tables:
        copied = tables.arrow(tables.scores.value.sum()).as_py()
    assert copied == results["value"]["total"]
    assert AuditEntry.objects.filter(verb="analysis.run", record_id=run.pk).exists()
    json.dumps(results, allow_nan=False)


@pytest.mark.django_db
def test_two_runs_on_the_same_data_have_equal_hashes_and_other_data_another() -> None:
    people = seeded_base(customers=40, days=200)
    run_analysis(system())
    first = stored()
    run_analysis(system())
    assert stored() == first
    purchase(people[0], "2023-05-05", 12345)
    run_analysis(system(), as_of=current_run().as_of)  # type: ignore[union-attr]
    assert stored()[0] != first[0] and stored()[1] != first[1]


@pytest.mark.django_db
def test_the_day_can_be_chosen_and_later_orders_change_nothing() -> None:
    people = seeded_base(customers=40, days=200)
    day = date(2023, 5, 1)
    run_analysis(system(), as_of=day)
    before = stored()
    purchase(people[0], "2023-12-24", 999_999)
    run_analysis(system(), as_of=day)
    assert stored() == before
    assert run_analysis(system()).as_of == date(2023, 12, 24)


@pytest.mark.django_db
def test_a_day_before_the_data_or_far_away_is_refused_and_the_figures_stay() -> None:
    purchase(customer("Ann"), "2023-12-24", 100)
    run_analysis(system())
    before = stored()
    for day in (date(1, 1, 1), date(2023, 12, 23), date(9999, 12, 31)):
        with pytest.raises(InputError, match=r"first order is of 2023-12-24|between 1900 and 2100"):
            run_analysis(system(), as_of=day)
        assert stored() == before, day


@pytest.mark.django_db
def test_what_changed_since_the_run_before() -> None:
    ann = customer("Ann")
    for day in (1, 8, 15, 22):
        purchase(ann, date(2024, 1, day))
    bob = customer("Bob")
    purchase(bob, "2024-01-20", 500)
    run_analysis(system())
    purchase(bob, "2024-02-04", 500)
    run = run_analysis(system())
    since = run.results["since_previous"]
    assert since["as_of"] == "2024-01-22"
    assert since["became"] == {"late": 1}  # Ann: 13 days, her longest gap is 7
    again = run_analysis(system())
    assert again.results["since_previous"] == since


@pytest.mark.django_db
def test_data_too_thin_for_models_still_give_facts() -> None:
    purchase(customer("Ann"), "2024-01-05", 700)
    run = run_analysis(system())
    assert run.results["value"] is None and "No value was computed" in " ".join(run.results["notes"])
    assert Score.objects.get().spend == 700


@pytest.mark.django_db
def test_nothing_at_all_can_be_analysed() -> None:
    run = run_analysis(system())
    assert run.results["totals"]["orders"] == 0 and run.results["weekly"] == [] and run.results["grid"] == []


@pytest.mark.django_db
def test_orders_dated_in_the_future_are_left_out_and_told() -> None:
    ann = customer("Ann")
    purchase(ann, "2024-01-05", 700)
    assert NOTE_FUTURE not in run_analysis(system()).results["notes"]
    purchase(ann, date(2099, 1, 5), 900)
    run = run_analysis(system())
    assert (run.as_of, run.results["totals"]["revenue"]) == (date(2024, 1, 5), 700)
    assert NOTE_FUTURE in run.results["notes"]


@pytest.mark.django_db
def test_a_week_of_returns_alone_does_not_blow_up_the_band_of_the_forecast() -> None:
    people = seeded_base()
    for person in people[:20]:
        purchase(person, date(2023, 10, 18), -50_000)
    forecast = run_analysis(system()).results["forecast"]
    assert forecast and all(point["high"] < 20 * point["expected"] for point in forecast), forecast


@pytest.mark.django_db
def test_orders_in_another_currency_are_left_out_and_counted() -> None:
    ann = customer("Ann")
    purchase(ann, "2024-01-05", 700)
    purchase(ann, "2024-01-06", 900, currency="USD")
    run = run_analysis(system())
    assert (run.results["totals"]["revenue"], run.results["foreign_orders"]) == (700, 1)


@pytest.mark.django_db
def test_only_who_may_analyse_does(alice: User, charlie: User) -> None:
    with pytest.raises(PermissionRefused):
        run_analysis(Actor(charlie, "web"))
    with pytest.raises(PermissionRefused):
        request_analysis(Actor(charlie, "web"))
    purchase(customer("Ann"), "2024-01-05")
    assert Run.objects.get(pk=analyse_job.call(alice.pk)).actor == alice


@pytest.mark.django_db
def test_a_failed_run_says_why_and_the_scores_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    purchase(customer("Ann"), "2024-01-05")
    run_analysis(system())
    before = stored()

    def fail(*_args: object) -> None:
        raise InputError("scores: no room on the disk; free some and run again.")

    monkeypatch.setattr("rondo.analysis.actions.scores.prepare", fail)
    with pytest.raises(InputError):
        run_analysis(system())
    failed = Run.objects.latest("id")
    assert (failed.status, failed.is_current) == ("failed", False)
    assert failed.error == "scores: no room on the disk; free some and run again."
    assert stored() == before


@pytest.mark.django_db
def test_the_command_prints_parameters_and_refuses_a_day_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    seeded_base(customers=40, days=200)
    call_command("analyse", "--json")
    found = json.loads(capsys.readouterr().out)
    assert set(found["bgnbd"]) == {"r", "alpha", "a", "b", "log_likelihood"}
    assert found["totals"]["customers"] == 40 and found["value"]["total"] > 0
    with pytest.raises(InputError, match="2017-12-31"):
        call_command("analyse", "--as-of", "31.12.2017")


@pytest.mark.django_db(transaction=True)
def test_readers_see_the_old_scores_until_the_new_ones_stand() -> None:
    ann = customer("Ann")
    purchase(ann, "2024-01-05", 100)
    run_analysis(system())
    purchase(ann, "2024-01-06", 900)
    script = (
        "from rondo.analysis import scores\n"
        "from rondo.analysis.actions import run_analysis\n"
        "from rondo.analysis.models import Score\n"
        "from rondo.foundation.actors import system\n"
        "put = scores.put_in_place\n"
        "def look(*names, **how):\n"
        "    import threading\n"
        "    from django.db import connection\n"
        "    seen = []\n"
        "    def read():\n"
        "        seen.append(list(Score.objects.values_list('spend', flat=True)))\n"
        "        connection.close()\n"
        "    reader = threading.Thread(target=read); reader.start(); reader.join()\n"
        "    print(seen)\n"
        "    put(*names, **how)\n"
        "scores.put_in_place = look\n"
        "run_analysis(system())\n"
        "print(list(Score.objects.values_list('spend', flat=True)))"
    )
    done = run_apart(script)
    assert done.stdout.split("\n")[:2] == ["[[100]]", "[1000]"], done.stderr


KILL = """
import os, signal, sys
from rondo.analysis import actions, scores
from rondo.foundation.actors import system
def killed(*args, **kwargs): os.kill(os.getpid(), signal.SIGKILL)
for at in sys.stdin:
    child = os.fork()  # each run is a process of its own, without the seconds that imports take
    if child == 0:
        exec(at)
        actions.run_analysis(system())
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
POINTS = (
    "actions.scores.put_in_place = killed",
    "actions._copy_scores = killed",
    "scores._insert = killed",
    "actions.audit.record = killed",
)


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_point_the_next_run_ends_the_same() -> None:
    people = seeded_base(customers=20, days=150)
    run_analysis(system())
    victims = start_apart(KILL)
    assert victims.stdin is not None and victims.stdout is not None
    try:
        for number, at in enumerate(POINTS):
            served = stored()
            purchase(people[0], date(2023, 6, 20 + number), 777)
            victims.stdin.write(f"{at}\n")
            victims.stdin.flush()
            assert victims.stdout.readline() == "-9\n", at
            assert stored() == served, at
            run = run_analysis(system())
            ended = stored()
            assert ended != served, at
            assert scores.leftovers() == [], at
            assert list(Run.objects.order_by("id").values_list("status", flat=True))[-2:] == ["failed", "done"], at
            run_analysis(system())
            assert stored() == ended and run.result_hash == ended[1], at
    finally:
        end_apart(victims)


ANALYSE = """
from functools import partial
from rondo.analysis import actions
from rondo.errors import StateError
from rondo.foundation.actors import system
def slowly(*args, copy=actions._copy_scores):
    print('there', flush=True)
    input()
    copy(*args)
"""


@pytest.mark.django_db(transaction=True)
def test_of_two_analyses_at_once_the_second_waits_or_is_refused_and_all_is_whole() -> None:
    people = seeded_base(customers=20, days=150)
    run_analysis(system())
    served = stored()
    purchase(people[0], "2023-06-30", 777)
    first = start_apart(f"{ANALYSE}actions._copy_scores = slowly\nactions.run_analysis(system())")
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "there\n"
        refused = run_apart(
            f"{ANALYSE}actions.exclusive = partial(actions.exclusive, wait=0.3)\n"
            "try:\n    actions.run_analysis(system())\nexcept StateError as error:\n    print(error)"
        )
        assert refused.stdout == (
            "analysis: another process is at it and has not ended; wait for it, or stop it and try again.\n"
        ), refused.stderr
        assert list(Run.objects.order_by("id").values_list("status", flat=True)) == ["done", "running"]
        assert stored() == served, "what is served is what was served before either"
        waiting = start_apart(
            f"{ANALYSE}from rondo.warehouse import locks\n"
            "def told(*args, wait=locks._wait):\n    print('waits', flush=True)\n    wait(*args)\n"
            "locks._wait = told\nactions.run_analysis(system())"
        )
        try:
            assert waiting.stdout is not None
            assert waiting.stdout.readline() == "waits\n"
            assert Run.objects.count() == 2
        finally:
            ended = [end_apart(first, "\n"), end_apart(waiting)]
    finally:
        first.kill()
    assert [(done.returncode, done.stderr) for done in ended] == [(0, "")] * 2
    assert list(Run.objects.order_by("id").values_list("status", "is_current")) == [
        ("done", False),
        ("done", False),
        ("done", True),
    ]
    one, two = Run.objects.order_by("id")[1:]
    assert (one.fingerprint, one.result_hash) == (two.fingerprint, two.result_hash)
    assert scores.leftovers() == []
    call_command("warehouse", "check")
    ended_at = stored()
    run_analysis(system())
    assert stored() == ended_at != served


@pytest.mark.django_db(transaction=True)
def test_the_served_table_keeps_its_shape_and_an_index_per_fact() -> None:
    purchase(customer("Ann"), "2024-01-05")
    run_analysis(system())
    run = run_analysis(system())
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, scores.TABLE)
        indexed = {tuple(one["columns"]) for one in found.values() if one["index"] and not one["primary_key"]}
        primary = [one["columns"] for one in found.values() if one["primary_key"]]
        columns = [one.name for one in connection.introspection.get_table_description(cursor, scores.TABLE)]
        by_rowid = connection.vendor == "sqlite"
        for name in columns[1:] if by_rowid else ():
            order = f"ORDER BY {name} DESC, customer_id DESC"
            cursor.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {scores.TABLE} {order} LIMIT 5")
            plan = " ".join(str(row[-1]) for row in cursor.fetchall())
            assert f"USING INDEX score_{run.pk}_{name}" in plan and "TEMP" not in plan, plan
    assert primary == [["customer_id"]]
    assert columns == scores.schema().names
    assert {(name,) if by_rowid else (name, "customer_id") for name in columns[1:]} <= indexed
    assert f"score_{run.pk}_value" in found
    assert scores.leftovers() == []


@pytest.mark.django_db(transaction=True)
def test_a_large_base_is_served_before_all_its_indices_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages ask for the same rows with the first indices alone as with all of them, which a job adds while its run is
    the one being served."""
    for number, name in enumerate(("Ann", "Bob", "Eve"), start=1):
        one = customer(name)
        for day in range(1, number + 1):
            purchase(one, f"2024-01-0{day}")

    def indexed() -> set[str]:
        with connection.cursor() as cursor:
            found = connection.introspection.get_constraints(cursor, scores.TABLE)
        return {name.removeprefix(f"score_{run.pk}_") for name in found if name.startswith(f"score_{run.pk}_")}

    monkeypatch.setattr(scores, "INDEXED_AT_ONCE", 0)
    monkeypatch.setattr("rondo.analysis.indexing.enqueue_after_commit", lambda job, key: queued.append((job, key)))
    queued: list[tuple[Any, int]] = []
    earlier = run_analysis(system())
    run = run_analysis(system())
    assert indexed() == set(scores.FIRST)
    before = list(Score.objects.order_by("-orders", "-pk").values_list("pk", "orders"))
    assert queued == [(index_job, earlier.pk), (index_job, run.pk)]
    replaced = {f"{model._meta.db_table}_run_{run.pk}_old" for model in (Score, History)}
    assert set(scores.leftovers()) == (replaced if connection.vendor == "sqlite" else set())
    assert index_job.func(earlier.pk) == 0  # its scores are gone
    assert scores.leftovers() == []
    assert indexed() == set(scores.FIRST)
    assert scores.index(run.pk) == len(scores.schema()) - 1 - len(scores.FIRST)
    assert indexed() == set(scores.schema().names[1:])
    assert (scores.index(run.pk), scores.unindexed(run.pk)) == (0, [])
    assert list(Score.objects.order_by("-orders", "-pk").values_list("pk", "orders")) == before
    request_indices()
    assert len(queued) == 2  # nothing is left to build


@pytest.mark.django_db
def test_a_run_inside_a_transaction_that_rolls_back_leaves_nothing() -> None:
    purchase(customer("Ann"), "2024-01-05")
    with transaction.atomic():
        run_analysis(system())
        transaction.set_rollback(True)
    assert (Run.objects.count(), Score.objects.count()) == (0, 0)
