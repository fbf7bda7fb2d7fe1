"""The chart of what was promised and answered, on the page of a type and on that of a campaign."""

from pathlib import Path
from typing import Any

import pytest

from rondo.analysis.studies.actions import answer_study
from rondo.analysis.studies.models import Study
from rondo.campaigns.models import Campaign
from rondo.campaigns.tests.test_likelihood import history, people, warehouse
from rondo.foundation.models import User
from rondo.web.tests.charted import assert_whole, charts_of

pytestmark = pytest.mark.django_db

__all__ = ["history", "people", "warehouse"]


def test_it_has_its_table_its_csv_and_its_png(
    history: list[Campaign], warehouse: Path, alice: User, signed_in: Any
) -> None:
    answer_study(Study.objects.get().pk)
    client = signed_in(alice)
    for address in ("/campaigns/types/likely_type_a/", f"/campaigns/{history[4].public_id}/"):
        drawn = {chart.key: chart for chart in charts_of(client.get(address).content.decode())}
        assert_whole(client, drawn["calibration"])
