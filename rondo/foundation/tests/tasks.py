"""Tasks that the tests of jobs run. They leave their traces in files, since workers are processes of their own."""

import os
import threading
import time
from pathlib import Path

from rondo.foundation.jobs import task


@task()
def add(first: int, second: int) -> int:
    """Returns the sum."""
    return first + second


@task()
def fail(message: str) -> None:
    """Raises."""
    raise ValueError(message)


@task()
def note(path: str) -> None:
    """Appends a line with the process id."""
    with Path(path).open("a") as file:
        file.write(f"{os.getpid()}\n")


@task()
def slow(path: str) -> None:
    """Says that it began, takes minutes the first time and none when it is taken up again, says that it ended."""
    trace = Path(path)
    first = not trace.exists()
    with trace.open("a") as file:
        file.write("begun\n")
    if first:
        time.sleep(120)
    with trace.open("a") as file:
        file.write("ended\n")


PACED: list[str] = []
"""What :func:`keep_pace` did."""


def keep_pace(ended: threading.Event) -> None:
    """A companion that fails once, then runs until told to stop."""
    if not PACED:
        PACED.append("failed")
        raise ValueError("the first time")
    PACED.append("begun")
    ended.wait(60)
    PACED.append("ended")
