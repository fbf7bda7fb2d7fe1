"""The columnar copy of a home, many times over with jitter: how the benchmarks reach sizes that no public log has.

Each further copy of the customers has keys of its own. Its orders lie up to two days earlier or later (never beyond
the days of the log) and their amounts and those of their lines are .9 to 1.1 times the original, both by a hash of
order and copy, so that two runs write the same rows and no copy answers from the cache of another. Products, categories
and campaigns are shared. Only the copy grows, not the operational store.
"""

from typing import Any

SPAN = 100_000_000
"""Keys of copy n begin at n times this, which is above every key of the log."""
_JITTER = "CAST(hash({key}, n) % 201 AS BIGINT) + 900"
_MOVED = "greatest(first_day, least(last_day, business_date + CAST(hash(n, {key}) % 5 AS INTEGER) - 2))"
_OWN = "{key} + n * " + str(SPAN) + " AS {key}"


def _own(*keys: str) -> str:
    return ", ".join(_OWN.format(key=key) for key in keys)


def _amounts(by: str, *columns: str) -> str:
    return ", ".join(f"{column} * ({_JITTER.format(key=by)}) // 1000 AS {column}" for column in columns)


REPLACED = {
    "customers": _own("id"),
    "orders": f"{_own('id', 'customer_id')}, {_amounts('id', 'total')}, {_MOVED.format(key='id')} AS business_date",
    "order_lines": f"{_own('id', 'order_id')}, "
    + _amounts("order_id", "total", "discount", "coupon_discount", "match_discount"),
    "interactions": f"{_own('id', 'customer_id', 'in_response_to')}, {_MOVED.format(key='id')} AS business_date",
    "exposures": _own("id", "customer_id", "interaction_id"),
}


def replicate(lines: int) -> int:
    """Grow the columnar copy of this process' home to at least ``lines`` order lines; returns how many it has then.

    Raises:
        ValueError: the copy has no order lines, or keys above :data:`SPAN`.
    """
    from rondo.warehouse import delta
    from rondo.warehouse.tables import open_tables

    with open_tables() as tables:
        engine: Any = tables.connection.con
        for name in REPLACED:
            engine.execute(f"CREATE TEMP TABLE one_{name} AS FROM raw_{name}")
        present = _number(engine, "SELECT count(*) FROM one_order_lines")
        keys = " UNION ALL ".join(f"SELECT max(id) AS m FROM one_{name}" for name in REPLACED)
        highest = _number(engine, f"SELECT max(m) FROM ({keys})")
        if not present or highest >= SPAN:
            raise ValueError(f"The copy has {present} order lines and keys up to {highest}; {SPAN} is too few.")
        copies = -(-lines // present)
        span = "min(business_date) AS first_day, max(business_date) AS last_day"
        engine.execute(f"CREATE TEMP TABLE days AS SELECT {span} FROM one_orders")
        for name, replaced in REPLACED.items():
            rows = _number(engine, f"SELECT count(*) FROM one_{name}")
            for copy in range(copies):
                here = f"(SELECT *, CAST({copy} AS BIGINT) AS n, first_day, last_day FROM one_{name}, days)"
                query = f"SELECT * EXCLUDE (n, first_day, last_day) REPLACE ({replaced}) FROM {here}"
                reader = engine.sql(query).to_arrow_reader(1_000_000)
                delta.commit(name, delta.Rows(reader, rows), replace=copy == 0, notes={})
    return int(present * copies)


def _number(engine: Any, query: str) -> int:
    """The single number that a query gives; 0 for null."""
    ((found,),) = engine.execute(query).fetchall()
    return int(found or 0)
