"""Uploads go straight to disk, into the folder they stay in; nobody who may not import gets to send a file."""

import tempfile
import weakref
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.urls import reverse

from rondo.foundation.models import User
from rondo.foundation.rights import has_right
from rondo.interactions.importing.choosing import folder


class _Held(TemporaryUploadedFile):
    """An uploaded file on disk; Django's own class makes it in the system's temporary folder."""

    def __init__(self, *told: Any) -> None:
        super(TemporaryUploadedFile, self).__init__(*told)


class ToFolder(FileUploadHandler):
    """Django's handler of uploads: a piece at a time, at most as much as ``RONDO_UPLOAD_LIMIT_MB`` says.

    Raises:
        SuspiciousOperation: a file for a page that takes none, or from somebody who may not import.
        RequestDataTooBig: more than the limit.
    """

    chunk_size = 1024 * 1024
    request: HttpRequest

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        user = getattr(self.request, "auth", None) or getattr(self.request, "user", None)  # by token, or signed in
        wanted = self.request.path in {reverse("imports"), reverse("api-v1:import-files")}
        if not wanted or not isinstance(user, User) or not has_right(user, "import"):
            raise SuspiciousOperation("A file was sent to a page that takes none, or by somebody who may not import.")
        self.taken = 0
        # In the folder it stays in, so that keeping the file is giving it another name.
        opened: Any = tempfile.NamedTemporaryFile(suffix=".upload", dir=folder())  # noqa: SIM115 - closed by Django
        self.file: Any = _Held(opened, self.file_name, self.content_type, 0, self.charset, self.content_type_extra)
        # Where the rest of the request is unreadable, Django does not close what it did not take over.
        self._closing = weakref.finalize(self, self.file.close)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.taken += len(raw_data)
        if self.taken > settings.RONDO_UPLOAD_LIMIT_MB * 1024**2:
            self.file.close()
            raise RequestDataTooBig("The file is larger than RONDO_UPLOAD_LIMIT_MB.")
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> Any:
        self._closing.detach()
        self.file.seek(0)
        self.file.size = file_size
        return self.file

    def upload_interrupted(self) -> None:
        if getattr(self, "file", None) is not None:
            self.file.close()
