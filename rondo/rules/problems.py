"""What is wrong with a rule: where, what was found, what would be right, and what was probably meant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

from django.utils.translation import gettext as _

from rondo.errors import InputError

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """One thing wrong. ``offset`` and ``length`` in characters of the text, ``line`` and ``column`` from 1 (0 where
    there is no text); ``path`` in the JSON form."""

    message: str
    found: str = ""
    expected: tuple[str, ...] = ()
    suggestion: str = ""
    path: Path = ()
    offset: int = 0
    length: int = 0
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if self.line:
            place = _("line %(line)d, column %(column)d") % {"line": self.line, "column": self.column}
        else:
            place = "/".join(map(str, self.path)) or _("rule")
        return f"{place}: {self.sentence}"

    @property
    def sentence(self) -> str:
        """What is wrong and what would be right, for who sees the place."""
        parts = [self.message]
        if self.suggestion:
            parts.append(_("Did you mean “%(word)s”?") % {"word": self.suggestion})
        elif self.expected:
            parts.append(_("Write one of: %(words)s.") % {"words": ", ".join(self.expected)})
        return " ".join(parts)


class RuleError(InputError):
    """A rule that cannot be understood; ``problems`` has every thing that is wrong, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(str(problem) for problem in self.problems))


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that ``word`` is probably a slip of; empty if none is near."""
    words = list(known)
    found = get_close_matches(word.casefold(), words, n=1, cutoff=0.6)
    return found[0] if found else ""


def located(text: str, offset: int) -> tuple[int, int]:
    """Line and column (from 1) of an offset."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


@dataclass(frozen=True)
class Places:
    """Where in a text the parts of a tree stand, by their path."""

    text: str
    spans: dict[Path, tuple[int, int]]

    def problem(
        self, path: Path, message: str, found: str = "", expected: Sequence[str] = (), suggestion: str = ""
    ) -> Problem:
        """A problem at the part of the tree at ``path``, or at the nearest part around it."""
        around = path
        while around and around not in self.spans:
            around = around[:-1]
        start, end = self.spans.get(around, (0, len(self.text)))
        line, column = located(self.text, start)
        return Problem(message, found, tuple(expected), suggestion, path, start, end - start, line, column)


class Paths:
    """Places of a tree that was not written as text."""

    def problem(
        self, path: Path, message: str, found: str = "", expected: Sequence[str] = (), suggestion: str = ""
    ) -> Problem:
        """A problem at ``path``."""
        return Problem(message, found, tuple(expected), suggestion, path)
