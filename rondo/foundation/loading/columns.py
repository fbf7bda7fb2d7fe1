"""Columns of a file → columns of their field's type, whole columns at once, with a reason for every value refused."""

import re
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from babel.numbers import get_currency_precision, get_currency_symbol, list_currencies
from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.foundation.loading import dates, times
from rondo.foundation.loading.fields import Field
from rondo.foundation.money import MAX_MINOR

MAX_QUANTITY_MILLI = 10**12
_CONTROL = r"[\x00-\x1f\x7f]"
_CONTROL_BUT_LINES = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_CODE = r"^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._/#&()+:-]*$"
_TRUE = ["1", "true", "yes", "y", "t", "ja", "j", "wahr"]
_ERRORS = ["#REF!", "#NAME?", "#N/A", "#DIV/0!", "#VALUE!", "#NUM!", "#NULL!", "#BEZUG!", "#NV", "#WERT!", "#ZAHL!"]
"""What a spreadsheet shows where a formula went wrong."""
_FALSE = ["0", "false", "no", "n", "f", "nein", "falsch"]
_PLAIN = r"^(?P<sign>[+-]?)(?P<whole>\d{1,15})(?:\.(?P<part>\d{1,9}))?$"


@dataclass
class Context:
    """What conversion depends on: the company's currency and zone, the zone of times without one, how dates and
    decimals are written per field."""

    currency: str
    zone: tzinfo
    naive_zone: tzinfo
    date_formats: dict[str, dates.DateFormat] = field(default_factory=dict)
    decimals: dict[str, str] = field(default_factory=dict)


@dataclass
class Converted:
    """A column of its field's type (null where empty or refused) and the reason per refused row of the batch."""

    values: pa.Array
    problems: dict[int, str]


def plain_text(array: pa.Array) -> pa.Array:
    """Any column as trimmed text, null where empty; whole numbers that came as floats lose their ``.0``.

    Raises:
        InputError: the column holds bytes, lists or structs.
    """
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_floating(kind):
        array = pc.cast(array, pa.float64())
        whole = pc.and_(pc.is_finite(array), pc.less(pc.abs(array), 2.0**53))
        whole = pc.fill_null(pc.and_(whole, pc.equal(pc.if_else(whole, pc.round(array), 0.0), array)), False)
        integers = pc.cast(pc.cast(pc.if_else(whole, array, 0.0), pa.int64()), pa.string())
        text = pc.if_else(whole, integers, pc.cast(array, pa.string()))
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, pa.string()), text)
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_nested(kind):
        raise InputError(_("a column of type %(type)s holds no plain values; export it as text.") % {"type": kind})
    else:
        array = pc.cast(array, pa.string())
    trimmed = pc.utf8_trim_whitespace(array)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def _reasons(mask: npt.NDArray[np.bool_], reason: str) -> dict[int, str]:
    return dict.fromkeys(np.flatnonzero(mask).tolist(), reason)


def _mask(array: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.fill_null(array, False).to_numpy(zero_copy_only=False), dtype=bool)


def _blank(values: pa.Array, bad: npt.NDArray[np.bool_]) -> pa.Array:
    return pc.if_else(pa.array(~bad), values, pa.scalar(None, values.type)) if bad.any() else values


def _strings(array: pa.Array, spec: Field) -> Converted:
    text = plain_text(array)
    pattern = _CONTROL_BUT_LINES if spec.type == "long_text" else _CONTROL
    control = _mask(pc.match_substring_regex(text, pattern))
    problems = _reasons(control, _("holds a control character"))
    problems |= _reasons(_mask(pc.match_substring(text, "\x1a")), _("holds a character that is not in the encoding"))
    if spec.type in {"currency", "country"}:
        text = pc.utf8_upper(text)
    if spec.type == "choice":
        lowered = pc.utf8_lower(text)
        fits = {choice.lower(): choice for choice in spec.choices}
        index = pc.index_in(lowered, value_set=pa.array(list(fits), pa.string()))
        strange = _mask(pc.and_(pc.is_valid(text), pc.is_null(index)))
        problems |= _reasons(strange, _("is none of %(choices)s") % {"choices": ", ".join(spec.choices)})
        return Converted(pc.take(pa.array(list(fits.values()), pa.string()), index), problems)
    if spec.type == "currency":
        strange = _mask(pc.and_(pc.is_valid(text), pc.invert(pc.is_in(text, pa.array(sorted(list_currencies()))))))
        problems |= _reasons(strange, _("is no currency code of ISO 4217"))
        return Converted(_blank(text, strange), problems)
    if spec.type == "country":
        strange = _mask(pc.invert(pc.match_substring_regex(text, "^[A-Z]{2}$")))
        problems |= _reasons(strange, _("is no country code of two letters (ISO 3166)"))
        return Converted(_blank(text, strange), problems)
    long = _mask(pc.greater(pc.utf8_length(text), spec.max_length))
    problems |= _reasons(long, _("is longer than %(count)d characters") % {"count": spec.max_length})
    strange = np.zeros(len(text), dtype=bool)
    if spec.code:
        strange = _mask(pc.invert(pc.match_substring_regex(text, _CODE))) & ~control & ~long
        problems |= _reasons(strange, _("is no short code of letters, digits, blanks and . _ / # & ( ) + : -"))
    return Converted(_blank(text, control | long | strange), problems)


def _dates(array: pa.Array, spec: Field, name: str, context: Context) -> Converted:
    kind = array.type
    bad = np.zeros(len(array), dtype=bool)
    wants_day = spec.type == "date"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        present = pc.is_valid(array).to_numpy(zero_copy_only=False)
        micros, valid = times.clock(array, dates.FIRST_YEAR, dates.LAST_YEAR)
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            result = times.business_days(micros, context.zone) if wants_day else micros
        else:
            day = np.floor_divide(micros, 86_400_000_000).astype(np.int32)
            result = day if wants_day else times.to_utc(micros, context.naive_zone)
        bad = present & ~valid
        text = None
    else:
        text = plain_text(array)
        present = pc.is_valid(text).to_numpy(zero_copy_only=False)
        form = context.date_formats.get(name, dates.KNOWN[0])
        if wants_day:
            result, valid = dates.days(text, form, past=spec.past)
        else:
            result, valid = dates.instants(text, form, context.naive_zone)
        bad = present & ~valid
        if bad.any():  # a file may mix its own way with ISO, and ISO with dots, which both are read in one way alone
            other = dates.KNOWN[form.name == dates.KNOWN[0].name]
            again, fits = dates.days(text, other) if wants_day else dates.instants(text, other, context.naive_zone)
            result = np.where(bad & fits, again, result)
            bad &= ~fits
    gone = ~present | bad
    target = pa.date32() if wants_day else pa.timestamp("us")
    values = pa.array(result.astype(np.int32) if wants_day else result, mask=gone).cast(target)
    reason = _("is no date between %(first)d and %(last)d written as %(form)s") % {
        "first": dates.FIRST_YEAR,
        "last": dates.LAST_YEAR,
        "form": context.date_formats.get(name, dates.KNOWN[0]).name,
    }
    return Converted(values, _reasons(bad, reason))


def to_decimal(text: str, decimal: str = ".") -> Decimal | None:
    """A number as people write it (grouping by ``,`` ``.`` blank or apostrophe, the other mark for decimals), or
    None."""
    group = "," if decimal == "." else "."
    plain = re.sub(r"[\s'’]", "", text)
    mark, comma = re.escape(decimal), re.escape(group)
    whole = rf"(\d{{1,3}}({comma}\d{{3}})+|\d+|(?=[{mark}]))"
    pattern = rf"[+-]?{whole}({mark}\d*)?([eE][+-]?\d+)?"
    if not re.fullmatch(pattern, plain):
        return None
    try:
        value = Decimal(plain.replace(group, "").replace(decimal, "."))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def bare(text: pa.Array, currency: str = "") -> pa.Array:
    """Amounts without the sign of their own currency, with a minus in front that people write behind or as brackets,
    and without the dash that says that there are no cents."""
    if not pc.any(pc.match_substring_regex(text, r"[^0-9.,+-]|-$")).as_py():
        return text
    blanks = r"[\s\x{a0}\x{202f}]*"
    steps = [("\u2212", "-"), (r"^\((.*)\)$", r"-\1")]
    if currency:
        signs = {currency, *(get_currency_symbol(currency, language) for language in ("en", "de"))}
        sign = "|".join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True))
        steps += [(rf"^([+-]?){blanks}(?:{sign}){blanks}", r"\1"), (rf"{blanks}(?:{sign})$", "")]
        steps += [(r"^\((.*)\)$", r"-\1")]
    steps += [(r"(\d)[.,](?:--?|–|—)$", r"\1"), (rf"^([^+-]*\d|[^+-].*\d){blanks}-$", r"-\1")]
    for pattern, instead in steps:
        text = pc.replace_substring_regex(text, pattern, instead)
    return text


def _scaled(
    array: pa.Array, digits: int, limit: int, decimal: str, currency: str = ""
) -> tuple[npt.NDArray[np.int64], dict[int, str]]:
    """Numbers → whole numbers of 10^-digits, half-even; nulls and refused ones are 0."""
    problems: dict[int, str] = {}
    count = len(array)
    result = np.zeros(count, dtype=np.int64)
    too_large = _("is beyond the largest amount that is taken (%(limit)s)") % {"limit": f"{limit // 10**digits:,}"}
    no_number = _("is no number")

    def slow(rows: npt.NDArray[np.int64], text: pa.Array) -> None:
        for row in rows.tolist():
            value = to_decimal(text[row].as_py(), decimal)
            if value is None:
                problems[row] = no_number
            elif value.adjusted() > 17 or abs(scaled := value.scaleb(digits)) > limit:
                problems[row] = too_large
            else:
                result[row] = int(scaled.to_integral_value(ROUND_HALF_EVEN))

    kind = array.type
    if pa.types.is_integer(kind) and kind != pa.uint64():
        whole = np.asarray(pc.fill_null(pc.cast(array, pa.int64()), 0))
        most = limit // 10**digits
        over = (whole > most) | (whole < -most)  # the least of all whole numbers has no absolute value
        return np.where(over, 0, whole) * 10**digits, _reasons(over, too_large)
    if pa.types.is_floating(kind):
        number = np.asarray(pc.fill_null(pc.cast(array, pa.float64()), 0.0))
        odd = ~np.isfinite(number)
        problems |= _reasons(odd & ~np.isnan(number), no_number)
        shifted = np.where(odd, 0.0, number) * 10.0**digits
        over = np.abs(shifted) > limit
        problems |= _reasons(over, too_large)
        shifted = np.where(over, 0.0, shifted)
        result = np.rint(shifted).astype(np.int64)
        near_half = np.abs(np.abs(shifted - np.trunc(shifted)) - 0.5) < 1e-4
        for row in np.flatnonzero(near_half).tolist():  # the written digits decide, as in foundation.money
            exact = Decimal(repr(float(number[row]))).scaleb(digits)
            result[row] = int(exact.to_integral_value(ROUND_HALF_EVEN))
        return result, problems
    text = bare(plain_text(array), currency)
    if decimal == ",":
        plain = pc.replace_substring(pc.if_else(pc.match_substring(text, "."), "x", text), ",", ".")
        plain = pc.if_else(pc.is_valid(text), plain, pa.scalar(None, pa.string()))
    else:
        plain = text
    parts = pc.extract_regex(plain, _PLAIN)
    fits = np.asarray(pc.is_valid(parts).to_numpy(zero_copy_only=False))
    whole_text = pc.fill_null(pc.struct_field(parts, 1), "0")
    whole = np.asarray(pc.cast(whole_text, pa.int64()))
    part = np.asarray(pc.cast(pc.utf8_rpad(pc.fill_null(pc.struct_field(parts, 2), ""), 9, "0"), pa.int64()))
    negative = _mask(pc.equal(pc.struct_field(parts, 0), "-"))
    unit = 10 ** (9 - digits)
    over = whole > limit // 10**digits
    minor = np.where(over, 0, whole) * 10**digits + part // unit
    rest = part % unit
    minor += (rest * 2 > unit) | ((rest * 2 == unit) & (minor % 2 == 1))
    result = np.where(fits & ~over, np.where(negative, -minor, minor), 0)
    problems |= _reasons(fits & over, too_large)
    slow(np.flatnonzero(~fits & np.asarray(pc.is_valid(text).to_numpy(zero_copy_only=False))), text)
    return result, problems


def _numbers(array: pa.Array, spec: Field, name: str, context: Context, currency: pa.Array | None) -> Converted:
    decimal = context.decimals.get(name, ".")
    empty = ~np.asarray(pc.is_valid(plain_text(array)).to_numpy(zero_copy_only=False))
    if spec.type == "money":
        used = pc.fill_null(currency, context.currency) if currency is not None else None
        codes = pc.unique(used).to_pylist() if used is not None else [context.currency]
        result = np.zeros(len(array), dtype=np.int64)
        problems: dict[int, str] = {}
        for code in codes:
            found, refused = _scaled(array, get_currency_precision(code), MAX_MINOR, decimal, code)
            here = _mask(pc.equal(used, code)) if used is not None else np.ones(len(array), dtype=bool)
            result = np.where(here, found, result)
            problems |= {row: reason for row, reason in refused.items() if here[row]}
    else:
        result, problems = _scaled(array, 3, MAX_QUANTITY_MILLI, decimal)
    if spec.minimum is not None:
        low = ~empty & (result < spec.minimum)
        problems |= _reasons(low, _("is below %(minimum)d") % {"minimum": spec.minimum})
    empty[list(problems)] = True
    return Converted(pa.array(result, mask=empty), problems)


def _floats(array: pa.Array, name: str, context: Context) -> Converted:
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        number = np.asarray(pc.fill_null(pc.cast(array, pa.float64(), safe=False), np.nan))
        infinite = np.isinf(number)
        return Converted(pa.array(number, mask=~np.isfinite(number)), _reasons(infinite, _("is no number")))
    text = bare(plain_text(array))
    found: dict[str, float | None] = {}
    for value in pc.unique(pc.drop_null(text)).to_pylist():
        number_ = to_decimal(value, context.decimals.get(name, "."))
        found[value] = float(number_) if number_ is not None and abs(number_.adjusted()) < 300 else None
    values = [None if value is None else found[value] for value in text.to_pylist()]
    bad = np.array([t is not None and v is None for t, v in zip(text.to_pylist(), values, strict=True)], dtype=bool)
    return Converted(pa.array(values, pa.float64()), _reasons(bad, _("is no number")))


def _booleans(array: pa.Array) -> Converted:
    if pa.types.is_boolean(array.type):
        return Converted(array, {})
    text = pc.utf8_lower(plain_text(array))
    yes, no = pc.is_in(text, pa.array(_TRUE)), pc.is_in(text, pa.array(_FALSE))
    bad = _mask(pc.and_(pc.is_valid(text), pc.invert(pc.or_(yes, no))))
    values = pc.if_else(pc.or_(yes, no), yes, pa.scalar(None, pa.bool_()))
    return Converted(values, _reasons(bad, _("is neither yes nor no")))


def convert(array: pa.Array, name: str, spec: Field, context: Context, currency: pa.Array | None = None) -> Converted:
    """One column of a batch as its field's type. ``currency`` gives the currency per row, where the file has one."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_null(array.type):
        array = array.cast(pa.string())
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    wrong = np.zeros(0, dtype=bool)
    if pa.types.is_string(array.type):
        wrong = _mask(pc.is_in(array, pa.array(_ERRORS)))
        array = _blank(array, wrong)
    if spec.type in {"date", "instant"}:
        done = _dates(array, spec, name, context)
    elif spec.type in {"money", "quantity"}:
        done = _numbers(array, spec, name, context, currency)
    elif spec.type == "number":
        done = _floats(array, name, context)
    elif spec.type == "boolean":
        done = _booleans(array)
    else:
        done = _strings(array, spec)
    if spec.required:
        missing = pc.is_null(done.values).to_numpy(zero_copy_only=False)
        reason = _("is missing")
        for row in np.flatnonzero(missing).tolist():
            done.problems.setdefault(row, reason)
    done.problems.update(_reasons(wrong, _("is an error of a spreadsheet")))
    return done


STAGED_TYPES: dict[str, str] = {
    "key": "VARCHAR",
    "text": "VARCHAR",
    "long_text": "VARCHAR",
    "choice": "VARCHAR",
    "currency": "VARCHAR",
    "country": "VARCHAR",
    "date": "DATE",
    "instant": "TIMESTAMP",
    "money": "BIGINT",
    "quantity": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
}
"""The staged column (DuckDB) of each field type."""
