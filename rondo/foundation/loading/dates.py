"""Dates and times written as text: which way of writing a column uses, and its values as numbers, whole columns at
once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from rondo.errors import InputError
from rondo.foundation.loading.times import to_utc

FIRST_YEAR, LAST_YEAR = 1900, 2100
_LAST_OF_TWO_DIGITS = 2068
_GROUPS = ("Y", "y", "m", "d", "H", "M", "S", "f", "p", "z")
_TIME = (
    r"(?:[T ]\s*(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?\s*(?P<p>[AaPp][Mm])?"
    r"\s*(?P<z>Z|UTC|[+-]\d{2}:?\d{2})?)?"
)


@dataclass(frozen=True)
class DateFormat:
    """A way of writing dates: its name as shown, and the expression whose groups are the strptime letters."""

    name: str
    pattern: str


KNOWN = (
    DateFormat("%Y-%m-%d", rf"^(?P<Y>\d{{4}})[-/.]?(?P<m>\d{{2}})[-/.]?(?P<d>\d{{2}}){_TIME}$"),
    DateFormat("%d.%m.%Y", rf"^(?P<d>\d{{1,2}})\.(?P<m>\d{{1,2}})\.(?P<Y>\d{{4}}){_TIME}$"),
    DateFormat("%d/%m/%Y", rf"^(?P<d>\d{{1,2}})[/-](?P<m>\d{{1,2}})[/-](?P<Y>\d{{4}}){_TIME}$"),
    DateFormat("%m/%d/%Y", rf"^(?P<m>\d{{1,2}})[/-](?P<d>\d{{1,2}})[/-](?P<Y>\d{{4}}){_TIME}$"),
    DateFormat("%d.%m.%y", rf"^(?P<d>\d{{1,2}})\.(?P<m>\d{{1,2}})\.(?P<y>\d{{2}}){_TIME}$"),
    DateFormat("%d/%m/%y", rf"^(?P<d>\d{{1,2}})[/-](?P<m>\d{{1,2}})[/-](?P<y>\d{{2}}){_TIME}$"),
    DateFormat("%m/%d/%y", rf"^(?P<m>\d{{1,2}})[/-](?P<d>\d{{1,2}})[/-](?P<y>\d{{2}}){_TIME}$"),
)
_DOTTED = ("%d.%m.%Y", "%d.%m.%y")
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "m": r"(?P<m>\d{1,2})",
    "d": r"(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<H>\d{1,2})",
    "M": r"(?P<M>\d{2})",
    "S": r"(?P<S>\d{2})",
    "f": r"(?P<f>\d{1,9})",
    "p": r"(?P<p>[AaPp][Mm])",
    "z": r"(?P<z>Z|UTC|[+-]\d{2}:?\d{2})",
    "T": r"(?P<H>\d{1,2}):(?P<M>\d{2}):(?P<S>\d{2})",
}


def given(text: str) -> DateFormat:
    """The format a person wrote in strptime letters; a date alone also takes an ISO time behind it.

    Raises:
        InputError: an unknown letter, a letter twice, or no day, month and year.
    """
    for known in KNOWN:
        if known.name == text:
            return known
    parts = re.split(r"%(.)", text)
    pattern = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            pattern += re.escape(part)
        elif part == "%":
            pattern += "%"
        elif part in _DIRECTIVES:
            pattern += _DIRECTIVES[part]
        else:
            raise InputError(
                _("date format %(format)r: %%%(letter)s is not known; use %(known)s.")
                % {"format": text, "letter": part, "known": ", ".join(f"%{letter}" for letter in _DIRECTIVES)}
            )
    letters = set(parts[1::2])
    if not {"m", "d"} <= letters or not letters & {"Y", "y"}:
        raise InputError(
            _("date format %(format)r: day, month and year are needed, such as %(example)s.")
            % {"format": text, "example": "%d.%m.%Y"}
        )
    if not letters & {"H", "I", "T"}:
        pattern += _TIME
    try:
        re.compile(pattern)
    except re.error as error:
        raise InputError(
            _("date format %(format)r: every letter may stand once only; take out the second.") % {"format": text}
        ) from error
    return DateFormat(text, f"^{pattern}$")


def parse(
    text: pa.Array, form: DateFormat, last: int = _LAST_OF_TWO_DIGITS
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Text → (microseconds of the wall clock or, where a zone is written, of the instant; is valid; carries a zone).

    ``last``: the last year that is meant by two digits.
    """
    count = len(text)
    names = [name for name in _GROUPS if f"(?P<{name}>" in form.pattern]
    fields = pc.extract_regex(text, form.pattern)
    matched = pc.is_valid(fields).to_numpy(zero_copy_only=False)

    def group(name: str) -> pa.Array:
        return pc.fill_null(pc.struct_field(fields, names_of.index(name)), "")

    names_of = [fields.type.field(i).name for i in range(fields.type.num_fields)]

    def number(name: str, default: int) -> npt.NDArray[np.int64]:
        if name not in names:
            return np.full(count, default, dtype=np.int64)
        values = group(name)
        return np.asarray(pc.cast(pc.if_else(pc.equal(values, ""), str(default), values), pa.int64()))

    year = number("Y", 0)
    if "y" in names:
        short = number("y", 0)
        year = last - (last - short) % 100
    month, day = number("m", 1), number("d", 1)
    hour, minute, second = number("H", 0), number("M", 0), number("S", 0)
    micro = np.zeros(count, dtype=np.int64)
    if "f" in names:
        padded = pc.utf8_slice_codeunits(pc.utf8_rpad(group("f"), 6, "0"), 0, 6)
        micro = np.asarray(pc.cast(padded, pa.int64()))
    valid = matched & (month >= 1) & (month <= 12) & (year >= FIRST_YEAR) & (year <= LAST_YEAR)
    if "p" in names:
        half = pc.utf8_lower(group("p")).to_numpy(zero_copy_only=False)
        has_half = half != ""
        valid &= ~has_half | ((hour >= 1) & (hour <= 12))
        hour = np.where(has_half, hour % 12 + np.where(half == "pm", 12, 0), hour)
    valid &= (hour < 24) & (minute < 60) & (second < 60)
    months = (np.where(valid, year, 1970) - 1970) * 12 + np.where(valid, month, 1) - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    after = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    valid &= (day >= 1) & (day <= after - first)
    micros = (((first + day - 1) * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + micro
    zoned = np.zeros(count, dtype=bool)
    if "z" in names:
        zone = group("z")
        zoned = np.asarray(pc.not_equal(zone, "").to_numpy(zero_copy_only=False))
        if zoned.any():
            digits = pc.replace_substring_regex(zone, r"[^0-9]", "")
            digits = pc.if_else(pc.equal(digits, ""), "0000", digits)
            amount = np.asarray(pc.cast(digits, pa.int64()))
            sign = np.where(pc.starts_with(zone, "-").to_numpy(zero_copy_only=False), -1, 1)
            micros = micros - sign * (amount // 100 * 60 + amount % 100) * 60_000_000
    return np.where(valid, micros, 0), valid, zoned


def instants(text: pa.Array, form: DateFormat, zone: tzinfo) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Text → (microseconds of the instant, UTC; is valid); what carries no zone is read in ``zone``."""
    micros, valid, zoned = parse(text, form)
    return np.where(zoned, micros, to_utc(micros, zone)), valid


def days(
    text: pa.Array, form: DateFormat, *, past: bool = False
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Text → (days since 1970 as written; is valid). ``past``: of years of two digits none is to come."""
    last = datetime.now(tz=UTC).year if past else _LAST_OF_TWO_DIGITS
    micros, valid, _zoned = parse(text, form, last)
    return np.floor_divide(micros, 86_400_000_000).astype(np.int32), valid


def fitting(sample: pa.Array) -> Sequence[DateFormat]:
    """The known formats that read most of the sample, best first; several when they read equally many. Empty: none.

    ISO is read beside every other format, so that what is written in it counts for none of the others; dots say that
    the day comes first, so that nothing is doubtful where most have them.
    """
    wanted = pc.unique(pc.drop_null(sample))
    other = wanted.filter(pa.array(~parse(wanted, KNOWN[0])[1]))
    if len(other) == 0:
        return [KNOWN[0]]
    scores = [int(parse(other, form)[1].sum()) for form in KNOWN[1:]]
    best = max(scores)
    if best == 0:
        return [KNOWN[0]] if len(other) < len(wanted) else []
    found = [form for form, score in zip(KNOWN[1:], scores, strict=True) if score == best]
    return found[:1] if found[0].name in _DOTTED else found


def same(sample: pa.Array, forms: Sequence[DateFormat]) -> bool:
    """Whether the formats read the sample as the same dates (01/01/2017 is the same either way)."""
    wanted = pc.unique(pc.drop_null(sample))
    first = parse(wanted, forms[0])[0]
    return all(bool((parse(wanted, form)[0] == first).all()) for form in forms[1:])
