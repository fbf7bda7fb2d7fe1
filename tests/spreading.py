"""How the suite is spread over processors: what a file shares is made once, and what takes long begins first."""

import pytest
from xdist.scheduler import LoadScopeScheduling

DEMO = "rondo/demo/tests/"
LONG = (
    DEMO,
    "rondo/science/tests/test_intervals.py",
    "rondo/analysis/tests/test_runs.py",
    "rondo/web/tests/test_reach_everywhere.py",
    "rondo/interactions/tests/test_import_crashes.py",
    "rondo/analysis/tests/test_choice.py",
    "rondo/rules/tests/test_agreement.py",
    "rondo/warehouse/tests/",
    "rondo/analysis/",
    "rondo/web/tests/test_browser_",
    "rondo/web/analysis/",
    "rondo/web/segments/",
    "rondo/campaigns/",
)
"""Beginnings of the paths of what takes longest, the longest first; the rest follows as it is collected."""


class Spread(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a process the tests of a file together, and those of the demo's folder, whose home is made once."""

    def _split_scope(self, nodeid: str) -> str:
        return DEMO if nodeid.startswith(DEMO) else nodeid.partition("::")[0]


def begin_with_long(items: list[pytest.Item]) -> None:
    """Puts the tests that take longest first, so that no process is left with them at the end."""

    def rank(item: pytest.Item) -> int:
        return next((place for place, start in enumerate(LONG) if item.nodeid.startswith(start)), len(LONG))

    items.sort(key=rank)
