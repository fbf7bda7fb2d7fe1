"""The CDNOW log, imported as orders and analysed by the command, gives the published BG/NBD parameters."""

import json
from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.management import call_command
from django.db import transaction

from rondo.customers.models import Customer
from rondo.interactions.models import Interaction, Order, OrderLine
from rondo.science.tests.logs import cdnow_sample
from rondo.warehouse.tests.world import product, source


def load_cdnow() -> None:
    """The 1/10 sample as orders of one line, a customer's purchases of a day merged; cents of euros."""
    log = cdnow_sample()
    start = datetime(1997, 1, 1, tzinfo=UTC).date()
    with transaction.atomic():
        people = Customer.objects.bulk_create(Customer() for _ in range(log.n_customers))
        chain = Interaction.objects.bulk_create(
            Interaction(
                customer=people[code],
                kind="purchase",
                channel="web",
                direction="inbound",
                initiative="pull",
                medium="owned",
                occurred_at=datetime.combine(start + timedelta(days=int(day)), time(12), UTC),
                business_date=start + timedelta(days=int(day)),
                amount=int(spend),
                currency="EUR",
            )
            for code, day, spend in zip(log.customer, log.day, log.spend, strict=True)
        )
        origin, disc = source(), product("disc", "Music")
        Order.objects.bulk_create(
            Order(
                interaction=row,
                source=origin,
                number=str(row.pk),
                total=row.amount or 0,
                currency="EUR",
                line_count=1,
            )
            for row in chain
        )
        OrderLine.objects.bulk_create(
            OrderLine(order_id=row.pk, product=disc, quantity_milli=1000, total=row.amount or 0) for row in chain
        )


@pytest.mark.django_db
def test_the_published_parameters_come_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    load_cdnow()
    call_command("analyse", "--as-of", "1997-09-30", "--json")
    found = json.loads(capsys.readouterr().out)
    model = found["bgnbd"]
    # Fader, Hardie & Lee (2005), table 2: calibration of 39 weeks.
    assert f"{model['r']:.3f} {model['alpha']:.3f} {model['a']:.3f} {model['b']:.3f}" == "0.243 4.414 0.793 2.426"
    assert f"{model['log_likelihood']:.1f}" == "-9582.4"
    assert found["totals"]["buyers"] == 2357
