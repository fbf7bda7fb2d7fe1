"""A process that ends with its parent, however the parent ends."""

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.5
_GRACE_SECONDS = 10.0


def end_with_parent(parent: int) -> None:
    """Send this process SIGTERM as soon as process ``parent`` is no longer its parent, and end it hard if that does
    not help in ten seconds. On Linux the kernel tells at once; elsewhere a thread looks twice a second."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)
