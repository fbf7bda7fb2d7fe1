"""Parameters that an operation does not have are refused: a misspelt filter that is ignored answers with everything."""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.errors import ValidationError

from rondo.api.writing import BODY
from rondo.errors import InputError, NotFound
from rondo.foundation import ids


def check_texts(name: str, given: Iterable[str]) -> None:
    """Refuse what no column can hold, as one database would answer it with an error.

    Raises:
        InputError: a text holds a NUL.
    """
    if any("\x00" in text for text in given):
        raise InputError(_("%(name)s: a NUL is no text; remove it.") % {"name": name})


def key_of(prefix: str, public_id: str) -> int:
    """The key of a record that an address names by its public id.

    Raises:
        NotFound: no record has such an id.
    """
    key = ids.decode(prefix, public_id)
    if key is None:
        raise NotFound(public_id)
    return key


def refuse_unknown(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an operation so that a query parameter it does not know, or one value given twice, is a 422."""
    known = set(inspect.signature(operation).parameters) - {"request", BODY}

    @wraps(operation)
    def checked(request: HttpRequest, *args: Any, **values: Any) -> Any:
        taken = known - set(getattr(request.resolver_match, "captured_kwargs", {}))
        allowed = ", ".join(sorted(taken)) or "–"
        flaws = []
        for name, given in request.GET.lists():
            if name not in taken:
                told = _("There is no such parameter here; there are: %(known)s.") % {"known": allowed}
            elif len(given) > 1 and not isinstance(values.get(name), list):
                told = _("Given %(count)d times; once is right.") % {"count": len(given)}
            else:
                continue
            flaws.append({"type": "unknown", "loc": ("query", name[:100]), "msg": told})
        if flaws:
            raise ValidationError(flaws)
        return operation(request, *args, **values)

    return checked
