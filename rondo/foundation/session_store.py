"""Sessions in the database, as Django keeps them; read by a statement that is kept, since every page begins with it."""

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from rondo.foundation.prepared import prepared


@prepared
def _of_key(key: str) -> "QuerySet[Session]":
    return Session.objects.filter(pk=key)


class SessionStore(DatabaseStore):
    """The sessions of :mod:`django.contrib.sessions`."""

    def _get_session_from_db(self) -> Session | None:
        found = _of_key(self.session_key) if self.session_key else []
        if found and found[0].expire_date > timezone.now():
            return found[0]
        self._session_key = None
        return None
