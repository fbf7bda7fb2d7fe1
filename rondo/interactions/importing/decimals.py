"""Which mark stands before the decimals of a file's numbers, told from how they are written."""

from contextlib import closing

import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.foundation.loading.columns import plain_text
from rondo.interactions.importing.reading import Reader

MARKS = (".", ",")
_AROUND = r"^[^\d.,]+|[^\d.,]+$|[\s\x{a0}\x{202f}'’]"
_UNCLEAR = r"^[1-9]\d{0,2}[.,]\d{3}$"


def marks(reader: Reader, columns: list[str], given: str) -> dict[str, str]:
    """The decimal mark of each column: the one given, that of its own numbers, or that of the file's other columns.

    Real numbers of a workbook say nothing, and are written with the mark that the texts of their column have.

    Raises:
        InputError: a column holds numbers such as 1.234, and nothing tells whether that is a thousand or a bit more
            than one.
    """
    if given:
        found = dict.fromkeys(columns, given)
        reader.found["decimals"] = given
    else:
        found = _told(reader, columns)
    reader.marks = found
    return found


def mark_of(name: str, value: str, given: str) -> str:
    """The decimal mark of the one value that every row gets: its own, or the one given.

    Raises:
        InputError: nothing tells whether 1.234 is a thousand or a bit more than one.
    """
    told: dict[str, str] = {}
    unclear: dict[str, str] = {}
    _look(name, plain_text(pa.array([value])), told, unclear)
    if unclear and not given:
        raise InputError(
            _(
                "%(field)s: %(value)r for all rows may be thousands or hold three decimals; say which mark stands "
                "before the decimals, the point or the comma."
            )
            % {"field": name, "value": value}
        )
    return told.get(name) or given or "."


def _told(reader: Reader, columns: list[str]) -> dict[str, str]:
    told: dict[str, str] = {}
    unclear: dict[str, str] = {}
    reader.marks = dict.fromkeys(columns, "")
    if columns:
        with closing(reader.batches(columns)) as batches:
            for _lines, batch in batches:
                for column in (name for name in columns if name not in told):
                    _look(column, plain_text(batch.column(batch.schema.get_field_index(column))), told, unclear)
                if len(told) == len(columns):
                    break
    unclear = {column: value for column, value in unclear.items() if column not in told}
    common = set(told.values())
    if unclear and len(common) != 1:
        column, value = next(iter(unclear.items()))
        raise InputError(
            _(
                "%(file)s, column %(column)s: numbers such as %(value)r may be thousands or hold three decimals; say "
                "which mark stands before the decimals, the point or the comma."
            )
            % {"file": reader.name, "column": column, "value": value}
        )
    if common:
        reader.found["decimals"] = " ".join(sorted(common, reverse=True))
    usual = common.pop() if len(common) == 1 else "."
    return {column: told.get(column, usual) for column in columns}


def _look(column: str, text: pa.Array, told: dict[str, str], unclear: dict[str, str]) -> None:
    """Note what a piece of a column tells: its mark, or a value of which it cannot be told."""
    text = pc.drop_null(text)
    bare = pc.replace_substring_regex(text, _AROUND, "")
    point, comma = (_count(bare, mark) for mark in MARKS)
    if point or comma:
        told[column] = "," if comma > point else "."
    elif column not in unclear:
        some = text.filter(pc.match_substring_regex(bare, _UNCLEAR))
        if len(some):
            unclear[column] = some[0].as_py()


def _count(bare: pa.Array, mark: str) -> int:
    """How many numbers can be read with this mark before their decimals alone."""
    mark, other = (rf"\{mark}", rf"\{'.' if mark == ',' else ','}")
    sole = rf"^(\d*{mark}(\d{{1,2}}|\d{{4,}})|(0\d*|\d{{4,}})?{mark}\d{{3}})$"
    grouped = rf"^\d{{1,3}}({other}\d{{3}})+{mark}\d*$|^\d{{1,3}}({other}\d{{3}}){{2,}}$"
    return int(pc.sum(pc.match_substring_regex(bare, f"{sole}|{grouped}")).as_py() or 0)
