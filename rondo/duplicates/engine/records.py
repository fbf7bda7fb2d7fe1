"""What is compared: the columns a caller gives, and their comparable forms in DuckDB.

The forms are derived in one statement of SQL each, so that a million rows cost seconds and no copy in Python.
"""

import duckdb
import pyarrow as pa

RECORDS = pa.schema(
    [
        ("id", pa.int64()),
        ("kind", pa.string()),
        ("name", pa.string()),
        ("given", pa.string()),
        ("family", pa.string()),
        ("birth", pa.string()),
        ("street", pa.string()),
        ("postal", pa.string()),
        ("city", pa.string()),
        ("region", pa.string()),
        ("mails", pa.list_(pa.string())),
        ("phones", pa.list_(pa.string())),
    ]
)
"""Columns of the rows to compare, one row a customer; all but ``id`` and ``kind`` may be null or empty. ``birth`` is
written YYYY-MM-DD or YYYYMMDD; ``phones`` are E.164, as identifiers have them; ``mails`` as they were written."""

PHONE_DIGITS = 8
"""So many digits at the end of a phone number are compared: without the country, and the area in most of the world."""

_FOLD = """CREATE OR REPLACE MACRO folded(t) AS nullif(trim(regexp_replace(regexp_replace(strip_accents(
    replace(replace(replace(replace(replace(replace(lower(t), 'ß', 'ss'), 'ø', 'o'), 'ł', 'l'), 'ae', 'a'), 'oe', 'o'),
    'ue', 'u')), '[^\\pL\\pN]+', ' ', 'g'), '\\s+', ' ', 'g')), '')"""
_STREET = """CREATE OR REPLACE MACRO plain_street(t) AS nullif(trim(regexp_replace(regexp_replace(t,
    '(strasse|straße|str\\.|street)(\\W|$)', 'str ', 'gi'), '\\b\\d+\\s*[a-z]?\\b', ' ', 'gi')), '')"""

_PREPARED = """
CREATE OR REPLACE TABLE records AS
WITH split AS (
    SELECT id, kind,
        folded(given) AS own_given, folded(family) AS own_family,
        CASE WHEN kind = 'household'
             THEN trim(regexp_replace(folded(name), '\\b(household|haushalt|familie|family)\\b', ' ', 'g'))
             ELSE folded(name) END AS whole,
        regexp_replace(birth, '[^0-9]', '', 'g') AS digits,
        split_part(street, ',', 1) AS line,
        nullif(trim(substr(street, length(split_part(street, ',', 1)) + 2)), '') AS more,
        nullif(regexp_replace(lower(postal), '[^0-9a-z]', '', 'g'), '') AS postal,
        folded(city) AS city, folded(region) AS region,
        md5(concat_ws('|', {salt}, kind, name, given, family, birth, street, postal, city, region,
            list_sort(mails)::TEXT, list_sort(phones)::TEXT)) AS print,
        list_distinct(list_transform(coalesce(mails, []), lambda m: plain_mail(m))) AS mails,
        list_distinct(list_filter(list_transform(coalesce(phones, []), lambda p:
            right(regexp_replace(p, '[^0-9]', '', 'g'), {digits})), lambda p: length(p) >= 6)) AS phones
    FROM given_records
)
SELECT id, kind,
    -- What has no parts is split at its last word; an organisation is its whole name.
    CASE WHEN own_given IS NOT NULL OR own_family IS NOT NULL OR kind = 'organisation' THEN own_given
         ELSE nullif(trim(regexp_replace(whole, '\\s*\\S+$', '')), '') END AS given,
    CASE WHEN kind = 'organisation' THEN coalesce(whole, own_family)
         WHEN own_given IS NOT NULL OR own_family IS NOT NULL THEN own_family
         ELSE regexp_extract(whole, '(\\S+)$', 1) END AS family,
    CASE WHEN length(digits) = 8 THEN digits END AS birth,
    regexp_extract(lower(line), '\\b(\\d+\\s*[a-z]?)\\b', 1) AS house,
    folded(plain_street(line)) AS street,
    folded(plain_street(more)) AS place,
    postal, city, region, mails, phones, print
FROM split
"""
_MAIL = """CREATE OR REPLACE MACRO plain_mail(m) AS (
    CASE WHEN split_part(lower(m), '@', 2) IN ('gmail.com', 'googlemail.com')
         THEN replace(split_part(split_part(lower(m), '@', 1), '+', 1), '.', '') || '@gmail.com'
         ELSE split_part(split_part(lower(m), '@', 1), '+', 1) || '@' || split_part(lower(m), '@', 2) END)"""
# Splink compares columns of a row: the first address and number stand beside all of them. Of the part before the @ the
# names are taken out: two people called Anna Weber both begin with anna.weber, which their names say already.
_FINISHED = """
CREATE OR REPLACE TABLE records AS
SELECT * EXCLUDE (house), postal || '|' || city AS area,
    nullif(replace(house, ' ', ''), '') AS house,
    mails[1] AS mail, phones[1] AS phone,
    replace(replace(replace(folded(split_part(mails[1], '@', 1)), ' ', ''), coalesce(replace(family, ' ', ''), ''), ''),
        coalesce(replace(given, ' ', ''), ''), '') AS rest,
    list_distinct(list_filter(list_transform(mails, lambda m: split_part(m, '@', 1)), lambda m: length(m) >= 5))
        AS boxes
FROM records
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def prepare(connection: duckdb.DuckDBPyConnection, rows: "pa.Table | pa.RecordBatchReader", salt: str = "") -> int:
    """Make the table ``records`` of comparable forms from ``rows`` (columns :data:`RECORDS`), each with the digest
    ``print`` of the row and the ``salt``; answers the number of rows."""
    connection.register("given_records", rows)
    for macro in (_FOLD, _STREET, _MAIL):
        connection.execute(macro)
    connection.execute(_PREPARED.format(digits=PHONE_DIGITS, salt=_quoted(salt)))
    connection.unregister("given_records")
    connection.execute(_FINISHED)
    return int(connection.execute("SELECT count(*) FROM records").fetchall()[0][0])
