"""Which pairs are looked at: those that share one of several keys, without the keys that too many share."""

import duckdb

from rondo.duplicates.engine.comparisons import Comparison

KEYS: dict[str, tuple[tuple[str, ...], str]] = {
    "mail": (("mail",), "unnest(mails)"),
    "box": (("mail",), "unnest(boxes)"),
    "phone": (("phone",), "unnest(phones)"),
    "name": (("given", "family"), "least(given, family) || '|' || greatest(given, family)"),
    "name_birth": (("birth",), "birth || '|' || unnest([given, family])"),
    "name_postal": (("city",), "coalesce(postal, city) || '|' || unnest([given, family])"),
    "name_street": (("street",), "coalesce(house, '') || '|' || street || '|' || unnest([given, family])"),
    "name_place": (("place",), "place || '|' || unnest([given, family])"),
    "name_city": (("city",), "city || '|' || given[1:2] || '|' || family[1:3]"),
    "birth_postal": (("birth", "city"), "birth || '|' || coalesce(postal, city)"),
    "birth_street": (("birth", "street"), "birth || '|' || street"),
    "birth_letters": (("birth", "family"), "birth || '|' || unnest([given[1:1], family[1:1]])"),
    "birth_swapped": (
        ("birth", "family"),
        "birth[1:4] || least(birth[5:6], birth[7:8]) || greatest(birth[5:6], birth[7:8]) || '|' || family[1:2]",
    ),
    "year_letters": (("birth", "family"), "birth[1:4] || '|' || given[1:3] || '|' || family[1:3]"),
    "month_letters": (("birth", "family"), "birth[5:8] || '|' || unnest([given[1:4], family[1:4]])"),
    "house": (("street", "house"), "house || '|' || unnest([street, place]) || '|' || coalesce(postal, city)"),
    "street_postal": (
        ("street", "city"),
        "street || '|' || coalesce(postal, city) || '|' || unnest([given[1:1], family[1:1]])",
    ),
    "house_letters": (("house", "city"), "house || '|' || unnest([street[1:4], place[1:4]]) || '|' || city[1:3]"),
    "name_letters": (("given", "city"), "given[1:4] || '|' || family[1:4] || '|' || region || '|' || city[1:2]"),
    "whole": (("family",), "CASE WHEN given IS NULL THEN family END"),
}
"""Per key: the comparisons whose columns it needs, and its expression over a record; null is no key. Names stand in
either order, so that exchanged ones meet; parts of a name meet misspelt ones."""


def block(connection: duckdb.DuckDBPyConnection, used: list[Comparison], limit: int) -> tuple[int, int]:
    """Make the table ``candidates`` (join_key_l, join_key_r) of pairs of records of one kind that share a key.

    A key that more than ``limit`` records share says nothing (a switchboard's number, a date that stands for "not
    known") and would cost its square; it is left out. Answers the number of pairs and of keys left out.
    """
    there = {one.key for one in used}
    connection.execute("CREATE OR REPLACE TABLE keyed (id BIGINT, key UBIGINT)")
    for name, (needs, expression) in KEYS.items():
        if there.issuperset(needs):
            connection.execute(
                f"INSERT INTO keyed SELECT DISTINCT id, hash('{name}', kind, value) "
                f"FROM (SELECT id, kind, {expression} AS value FROM records) WHERE value IS NOT NULL"
            )
    connection.execute(
        "CREATE OR REPLACE TABLE blocks AS SELECT key, count(*) AS records FROM keyed GROUP BY key HAVING count(*) > 1"
    )
    connection.execute(
        "CREATE OR REPLACE TABLE candidates AS SELECT DISTINCT a.id AS join_key_l, b.id AS join_key_r "
        "FROM blocks JOIN keyed a USING (key) JOIN keyed b USING (key) WHERE records <= ? AND a.id < b.id",
        [limit],
    )
    left_out = connection.execute("SELECT count(*) FROM blocks WHERE records > ?", [limit]).fetchall()
    pairs = connection.execute("SELECT count(*) FROM candidates").fetchall()
    connection.execute("DROP TABLE keyed")
    connection.execute("DROP TABLE blocks")
    return int(pairs[0][0]), int(left_out[0][0])
