"""What goes into the columnar copy as text is a code: free text is refused at the door, and by the database."""

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from rondo.campaigns.models import Exposure
from rondo.foundation.models import Installation
from rondo.interactions.models import Order
from rondo.interactions.tests.import_files import load, rejects, write

pytestmark = pytest.mark.django_db

HEAD = "order,customer,product,occurred_at,total,store\n"
BAD = ["ann@bell.org", "=1+1", "call back, she said", "x" * 41, "What? No!", "+49 30 123456"]
GOOD = ["367", "Köln-Süd 2", "Main St. #4", "B&B (north)", ""]


@pytest.fixture(autouse=True)
def _company(installation: Installation) -> None:
    """New York, US dollars."""


def test_stores_are_codes(tmp_path: Path) -> None:
    rows = "".join(f'o{n},c,p,2017-03-01,1,"{store}"\n' for n, store in enumerate([*BAD, *GOOD]))
    run = load("orders", write(tmp_path, HEAD + rows))
    refused = rejects(run)
    assert [row["value"].lstrip("'") for row in refused] == BAD
    assert {row["column"] for row in refused} == {"store"}
    assert "short code" in refused[0]["reason"] and "longer than 40" in refused[3]["reason"]
    assert set(Order.objects.values_list("store", flat=True)) == set(GOOD)


def test_channels_are_codes(tmp_path: Path) -> None:
    text = "customer,kind,occurred_at,channel\nc,note,2017-03-01,a@b.org\nc,note,2017-03-01,e-mail\n"
    assert [row["line"] for row in rejects(load("interactions", write(tmp_path, text)))] == ["2"]


@pytest.mark.parametrize("text", ["two words", "a@b", "a\nb", "a\rb", "a\tb"])
@pytest.mark.parametrize("field", ["arm", "suppressed"])
def test_the_ledger_takes_codes_alone(tmp_path: Path, field: str, text: str) -> None:
    load("campaigns", write(tmp_path, "number,starts_on,ends_on\n8,2017-05-08,2017-06-25\n"))
    load("exposures", write(tmp_path, "campaign,customer\n8,c\n"))
    Exposure.objects.update(**{field: "no_consent"})
    with pytest.raises(IntegrityError, match="exposure_codes"), transaction.atomic():
        Exposure.objects.update(**{field: text})
