"""The one tree of exceptions. Every error that Rondo raises on purpose derives from :class:`RondoError`."""


class RondoError(Exception):
    """Something a person can understand and mend; the message names place, value and remedy."""


class InputError(RondoError):
    """Given data or arguments are not usable as they stand."""


class PermissionRefused(RondoError):
    """The actor lacks the right that the action needs."""


class StateError(RondoError):
    """The action does not fit the present state of the record."""


class NotFound(RondoError):
    """The record is not there, or not the actor's to see: the answer is the same."""
