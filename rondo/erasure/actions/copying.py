"""Erased persons leave the columnar copy: it has keys and figures alone, but nobody is to be counted who is gone.

Tables that are replaced as a whole follow by the next refresh. Of those that are only extended the rows are deleted
here, in a commit of their own, which leaves the watermarks of the log as they are.
"""

from collections.abc import Sequence

from rondo.foundation.registry import WarehouseTable
from rondo.warehouse import delta
from rondo.warehouse.locks import exclusive
from rondo.warehouse.refresh import table_list

_BATCH = 1_000
_CHAIN = "interactions"
"""The table by which rows are found that name no customer; it goes last."""


def take_out(records: Sequence[int], contacts: Sequence[int] = ()) -> int:
    """Delete the rows of customer records, and of ``contacts`` that lie with others, from the tables that are only
    extended; how many. Safe to do twice.

    Raises:
        StateError: a refresh is under way and does not end.
    """
    with exclusive("refresh"):
        tables = [table for table in table_list() if table.mode == "append"]
        tables.sort(key=lambda table: (table.key == _CHAIN, table.order))
        count = 0
        for start in range(0, len(records), _BATCH):
            some = records[start : start + _BATCH]
            count += sum(_take_out(table, some) for table in tables)
        for start in range(0, len(contacts), _BATCH):
            some = contacts[start : start + _BATCH]
            count += sum(delta.delete(table.key, table.retracted_by, some) for table in tables if _has_contacts(table))
        delta.forget_order()  # also where a run before this one was killed behind its deletion
        return count


def _has_contacts(table: WarehouseTable) -> bool:
    return bool(table.retracted_by) and delta.existing(table.key) is not None


def _take_out(table: WarehouseTable, records: Sequence[int]) -> int:
    if delta.existing(table.key) is None:
        return 0
    if table.customer:
        return delta.delete(table.key, table.customer, records)
    chain = delta.existing(_CHAIN)
    if chain is None or not table.retracted_by:
        return 0
    keys = delta.keys_where(chain, "id", "customer_id", records)
    return sum(
        delta.delete(table.key, table.retracted_by, keys[start : start + _BATCH])
        for start in range(0, len(keys), _BATCH)
    )
