"""Progress of long work on the command line: bars with rate and time left on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Task as RichTask
from rich.text import Text

Report = Callable[[int, int], None]
PLAIN_EVERY_SECONDS = 5.0


class _Rate(TextColumn):
    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: RichTask) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="dim")


@contextmanager
def steps() -> Iterator[Callable[[str], Report]]:
    """Yield ``begin(name)``, which opens a step and returns its report function ``(done, total)``.

    A step ends when the next one begins or the block is left. On a terminal each step is a bar; otherwise it is a line
    at its start, one every five seconds, and one at its end with the seconds it took.
    """
    if sys.stderr.isatty():
        yield from _bars()
    else:
        yield from _lines()


def _bars() -> Iterator[Callable[[str], Report]]:
    columns = (
        TextColumn("{task.description:<14}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        current: list[int] = []

        def finish() -> None:
            for key in current:
                total = next(t.total for t in bars.tasks if t.id == key) or 1
                bars.update(bars.tasks[key].id, completed=total, total=total)
            current.clear()

        def begin(name: str) -> Report:
            finish()
            key = bars.add_task(name, total=None)
            current.append(key)
            return lambda done, total: bars.update(key, completed=done, total=total or None)

        yield begin
        finish()


def _lines() -> Iterator[Callable[[str], Report]]:
    state: dict[str, tuple[float, float]] = {}

    def say(text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def finish() -> None:
        for name, (started, _told) in state.items():
            say(_("%(step)s: done in %(seconds).1f s") % {"step": name, "seconds": time.perf_counter() - started})
        state.clear()

    def begin(name: str) -> Report:
        finish()
        started = time.perf_counter()
        state[name] = (started, started)
        say(_("%(step)s: started") % {"step": name})

        def report(done: int, total: int) -> None:
            now = time.perf_counter()
            if name not in state or now - state[name][1] < PLAIN_EVERY_SECONDS:
                return
            state[name] = (started, now)
            rate = done / max(now - started, 1e-9)
            told = {
                "step": name,
                "done": f"{done:,}",
                "total": f"{total:,}",
                "rate": f"{rate:,.0f}",
                "left": f"{(total - done) / max(rate, 1e-9):.0f}",
            }
            if not total:
                say(_("%(step)s: %(done)s, %(rate)s/s") % told)
            elif not rate or total < done:
                say(_("%(step)s: %(done)s of %(total)s, %(rate)s/s") % told)
            else:
                say(_("%(step)s: %(done)s of %(total)s, %(rate)s/s, %(left)s s left") % told)

        return report

    yield begin
    finish()
