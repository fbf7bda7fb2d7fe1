"""Files of the home that name an erased person: uploads that wait go as a whole, refused rows line by line."""

import csv
import gzip
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from rondo.erasure.needles import Needles
from rondo.errors import InputError, StateError
from rondo.foundation.actors import Actor
from rondo.foundation.loading.fields import ImportOptions
from rondo.interactions.importing import choosing, rejects
from rondo.interactions.importing.reading import open_source, texts
from rondo.interactions.models import ImportFile

_BLOCK = 1 << 20
_OVERLAP = 1 << 10
"""What names somebody is shorter than that."""
_ENCODINGS = ("utf-8", "cp1252", "utf-16-le")


def clear_files(actor: Actor, needles: Needles) -> dict[str, int]:
    """Remove what names the persons from uploads and refused rows; how many files and lines.

    Raises:
        StateError: a file that names one is being imported at this moment.
    """
    counts = {"uploads": _uploads(actor, needles), "rejects": _rejects(needles)}
    return {name: count for name, count in counts.items() if count}


def _uploads(actor: Actor, needles: Needles) -> int:
    folder = Path(settings.RONDO_HOME) / choosing.FOLDER
    if not folder.is_dir():
        return 0
    rows = {row.stored_as: row for row in ImportFile.objects.all()}
    count = 0
    for one in sorted(folder.iterdir()):
        files = [file for file in one.rglob("*") if file.is_file()] if one.is_dir() else [one]
        if not any(names_one(file, needles) for file in files):
            continue
        row = rows.get(one.name)
        if row is not None and row.under_way:
            raise StateError(
                _("A file that names this person is being imported now; the erasure goes on when that has ended.")
            )
        if row is not None and row.status != ImportFile.Status.DONE:
            choosing.discard(actor, row)
        shutil.rmtree(one, ignore_errors=True)
        one.unlink(missing_ok=True) if one.is_file() else None
        count += 1
    return count


def _rejects(needles: Needles) -> int:
    count = 0
    for file in rejects.remove_unfinished():
        if file.is_file() and names_one(file, needles):
            raise StateError(
                _("A file that names this person is being imported now; the erasure goes on when that has ended.")
            )
    for file in sorted(rejects.folder().glob("*.csv")):
        if not names_one(file, needles):
            continue
        with file.open(newline="", encoding="utf-8") as source, rejects.made_whole(file) as out:
            writer = csv.writer(out)
            for row in csv.reader(source):
                if any(needles.within(cell) for cell in row) or needles.within(" ".join(row)):
                    count += 1
                else:
                    writer.writerow(row)
    return count


def names_one(file: Path, needles: Needles) -> bool:
    """Whether a file names one of the persons: CSV and other text in the usual encodings, packed by gzip
    too, workbooks, Parquet."""

    def named(text: str) -> bool:
        return needles.may_be_within(text) and needles.within(text)

    with file.open("rb") as source:
        head = source.read(4)
        source.seek(0)
        if head == b"PAR1" or file.suffix.lower() == ".parquet":
            return any(named(text) for text in _rows(file))
        if head[:2] == b"\x1f\x8b":
            return any(named(text) for text in _texts(_Unpacked(source)))
        if not zipfile.is_zipfile(file):
            return any(named(text) for text in _texts(source))
    with zipfile.ZipFile(file) as archive:
        if any(named(text) for member in archive.infolist() for text in _texts(archive.open(member))):
            return True
    return any(named(text) for text in _rows(file))


class _Unpacked:
    """A gzip file as far as it can be unpacked."""

    def __init__(self, source: IO[bytes]) -> None:
        self._file = gzip.GzipFile(fileobj=source)

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except (OSError, EOFError, zlib.error):  # cut off or damaged: the import reads no more of it, either
            return b""


def _texts(source: object) -> Iterator[str]:
    """The contents in each encoding, block by block; blocks overlap, so that nothing is cut in two."""
    before = b""
    while block := source.read(_BLOCK):  # type: ignore[attr-defined]
        for encoding in _ENCODINGS:
            yield (before + block).decode(encoding, errors="replace")
        before = (before + block)[-_OVERLAP:]


def _rows(file: Path) -> Iterator[str]:
    """The rows of a table as the import reads them: given and family name stand in cells side by side."""
    import pyarrow as pa

    try:
        reader = open_source(file, ImportOptions())
        for _lines, batch in reader.batches(reader.columns):
            cells = [texts(column) for column in batch.columns]
            yield "\n".join(" ".join(cell for cell in row if cell) for row in zip(*cells, strict=True))
    except (pa.ArrowException, InputError, OSError):  # no table after all: nothing of it was ever read, either
        return
