"""How the processes of one machine get along: pages come before jobs, and no page stops for old objects."""

import gc
import os
from contextlib import suppress
from pathlib import Path

NICE = 5
"""Where both want the processor, a job gets about a quarter of what a page gets. Less would let a job that holds the
lock of SQLite keep those who write waiting."""
YOUNG = 10_000
"""So many new objects before the youngest are searched for circles. The 700 of the interpreter are a part of a page."""


def give_way() -> None:
    """Let processes that answer people go first, on this machine, from now on. Threads begun later do likewise.

    Linux weighs sessions against each other before it weighs their processes, so the session's own weight is set too,
    unless others (a shell) share it.
    """
    os.nice(NICE)
    if os.getsid(0) == os.getpid():
        with suppress(OSError), Path("/proc/self/autogroup").open("w") as weight:
            weight.write(str(NICE))


def keep_what_there_is() -> None:
    """Take what has been made so far for lasting: code, settings, templates. The search for circles, which took 180 ms
    at a time when it went through all of it in the middle of a page, leaves it out from now on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
