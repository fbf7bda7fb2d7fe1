"""The demo's numbers equal the published figures of the Complete Journey, and running it again changes nothing."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rondo.demo import complete_journey
from rondo.demo.names import invent
from tests.demo_home import environment_for, rondo

if TYPE_CHECKING:
    from tests.demo_home import DemoHome

ASK = """
import json
import django; django.setup()
from django.db.models import Count, Sum
from rondo.analysis.models import Run
from rondo.campaigns.models import Campaign, Exposure
from rondo.catalogue.models import Product
from rondo.customers.models import Address, AttributeValue, Customer, Identifier
from rondo.foundation.models import Load
from rondo.interactions.models import Interaction, Order, OrderLine
purchases = Interaction.objects.filter(kind="purchase")
redemptions = Interaction.objects.filter(kind="redemption")
print(json.dumps({
    "households": Customer.objects.filter(kind="household").count(),
    "customers": Customer.objects.count(),
    "marked": Customer.objects.filter(is_demo=True).count(),
    "unmarked_mail": Identifier.objects.filter(kind__in=["email", "card"], is_demo=False).count(),
    "unmarked_addresses": Address.objects.filter(is_demo=False).count(),
    "at_least": Customer.objects.filter(known_since_at_least=True).count(),
    "with_demographics": AttributeValue.objects.values("customer").distinct().count(),
    "baskets": Order.objects.count(),
    "purchases": purchases.count(),
    "lines": OrderLine.objects.count(),
    "revenue": Order.objects.aggregate(s=Sum("total"))["s"],
    "line_revenue": OrderLine.objects.aggregate(s=Sum("total"))["s"],
    "nonpositive_quantity": OrderLine.objects.filter(quantity_milli__lte=0).count(),
    "nothing_paid": OrderLine.objects.filter(total=0).count(),
    "nonpositive_baskets": Order.objects.filter(total__lte=0).count(),
    "stores": Order.objects.values("store").distinct().count(),
    "products_bought": OrderLine.objects.values("product").distinct().count(),
    "described": Product.objects.filter(is_placeholder=False).count(),
    "placeholders": Product.objects.filter(is_placeholder=True).count(),
    "purchase_days": purchases.values("customer", "business_date").distinct().count(),
    "first": purchases.order_by("occurred_at")[0].occurred_at.isoformat(),
    "last": purchases.order_by("-occurred_at")[0].occurred_at.isoformat(),
    "campaigns": Campaign.objects.count(),
    "types": dict(Campaign.objects.values_list("type").annotate(n=Count("id"))),
    "exposures": Exposure.objects.count(),
    "exposed": Exposure.objects.values("customer").distinct().count(),
    "redemptions": redemptions.count(),
    "redeemers": redemptions.values("customer").distinct().count(),
    "answering": sum(
        r.in_response_to.exposure.customer_id == r.customer_id
        and c.starts_on <= r.business_date <= c.ends_on
        for r in redemptions.select_related("in_response_to__exposure__campaign")
        for c in [r.in_response_to.exposure.campaign]
    ),
    "loads": Load.objects.count(),
    "rejects": sum(sum(v for k, v in l.counts.items() if "reject" in k) for l in Load.objects.all()),
    "runs": Run.objects.count(),
}))
"""


def ask(demo: "DemoHome") -> dict[str, Any]:
    """Figures counted in the demo's own database, by a process of its own."""
    done = subprocess.run([sys.executable, "-c", ASK], env=demo.environment, capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def figures(demo: "DemoHome") -> dict[str, Any]:
    return ask(demo)


@pytest.mark.parametrize(
    ("figure", "published"),
    [
        ("customers", 2469),
        ("households", 2469),
        ("baskets", 155_848),
        ("purchases", 155_848),
        ("lines", 1_469_307),
        ("revenue", 459_603_958),
        ("line_revenue", 459_603_958),
        ("nonpositive_quantity", 8869),
        ("nothing_paid", 11_226 + 20),  # 20 more hold floating-point dust below 1e-14, which is no cent
        ("nonpositive_baskets", 478),
        ("stores", 457),
        ("products_bought", 68_509),
        ("described", 92_331),
        ("placeholders", 17),
        ("purchase_days", 127_431),
        ("with_demographics", 801),
        ("first", "2017-01-01T11:53:26+00:00"),
        ("last", "2018-01-01T04:01:20+00:00"),
        ("campaigns", 27),
        ("types", {"Type A": 4, "Type B": 17, "Type C": 6}),
        ("exposures", 6589),
        ("exposed", 1559),
        ("redemptions", 2102),
        ("redeemers", 410),
        ("answering", 2102),
        ("rejects", 0),
    ],
)
def test_loaded_figures_equal_the_published_ones(figures: dict[str, Any], figure: str, published: object) -> None:
    assert figures[figure] == published


def test_everything_invented_is_marked(figures: dict[str, Any]) -> None:
    assert figures["marked"] == figures["customers"]
    assert figures["unmarked_mail"] == figures["unmarked_addresses"] == 0


def test_the_left_cut_of_the_log_is_told(figures: dict[str, Any]) -> None:
    """Who first appears in January 2017 (in the company's zone) may be a customer of much longer standing."""
    assert figures["at_least"] == 1983


def test_summary_prints_the_figures_and_the_interval(demo: "DemoHome") -> None:
    for text in ("2,469", "155,848", "1,469,307", "$4,596,039.58", "27", "6,589", "2,102", "calibrated 90% interval"):
        assert text in demo.output
    assert "seconds in all" in demo.output


def test_second_run_changes_nothing(demo: "DemoHome", figures: dict[str, Any]) -> None:
    again = demo.run("demo", "--no-serve")
    assert "seconds for" not in again.stdout
    assert "1,469,307" in again.stdout
    assert ask(demo) == figures


def test_a_port_in_use_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = rondo(environment_for(tmp_path, RONDO_PORT=port), "demo", check=False)
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be listened on" in done.stderr
    assert not (tmp_path / "rondo.sqlite3").exists()


def test_columnar_copy_agrees_with_the_store(demo: "DemoHome") -> None:
    """As the demo left it, and again with whatever the tests of this home wrote since."""
    assert demo.checked is not None
    assert demo.checked.returncode == 0, demo.checked.stdout
    demo.run("warehouse", "refresh")
    demo.run("warehouse", "check")


def test_invented_identity_is_the_same_on_every_machine() -> None:
    assert invent(1) == invent(1) != invent(2)
    assert invent(1).email.endswith("@example.com")
    assert {key for key, _, _ in ((k, *v[:2]) for k, v in complete_journey.ATTRIBUTES.items())} == {
        "age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count",
    }  # fmt: skip
