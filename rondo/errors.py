"""The one tree of exceptions. Every error that Rondo raises on purpose derives from :class:`RondoError`."""

from collections.abc import Callable


def _as_written(message: str) -> str:
    return message


translate: Callable[[str], str] = _as_written
"""Says a sentence in the language in force; :mod:`rondo.speech` puts the real one here: this floor knows none."""


class RondoError(Exception):
    """Something a person can understand and mend; the message names place, value and remedy.

    ``message`` is a sentence in the reader's language; or, where it is raised before there is a reader or by a room
    that knows no translation, the English one with ``values`` for its named places, and is said when it is read.
    """

    def __init__(self, message: object = "", **values: object) -> None:
        super().__init__(message)
        self.values = values

    def __str__(self) -> str:
        message = str(self.args[0]) if self.args else ""
        said = translate(message) if message else ""
        return said % self.values if self.values else said


class InputError(RondoError):
    """Given data or arguments are not usable as they stand."""


class PermissionRefused(RondoError):
    """The actor lacks the right that the action needs."""


class ScopeMissing(PermissionRefused):
    """The token of a request to the API was not made for what it asks; ``scope`` names what it lacks."""

    def __init__(self, scope: str, message: object = "", **values: object) -> None:
        super().__init__(message, **values)
        self.scope = scope


class TooManyAttempts(RondoError):
    """A door was tried too often; it may be tried again after ``seconds``."""

    def __init__(self, seconds: int, message: object = "", **values: object) -> None:
        super().__init__(message, **values)
        self.seconds = seconds


class StateError(RondoError):
    """The action does not fit the present state of the record."""


class Overtaken(StateError):
    """Others changed meanwhile what long work built on; it can be begun anew."""


class NotFound(RondoError):
    """The record is not there, or not the actor's to see: the answer is the same."""
