"""Jobs give way to pages, and old objects are not searched again and again."""

import gc
import os
import subprocess
import sys
from pathlib import Path

from rondo.foundation.serving import manners

WEIGHTS = Path("/proc/self/autogroup")
"""Not everywhere: some kernels lack it, and in some containers it is there and empty."""
UNTOLD = "-"


def told(program: str, *, own_session: bool) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        start_new_session=own_session,
    )
    return done.stdout.split()


LOOK = (
    f"import pathlib; weights = pathlib.Path({str(WEIGHTS)!r}); "
    "words = weights.exists() and weights.read_text().split(); "
)
TELL = f"{LOOK} print((words or [{UNTOLD!r}])[-1])"
GIVE_WAY = f"import os, runpy; runpy.run_path({manners.__file__!r})['give_way'](); print(os.nice(0)); {TELL}"


def test_a_process_of_its_own_session_gives_way_with_its_session() -> None:
    """What a new session is told counts: the one that the tests began in may be told nothing where theirs is."""
    [usual] = told(TELL, own_session=True)
    nice, weight = told(GIVE_WAY, own_session=True)
    assert int(nice) == min(19, os.nice(0) + manners.NICE)
    assert weight == (UNTOLD if usual == UNTOLD else str(manners.NICE))


def test_a_session_that_others_share_keeps_its_weight() -> None:
    [before] = told(TELL, own_session=False)
    nice, weight = told(GIVE_WAY, own_session=False)
    [after] = told(TELL, own_session=False)
    assert int(nice) == min(19, os.nice(0) + manners.NICE)
    assert before == weight == after


def test_what_there_is_lasts() -> None:
    before = gc.get_threshold()
    gc.unfreeze()
    try:
        manners.keep_what_there_is()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] == manners.YOUNG
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
