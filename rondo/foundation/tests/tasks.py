"""Tasks that the tests of jobs run. They leave their traces in files, since workers are processes of their own."""

import os
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
def slow(path: str, seconds: float) -> None:
    """Says that it began, takes its time, says that it ended."""
    with Path(path).open("a") as file:
        file.write("begun\n")
    time.sleep(seconds)
    with Path(path).open("a") as file:
        file.write("ended\n")
