"""Words, numbers, dates, texts in quotes and signs of the text form, each with its place."""

import re
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from rondo.rules.problems import Problem, RuleError, located
from rondo.rules.tree import MAX_TEXT

Form = Literal["word", "quoted", "string", "number", "date", "sign", "end"]

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<date>\d{4}-\d{2}-\d{2}(?![\w-]))
    |(?P<number>[+-]?\d+(?:\.\d+)?\s?%|[+-]?\d+(?:\.\d+)?(?![\w.]|-\w))
    |(?P<word>[^\W\d][\w.@-]*)
    |(?P<quoted>`[^`\n]+`)
    |(?P<string>"(?:[^"\\]|\\["\\])*")
    |(?P<sign>>=|<=|!=|[=<>(),])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """A piece of the text: ``text`` is what it means (a string without its quotes), ``start`` and ``end`` its place."""

    form: Form
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words of the language; a word in backquotes is never one."""
        return self.form == "word" and self.text.lower() in words

    def is_sign(self, *signs: str) -> bool:
        """Whether it is one of these signs."""
        return self.form == "sign" and self.text in signs


def failure(text: str, start: int, end: int, message: str, **more: str | tuple[str, ...]) -> RuleError:
    """An error at a place of the text."""
    line, column = located(text, start)
    found = text[start:end]
    return RuleError(
        [Problem(message, found, offset=start, length=end - start, line=line, column=column, **more)]  # type: ignore[arg-type]
    )


def tokens(text: str) -> list[Token]:
    """The text cut into tokens, the last one of form "end".

    Raises:
        RuleError: a character that begins no token, a text whose quote is not closed, or a text that is too long.
    """
    if len(text) > MAX_TEXT:
        raise failure(
            text,
            MAX_TEXT,
            len(text),
            _("the rule has %(length)d characters; keep it below %(limit)d.")
            % {"length": len(text), "limit": MAX_TEXT},
        )
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unreadable(text, at)
        form = match.lastgroup
        piece = match.group()
        if form == "string":
            piece = re.sub(r"\\(.)", r"\1", piece[1:-1])
        elif form == "quoted":
            piece = piece[1:-1]
        if form != "space":
            found.append(Token(form, piece, at, match.end()))  # type: ignore[arg-type]  # the groups are the forms
        at = match.end()
    found.append(Token("end", "", len(text), len(text)))
    return found


def _unreadable(text: str, at: int) -> RuleError:
    if text[at] == '"':
        return failure(text, at, len(text), _("this quote is not closed; write a second one behind the text."))
    if text[at] == "`":
        return failure(text, at, len(text), _("this backquote is not closed on its line."))
    if text[at] == "'" or text[at] in "“”„«»‘’":
        return failure(text, at, at + 1, _('texts stand in straight double quotes, such as "COFFEE".'))
    if text[at].isdigit() or text[at] in "+-":
        end = at + len(re.match(r"[+\-\w.,]+", text[at:]).group())  # type: ignore[union-attr]  # it begins with one
        message = _("this is no number; write 1204.50, a date as 2017-12-31, and other values in quotes.")
        return failure(text, at, end, message)
    return failure(text, at, at + 1, _("this sign has no meaning in a rule; put texts in double quotes."))
