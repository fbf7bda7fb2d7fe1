"""What a text file is before it is read: one pass finds its fingerprint, encoding, line length and whether it is
whole."""

import codecs
import csv
import gzip
import hashlib
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from django.utils.translation import gettext as _

from rondo.errors import InputError

MAX_LINE = 4 * 1024 * 1024
"""Longest line in bytes; a longer one is no table, and is refused before it fills the memory."""
_PIECE = 1024 * 1024
_SAMPLE = 256 * 1024
DELIMITERS = (",", ";", "\t", "|")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


DAMAGE = "\x1a"
"""The control character that bytes become which are not UTF-8 in a file that is: no field takes it."""
DAMAGED = "rondo-damaged"
codecs.register_error(DAMAGED, lambda error: (DAMAGE, error.end))  # type: ignore[attr-defined]


class EncodingUnknown(InputError):
    """The file may be text in an encoding that cannot be told from its bytes; whoever brings it can say which."""


@dataclass(frozen=True)
class TextFile:
    """A text file as found: how to open it, its digest, encoding and the first part of it as text."""

    path: Path
    compressed: bool
    digest: str
    encoding: str
    sample: str
    size: int
    damaged: bool = False
    """Whether it is UTF-8 but for some bytes, which are read as ``DAMAGE``."""

    def open(self) -> BinaryIO:
        """The uncompressed bytes."""
        return open_plain(self.path, compressed=self.compressed)


def open_plain(path: Path, *, compressed: bool) -> BinaryIO:
    """The bytes of a file, unpacked if it is gzip."""
    return cast(BinaryIO, gzip.open(path, "rb")) if compressed else path.open("rb")


def _pieces(path: Path, *, compressed: bool) -> Iterator[bytes]:
    try:
        with open_plain(path, compressed=compressed) as stream:
            while piece := stream.read(_PIECE):
                yield piece
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            _("%(file)s: the gzip file is cut off or damaged (%(error)s); copy it again.")
            % {"file": path.name, "error": error}
        ) from error


def _fault(error: UnicodeError, before: int, line: int) -> str:
    if not isinstance(error, UnicodeDecodeError):  # UTF-16 without a mark at its beginning, say
        return str(error)
    return _("byte 0x%(byte)02x at position %(position)d (line %(line)d)") % {
        "byte": error.object[error.start],
        "position": before + error.start,
        "line": line + error.object[: error.start].count(b"\n"),
    }


def inspect(path: Path, encoding: str = "") -> TextFile:
    """Read the whole file once.

    Raises:
        InputError: empty, cut off, one line longer than MAX_LINE, or not in the encoding that was given.
    """
    with path.open("rb") as stream:
        head = stream.read(4)
    compressed = head[:2] == b"\x1f\x8b"
    digest = hashlib.sha256()
    sample = b""
    size = 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = True
    lenient = codecs.getincrementaldecoder("utf-8")(DAMAGED)
    good = bad = 0
    cp1252 = True
    bom = ""
    given = _decoder(encoding) if encoding else None
    line_length = 0
    lines = 1
    wide = False
    for piece in _pieces(path, compressed=compressed):
        if size == 0:
            bom = next((name for mark, name in _BOMS if piece.startswith(mark)), "")
            wide = (encoding or bom).lower().replace("_", "-").startswith(("utf-16", "utf-32"))
        digest.update(piece)
        if len(sample) < _SAMPLE:
            sample += piece[: _SAMPLE - len(sample)]
        if is_utf8 and not wide:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                is_utf8 = False
        if not piece.isascii() and not wide:
            text = lenient.decode(piece)
            bad += text.count(DAMAGE)
            good += len(text) - len(text.encode("ascii", "ignore"))
        if not is_utf8 and cp1252:
            cp1252 = piece.translate(None, delete=bytes(set(range(256)) - {0x81, 0x8D, 0x8F, 0x90, 0x9D})) == b""
        if given is not None:
            try:
                given.decode(piece)
            except UnicodeError as error:
                raise InputError(
                    _("%(file)s is not in the encoding %(encoding)s: %(place)s; have it detected, or say another.")
                    % {"file": path.name, "encoding": encoding, "place": _fault(error, size, lines)}
                ) from error
        ends = piece.rfind(b"\n"), piece.rfind(b"\r")
        last = max(ends)
        if last < 0:
            line_length += len(piece)
        else:
            lines += piece.count(b"\n")
            line_length = len(piece) - last - 1
        if line_length > MAX_LINE:
            raise InputError(
                _("%(file)s, line %(line)d is longer than %(limit)d MiB: no table of rows; check how it was exported.")
                % {"file": path.name, "line": lines, "limit": MAX_LINE // 1024**2}
            )
        size += len(piece)
    if not sample.strip():
        raise InputError(
            _("%(file)s is empty; a first line with the names of the columns is needed.") % {"file": path.name}
        )
    damaged = not encoding and not wide and not is_utf8 and (bool(bom) or good > bad)
    if not encoding:
        encoding = bom or ("utf-8" if is_utf8 or damaged else "cp1252" if cp1252 else "latin-1")
    text = sample.decode("utf-8", DAMAGED).removeprefix("\ufeff") if damaged else _decoder(encoding).decode(sample)
    return TextFile(path, compressed, digest.hexdigest(), encoding, text, size, damaged)


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        b"a".decode(encoding, "replace")  # refuses codecs that are no encodings of text, such as rot13
        return codecs.getincrementaldecoder(encoding)()
    except (LookupError, ValueError) as error:
        raise InputError(
            _("Encoding %(encoding)r is not known; one such as utf-8, utf-16, cp1252 or latin-1 is needed.")
            % {"encoding": encoding}
        ) from error


def find_delimiter(sample: str, name: str) -> str:
    """The delimiter that splits the first lines into the most columns, the same number in each.

    Raises:
        InputError: bytes that are no text stand in the first line.
    """
    lines = [line for line in sample.splitlines()[:200] if line.strip()]
    if len(sample) >= _SAMPLE // 4 and len(lines) > 1:
        lines = lines[:-1]  # the sample may end within a line
    if lines and "\x00" in lines[0]:
        raise EncodingUnknown(
            _(
                "%(file)s: the first line holds NUL characters: no CSV, or UTF-16 without a mark; "
                "say its encoding, such as utf-16-le."
            )
            % {"file": name}
        )
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter) if row]
        except csv.Error:
            continue
        often = Counter(widths)  # a title before the names has no mark, or others than the table
        usual = max(often, key=lambda width: (often[width], width), default=0)
        if usual < 2:
            continue
        score = (often[usual] / len(widths), usual)
        if score > best_score:
            best, best_score = delimiter, score
    return best
