"""Reading a stored fit back: only by the model that wrote it, and only for the data it was fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rondo.errors import InputError


def read_document(
    document: Mapping[str, Any], model: str, version: int, fields: set[str], fingerprint: str
) -> dict[str, Any]:
    """The fields of a stored fit; InputError names what does not fit and why."""
    if document.get("model") != model:
        raise InputError(f"stored fit: model {document.get('model')!r}, expected {model!r}; load it with its own model")
    if document.get("version") != version:
        raise InputError(f"stored fit: version {document.get('version')!r}, expected {version}; fit again")
    given = set(document) - {"model", "version"}
    if given != fields:
        wrong = ", ".join(sorted(given ^ fields))
        raise InputError(f"stored fit: fields missing or unknown: {wrong}; fit again")
    if document["fingerprint"] != fingerprint:
        raise InputError(
            f"stored fit: made on data {str(document['fingerprint'])[:12]}, given data {fingerprint[:12]}; "
            "fit again on the given data"
        )
    return {name: document[name] for name in fields}
