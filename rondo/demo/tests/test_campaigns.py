"""The response rates of the Complete Journey equal the published figures: 27 campaigns, 6,589 contacts."""

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.demo_home import DemoHome

ASK = """
import django, json; django.setup()
from rondo.campaigns.queries import report
found = report(None)
print(json.dumps([
    [t.type, t.campaigns, t.people, t.response.contacted, t.response.answered, t.response.reactions,
     round(100 * t.response.share.value, 2), t.response.share.low, t.response.share.high]
    for t in [*found.types, found.total]
]))
"""


def ask(demo: "DemoHome") -> list[list[Any]]:
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=demo.environment, capture_output=True, text=True, check=True, timeout=300
    )
    found: list[list[Any]] = json.loads(done.stdout)
    return found


def test_response_rates_equal_the_data(demo: "DemoHome") -> None:
    """Counted independently in the package's own tables: distinct (household, campaign) rows with a redemption."""
    found = ask(demo)
    assert [row[:7] for row in found] == [
        ["Type A", 4, 1490, 3647, 604, 1718, 16.56],
        ["Type B", 17, 995, 2368, 154, 323, 6.5],
        ["Type C", 6, 397, 574, 34, 61, 5.92],
        ["", 27, 1559, 6589, 792, 2102, 12.02],
    ]
    for *_, rate, low, high in found:
        assert low < rate / 100 < high


def test_twins_and_propensities_reach_what_they_promise(demo: "DemoHome") -> None:
    """By ``python -m bench.targets``; the floors are those of the measured baselines, .843 and .834."""
    command = [sys.executable, "-m", "bench.targets", "--home", str(demo.path), "--halves", "2", "--json"]
    done = subprocess.run(command, env=demo.environment, capture_output=True, text=True, check=True, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    everybody, contacted = found["twins"]["all"], found["twins"]["contacted"]
    assert everybody["model"] > 0.89 and contacted["model"] > 0.843
    assert min(one["model"] - one["neighbours"] for one in (everybody, contacted)) > 0.03
    foretold = found["propensity"]
    assert foretold["auc"] > 0.85 and foretold["low"] > 0.82 and foretold["lift"] > 3.5
    assert foretold["auc"] > max(foretold["by_answers"], foretold["by_spend"]) + 0.03
    assert abs(foretold["expected"] / foretold["answered"] - 1) < 0.2 and foretold["brier"] < foretold["brier_base"]
