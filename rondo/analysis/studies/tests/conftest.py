"""Each test has a columnar copy of its own."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def warehouse(settings: Any, tmp_path: Path) -> Path:
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    return tmp_path / "warehouse"
