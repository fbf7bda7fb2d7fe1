"""The archive: a ZIP file of Arrow streams (one per table), the home's files, and a manifest with a SHA-256 of each.

Any Arrow library reads the tables. Members are stored as they are (Arrow compresses its own), so that writing and
reading take little memory whatever their size.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
from django.utils.translation import gettext as _

from rondo.errors import InputError

FORMAT = 1
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
_BLOCK = 1 << 20
_PARTS = {"tables": list, "files": list, "migrations": list, "sequences": dict}
"""What a manifest has."""


class Writer:
    """Writes members; each call returns what the manifest says of the member."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def table(self, name: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> dict[str, Any]:
        """The rows of one table."""
        rows = 0
        with self._member(f"tables/{name}.arrow") as out:
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            with pa.PythonFile(out, mode="w") as sink, pa.ipc.new_stream(sink, schema, options=options) as stream:
                for batch in batches:
                    stream.write_batch(batch)
                    rows += batch.num_rows
        return {"table": name, "rows": rows, **out.told()}

    def file(self, name: str, path: Path) -> dict[str, Any]:
        """A file of the home."""
        with self._member(f"files/{name}") as out, path.open("rb") as source:
            while block := source.read(_BLOCK):
                out.write(block)
        return {"file": name, **out.told()}

    def manifest(self, told: dict[str, Any]) -> None:
        """The last member but its own checksum."""
        text = json.dumps(told, indent=1, sort_keys=True)
        self._archive.writestr(MANIFEST, text)
        self._archive.writestr(SEAL, hashlib.sha256(text.encode()).hexdigest())

    @contextmanager
    def _member(self, name: str) -> Iterator["_Summed"]:
        with self._archive.open(name, "w", force_zip64=True) as raw:
            yield _Summed(name, raw)


class _Summed:
    """A member that sums up what is written to it."""

    closed = False

    def __init__(self, name: str, raw: IO[bytes]) -> None:
        self._name, self._raw = name, raw
        self._sum, self._size = hashlib.sha256(), 0

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._sum.update(view)
        self._raw.write(view)
        self._size += len(view)
        return len(view)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        pass

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True

    def told(self) -> dict[str, Any]:
        return {"member": self._name, "bytes": self._size, "sha256": self._sum.hexdigest()}


@contextmanager
def written(path: Path) -> Iterator[Writer]:
    """An archive that stands under its name when all of it is on the disk, or not at all; only its owner reads it.

    Raises:
        InputError: there is a file of that name, or it cannot be written there.
    """
    if path.exists():
        raise InputError(_("%(path)s is there already; name another file.") % {"path": path})
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        handle = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise InputError(
            _("%(path)s cannot be written: %(reason)s.") % {"path": path, "reason": error.strerror}
        ) from error
    try:
        with handle:
            with zipfile.ZipFile(handle, "w", zipfile.ZIP_STORED) as archive:
                yield Writer(archive)
            handle.flush()
            os.fsync(handle.fileno())
        part.rename(path)
    except OSError as error:
        raise InputError(
            _("%(path)s cannot be written: %(reason)s.") % {"path": error.filename or path, "reason": error.strerror}
        ) from error
    finally:
        part.unlink(missing_ok=True)


class Reader:
    """An archive that is read. ``manifest`` is what it says of itself.

    Raises:
        InputError: the file is no backup, or not whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._archive = zipfile.ZipFile(path)
            text = self._archive.read(MANIFEST)
            seal = self._archive.read(SEAL).decode()
        except OSError as error:
            raise InputError(
                _("%(path)s cannot be read: %(reason)s.") % {"path": path, "reason": error.strerror}
            ) from error
        except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
            raise InputError(
                _("%(path)s is no whole backup of Rondo; take a file that `rondo backup` finished.") % {"path": path}
            ) from error
        if hashlib.sha256(text).hexdigest() != seal:
            raise self._damaged(MANIFEST)
        try:
            self.manifest: dict[str, Any] = dict(json.loads(text))
        except (ValueError, TypeError) as error:
            raise self._damaged(MANIFEST) from error
        if self.manifest.get("format") != FORMAT:
            raise InputError(
                _("%(path)s: format %(format)r of backups; this version of Rondo reads format %(known)d.")
                % {"path": path, "format": self.manifest.get("format"), "known": FORMAT}
            )
        if not all(isinstance(self.manifest.get(name), kind) for name, kind in _PARTS.items()):
            raise self._damaged(MANIFEST)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_raised: object) -> None:
        self._archive.close()

    @property
    def members(self) -> list[dict[str, Any]]:
        """What the manifest says of each member."""
        return [*self.manifest["tables"], *self.manifest["files"]]

    def check(self, report: Callable[[int, int], None]) -> None:
        """Read everything once and compare it with its checksum.

        Raises:
            InputError: something differs, or is missing.
        """
        total, done = sum(one["bytes"] for one in self.members), 0
        for one in self.members:
            summed = hashlib.sha256()
            try:
                with self._archive.open(one["member"]) as source:
                    while block := source.read(_BLOCK):
                        summed.update(block)
                        done += len(block)
                        report(done, total)
            except (KeyError, zipfile.BadZipFile, OSError) as error:
                raise self._damaged(one["member"]) from error
            if summed.hexdigest() != one["sha256"]:
                raise self._damaged(one["member"])

    def table(self, name: str) -> Iterator[pa.RecordBatch]:
        """The rows of a table, a batch after the other.

        Raises:
            InputError: they are no Arrow stream, as in an archive that something else made.
        """
        member = f"tables/{name}.arrow"
        try:
            with self._archive.open(member) as source:
                yield from pa.ipc.open_stream(pa.PythonFile(source, mode="r"))
        except (pa.ArrowException, KeyError, OSError, zipfile.BadZipFile) as error:
            raise InputError(
                _(
                    "%(path)s, table %(table)s: %(member)s is no Arrow stream of rows. Nothing was restored; take a "
                    "file that `rondo backup` made."
                )
                % {"path": self._path, "table": name, "member": member}
            ) from error

    def file(self, name: str, to: Path) -> None:
        """Put a file of the home to ``to``, whole or not at all, for its owner only."""
        to.parent.mkdir(parents=True, exist_ok=True)
        part = to.with_name(f"{to.name}.{os.getpid()}.part")
        try:
            with (
                self._archive.open(f"files/{name}") as source,
                os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
            ):
                while block := source.read(_BLOCK):
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)

    def _damaged(self, member: str) -> InputError:
        return InputError(
            _("%(path)s: %(member)s is not what was backed up; the file is damaged, take another.")
            % {"path": self._path, "member": member}
        )
