"""What Django keeps for each request lies in plain thread locals: web processes answer in threads alone.

Django keeps the language, the time zone, the prefix of addresses and the connections in locals that follow tasks of
``asyncio`` as well. Reading one takes some twenty times as long as a thread local, and a page reads hundreds.
"""

import threading
from typing import Any

from asgiref.local import Local
from django.core.cache import caches
from django.db import connections
from django.urls import base
from django.utils import timezone
from django.utils.translation import trans_real

HELD: tuple[tuple[Any, str], ...] = (
    (trans_real, "_active"),
    (timezone, "_active"),
    (base, "_prefixes"),
    (base, "_urlconfs"),
    (connections, "_connections"),
    (caches, "_connections"),
)
"""Where Django keeps them; a version that keeps one elsewhere is left as it is there."""


def use_threads() -> None:
    """Once, before a process answers its first request, and only if it runs no ``asyncio``: what was open is closed."""
    connections.close_all()
    for holder, name in HELD:
        if isinstance(getattr(holder, name, None), Local):
            setattr(holder, name, threading.local())
