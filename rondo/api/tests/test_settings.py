"""What was on the pages alone: a list into the bin, settings, retention, reasons for leaving, searches."""

import pytest

from rondo.api.tests.conftest import Shop
from rondo.api.tests.test_customer_writing import Call, caller
from rondo.customers.actions.binning import carry_out_binning
from rondo.customers.models import Bin, Customer
from rondo.customers.queries import visible
from rondo.duplicates.models import Search
from rondo.erasure.models import Erasure
from rondo.foundation.models import AuditEntry, Installation, User
from rondo.foundation.rights import RIGHTS
from rondo.retention.models import Rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(shop: Shop, alice: User) -> Call:
    return caller(alice, *RIGHTS)


def test_a_whole_list_goes_into_the_bin_as_it_was_counted_and_comes_back(call: Call, shop: Shop, alice: User) -> None:
    people = [shop.customer(name, kind="person") for name in ("Ada", "Ben", "Cem")]
    household = shop.customer("Miller")
    wanted = {"f": ["kind:is:person"]}
    assert call("POST", "bin", wanted).json()["errors"][0]["pointer"] == "body/count"
    late = call("POST", "bin", {**wanted, "count": 2})
    assert late.status_code == 409 and "3 customers now" in late.json()["detail"] and not Bin.objects.exists()
    asked = call("POST", "bin", {**wanted, "count": 3}).json()
    assert (asked["status"], asked["total"], asked["by"]) == ("queued", 3, alice.email)
    carry_out_binning(Bin.objects.get().pk)
    done = call("GET", f"bin/{asked['id']}").json()
    assert (done["status"], done["count"], done["back"]) == ("done", 3, 0)
    assert list(visible(None)) == [household]
    page = call("GET", "bin?limit=2").json()
    rest = call("GET", page["next"].partition("/api/v1/")[2]).json()
    assert [row["id"] for row in page["data"] + rest["data"]] == [row.public_id for row in people]
    assert {row["bin"] for row in page["data"]} == {asked["id"]} and rest["next"] is None
    assert call("POST", f"bin/{asked['id']}/restore").json()["back"] == 3
    assert call("GET", "bin").json()["data"] == [] and visible(None).count() == 4


def test_customers_named_go_together_or_not_at_all(call: Call, shop: Shop, charlie: User) -> None:
    ada, ben = shop.customer("Ada"), shop.customer("Ben")
    assert call("POST", "bin", {"customers": [ada.public_id, "c_none"]}).status_code == 404
    assert call("POST", "bin", {}).status_code == call("POST", "bin", {"customers": ["x"], "q": "y"}).status_code == 422
    made = call("POST", "bin", {"customers": [ada.public_id, ben.public_id]}).json()
    assert (made["status"], made["count"]) == ("done", 2)
    other = caller(charlie, "see")
    assert other("GET", "bin").status_code == 403
    User.objects.filter(pk=charlie.pk).update(role="manager")
    assert caller(User.objects.get(pk=charlie.pk), "see", "delete")("GET", f"bin/{made['id']}").status_code == 404


def test_rules_of_retention_are_tried_and_then_changed(call: Call, shop: Shop, alice: User) -> None:
    row = shop.customer("Never active")
    Customer.objects.filter(pk=row.pk).update(created_at="2015-01-01T00:00:00Z")
    tried = {
        one["kind"]: one
        for one in call("POST", "settings/retention/trial", {"days": {"prospects": 365}}).json()["rules"]
    }
    assert (tried["prospects"]["days"], tried["prospects"]["goes"], tried["bin"]["days"]) == (365, 1, None)
    assert not Rule.objects.exists()
    for wrong in ({"prospects": 0}, {"prospects": 99_999}, {"nothing": 30}):
        for where, verb in (("settings/retention/trial", "POST"), ("settings/retention", "PATCH")):
            assert call(verb, where, {"days": wrong}).status_code == 422
    held = {
        one["kind"]: one for one in call("PATCH", "settings/retention", {"days": {"prospects": 365}}).json()["rules"]
    }
    assert (held["prospects"]["days"], held["prospects"]["changed_by"]) == (365, alice.email)
    assert AuditEntry.objects.get(verb="retention.changed").door == "api"
    call("PATCH", "settings/retention", {"days": {"prospects": None}})
    assert not Rule.objects.exists()
    narrow = caller(alice, "see", "administer")("PATCH", "settings/retention", {"days": {"bin": 60}})
    assert (narrow.status_code, narrow.json()["scope"]) == (403, "erase")


def test_settings_of_the_company_are_changed_field_by_field(call: Call) -> None:
    before = call("GET", "settings/company").json()
    changed = call("PATCH", "settings/company", {"margin_rate": 0.31, "time_zone": "Europe/Berlin"}).json()
    assert changed == {**before, "margin_rate": 0.31, "time_zone": "Europe/Berlin"}
    for wrong in ({"time_zone": "Berlin"}, {"currency": "EEE"}, {"margin_rate": 2}, {"horizon_months": 0}):
        assert call("PATCH", "settings/company", wrong).status_code == 422, wrong
    assert call("GET", "settings/company").json() == changed
    assert Installation.objects.get().horizon_months == before["horizon_months"]
    assert call("PATCH", "settings/erasures", {"years": {"orders": 7}}).json()["years"]["orders"] == 7
    assert call("PATCH", "settings/erasures", {"years": {"orders": 99}}).status_code == 422


def test_reasons_for_leaving_are_added_changed_and_taken_back(call: Call) -> None:
    made = call("POST", "leaving-reasons", {"group": "product", "label_en": "Out of stock"}).json()
    assert (made["key"], made["own"], made["is_offered"]) == ("out_of_stock", True, True)
    assert call("POST", "leaving-reasons", {"group": "product", "label_en": "out of STOCK"}).status_code == 422
    less = call("PATCH", "leaving-reasons/out_of_stock", {"is_offered": False}).json()
    assert (less["label_en"], less["is_offered"]) == ("Out of stock", False)
    told = call("POST", f"leaving-reasons/changes/{less['change']}/undo").json()["data"]
    assert next(one for one in told if one["key"] == "out_of_stock")["is_offered"]
    told = call("POST", f"leaving-reasons/changes/{made['change']}/undo").json()["data"]
    assert all(one["key"] != "out_of_stock" for one in told) and len(told) == 12
    assert call("GET", "leaving-reasons/out_of_stock").status_code == 404


def test_a_search_for_duplicates_is_asked_for_and_the_threshold_set(call: Call, alice: User) -> None:
    first = call("POST", "duplicates/searches").json()
    assert (first["status"], first["kept"]) == ("queued", None)
    assert call("POST", "duplicates/searches").json()["id"] == first["id"], "one is under way"
    Search.objects.update(status="done", results={"kept": 4})
    assert call("GET", f"duplicates/searches/{first['id']}").json()["kept"] == 4
    assert call("GET", "settings/automatic-merging").json()["least"] is None
    assert call("GET", "settings/automatic-merging?least=0.95").json()["would"] == 0
    assert call("PUT", "settings/automatic-merging", {"least": 0.5}).status_code == 422
    assert call("PUT", "settings/automatic-merging", {"least": 0.999}).json()["least"] == 0.999
    narrow = caller(alice, "see", "administer")("PUT", "settings/automatic-merging", {"least": None})
    assert (narrow.status_code, narrow.json()["scope"]) == (403, "merge")


def test_an_erasure_that_failed_goes_on(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Erasure.objects.create(reason="asked", persons=1, status=Erasure.Status.FAILED, error="The disk was full.")
    asked: list[int] = []
    monkeypatch.setattr("rondo.api.v1.erasure.enqueue_erasure", asked.append)
    assert call("POST", f"erasures/{row.public_id}/again").json()["status"] == "failed"
    Erasure.objects.update(status=Erasure.Status.DONE)
    call("POST", f"erasures/{row.public_id}/again")
    assert asked == [row.pk]
