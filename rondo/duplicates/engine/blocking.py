"""Which pairs are looked at: those that share one of several keys, without the keys that too many share."""

import duckdb

from rondo.duplicates.engine.comparisons import Comparison

KEYS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "mail": (("mail",), "part", "mails"),
    "box": (("mail",), "part", "boxes"),
    "phone": (("phone",), "part", "phones"),
    "name": (("given", "family"), "least(given, family) || '|' || greatest(given, family)", ""),
    "name_birth": (("birth",), "birth || '|' || part", "[given, family]"),
    "name_postal": (("city",), "coalesce(postal, city) || '|' || part", "[given, family]"),
    "name_street": (("street",), "coalesce(house, '') || '|' || street || '|' || part", "[given, family]"),
    "name_place": (("place",), "place || '|' || part", "[given, family]"),
    "name_city": (("city",), "city || '|' || given[1:2] || '|' || family[1:3]", ""),
    "birth_postal": (("birth", "city"), "birth || '|' || coalesce(postal, city)", ""),
    "birth_street": (("birth", "street"), "birth || '|' || street", ""),
    "birth_letters": (("birth", "family"), "birth || '|' || part", "[given[1:1], family[1:1]]"),
    "birth_swapped": (
        ("birth", "family"),
        "birth[1:4] || least(birth[5:6], birth[7:8]) || greatest(birth[5:6], birth[7:8]) || '|' || family[1:2]",
        "",
    ),
    "year_letters": (("birth", "family"), "birth[1:4] || '|' || given[1:3] || '|' || family[1:3]", ""),
    "month_letters": (("birth", "family"), "birth[5:8] || '|' || part", "[given[1:4], family[1:4]]"),
    "house": (("street", "house"), "house || '|' || part || '|' || coalesce(postal, city)", "[street, place]"),
    "street_postal": (
        ("street", "city"),
        "street || '|' || coalesce(postal, city) || '|' || part",
        "[given[1:1], family[1:1]]",
    ),
    "house_letters": (
        ("house", "city"),
        "house || '|' || part || '|' || city[1:3]",
        "[street[1:4], place[1:4]]",
    ),
    "name_letters": (("given", "city"), "given[1:4] || '|' || family[1:4] || '|' || region || '|' || city[1:2]", ""),
    "whole": (("family",), "CASE WHEN given IS NULL THEN family END", ""),
}
"""Per key: the comparisons whose columns it needs, its expression over a record, and the list whose every ``part``
makes a key of its own, where there is one; null is no key. Names stand in either order, so that exchanged ones meet;
parts of a name meet misspelt ones."""


def keys_of(used: list[Comparison]) -> list[str]:
    """The keys that these comparisons allow."""
    there = {one.key for one in used}
    return [name for name, (needs, _expression, _parts) in KEYS.items() if there.issuperset(needs)]


def keyed(name: str) -> str:
    """The query for one key (id, key) over the table ``records``."""
    _needs, expression, parts = KEYS[name]
    whence = f"(SELECT *, unnest({parts}) AS part FROM records)" if parts else "records"
    return (
        f"SELECT DISTINCT id, hash('{name}', kind, value) AS key "
        f"FROM (SELECT id, kind, {expression} AS value FROM {whence}) WHERE value IS NOT NULL"
    )


BLOCKS = "SELECT key, count(*) AS records FROM keyed GROUP BY key HAVING count(*) > 1"


def candidates(limit: int) -> str:
    """The query for pairs (join_key_l, join_key_r) that share a key which at most ``limit`` records share."""
    return (
        "SELECT DISTINCT a.id AS join_key_l, b.id AS join_key_r FROM blocks JOIN keyed a USING (key) "
        f"JOIN keyed b USING (key) WHERE records <= {limit} AND a.id < b.id"
    )


def block(connection: duckdb.DuckDBPyConnection, used: list[Comparison], limit: int) -> tuple[int, int]:
    """Make the table ``candidates`` (join_key_l, join_key_r) of pairs of records of one kind that share a key.

    A key that more than ``limit`` records share says nothing (a switchboard's number, a date that stands for "not
    known") and would cost its square; it is left out. Answers the number of pairs and of keys left out.
    """
    connection.execute("CREATE OR REPLACE TABLE keyed (id BIGINT, key UBIGINT)")
    for name in keys_of(used):
        connection.execute(f"INSERT INTO keyed {keyed(name)}")
    connection.execute(f"CREATE OR REPLACE TABLE blocks AS {BLOCKS}")
    connection.execute(f"CREATE OR REPLACE TABLE candidates AS {candidates(limit)}")
    left_out = connection.execute("SELECT count(*) FROM blocks WHERE records > ?", [limit]).fetchall()
    pairs = connection.execute("SELECT count(*) FROM candidates").fetchall()
    connection.execute("DROP TABLE keyed")
    connection.execute("DROP TABLE blocks")
    return int(pairs[0][0]), int(left_out[0][0])
