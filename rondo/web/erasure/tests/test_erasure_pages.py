"""Proves the pages of erasure: nothing goes before the name is typed, and then it is told what went."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from rondo.customers.models import Customer
from rondo.erasure.actions import carry_out
from rondo.erasure.models import Erasure, Hold
from rondo.foundation.models import User
from rondo.web.tests.customers_data import make_customer

pytestmark = pytest.mark.django_db


def test_a_customer_is_erased_by_page(
    installation: Any, alice: User, signed_in: Callable[[User], Client], settings: Any, tmp_path: Any
) -> None:
    settings.RONDO_HOME, settings.RONDO_WAREHOUSE = tmp_path, tmp_path / "warehouse"
    row, client = make_customer("Zqada Zqlove"), signed_in(alice)
    here = f"/customers/{row.public_id}"
    assert f'href="{here}/data"' in client.get(f"{here}/").content.decode()
    page = client.get(f"{here}/data").content.decode()
    assert "rows are held about Zqada Zqlove" in page and "Erase for good" in page
    wrong = client.post(f"{here}/erase", {"confirm": "Zqada", "reason": "asked"})
    assert wrong.status_code == 422 and "nothing was erased" in wrong.content.decode()
    late = client.post(f"{here}/holds/put", {"reason": "A case", "until": "2001-01-01"})
    assert late.status_code == 422 and "is over" in late.content.decode()
    held = client.post(f"{here}/holds/put", {"reason": "A case"}, follow=True).content.decode()
    assert "It cannot be erased now: A case" in held and "Type “" not in held
    assert client.post(f"{here}/erase", {"confirm": "Zqada Zqlove", "reason": "asked"}).status_code == 422
    client.post(f"{here}/holds/{Hold.objects.get().pk}/end")
    done = client.post(f"{here}/erase", {"confirm": "zqada  zqlove", "reason": "asked"}, follow=True)
    going = done.content.decode()
    assert "is being erased" in going and "Zqada" not in going
    assert client.get(f"{here}/").status_code == 404
    erasure = Erasure.objects.get()
    assert carry_out(erasure.pk).status == "done"
    told = client.get(f"/settings/erasures/{erasure.public_id}/").content.decode()
    assert "1 person is erased" in told and "tonight" in told
    assert client.get(f"/settings/erasures/{erasure.public_id}/progress")["HX-Refresh"] == "true"
    assert "1 person was erased so far" in client.get("/settings/erasures/").content.decode()
    assert client.get("/settings/erasures/ledger.jsonl").content.count(b'"mark"') == 1
    kept = client.get("/settings/erasures/kept.csv")
    assert b"".join(kept.streaming_content).startswith(b"kind,day,kept_until")  # type: ignore[attr-defined]
    assert "Zqada" not in client.get("/settings/audit/").content.decode()
    client.post("/settings/erasures/years", {"orders": "6"})
    assert 'value="6"' in client.get("/settings/erasures/").content.decode()
    assert not Customer.objects.exclude(name="").exists()
