"""What customers who belong together are worth, as facts: on pages, in lists, by the API, for who sees all."""

from typing import Any

import pytest
from django.test import Client

from rondo.analysis.circles import FACTS
from rondo.customers import actions
from rondo.foundation.actors import system
from rondo.foundation.api_tokens import make_api_token
from rondo.foundation.models import User
from rondo.web.tests.customers_data import give_score, make_customer, make_run


@pytest.mark.django_db
def test_only_who_sees_all_customers_is_told(signed_in: Any, alice: User, bob: User, installation: Any) -> None:
    make_run()
    ann, ben = make_customer("Ann"), make_customer("Ben")
    for one in (ann, ben):
        give_score(one, value=50_00, household_members=2, household_value=120_00)
    actions.assign_owner(system(), ann, bob)
    for user, told in ((alice, True), (bob, False)):
        pages = signed_in(user)
        api = Client(headers={"authorization": f"Bearer {make_api_token(system(), user, 'test')}"})
        facts = {row["key"] for row in api.get(f"/api/v1/customers/{ann.public_id}/facts").json()["facts"]}
        assert (facts >= set(FACTS), not facts & set(FACTS)) == (told, not told)
        wanted = f"/api/v1/customers/{ann.public_id}/facts?key=household_value"
        assert api.get(wanted).status_code == (200 if told else 422)
        assert api.get("/api/v1/customers?rule=household_members %3D 2").status_code == (200 if told else 422)
        assert ("Value of the household" in pages.get(f"/customers/{ann.public_id}/").content.decode()) == told
        listed = pages.get("/customers/?cols=household_value&f=household_members:gte:2")
        assert ("Value of the household" in listed.content.decode()) == told
        exported = pages.get("/customers/export.csv?cols=household_value")
        if told:
            assert "120.00" in exported.getvalue().decode()
        else:
            assert exported.status_code == 403 or "120.00" not in exported.getvalue().decode()
