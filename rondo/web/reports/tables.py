"""How wide a table is on paper: its type is made smaller or its page turned before anything would be clipped."""

import re
from typing import Any

LONGEST_WORD = 28
"""A longer word may be broken anywhere (a zero-width space stands at every so many signs)."""
WRAPPED, WRAPPED_HEAD = 34, 12
"""A cell, or a heading, with more signs than that may be set on several lines."""

_LONG = re.compile(rf"[^\s\u200b]{{{LONGEST_WORD + 1},}}")
_STEP = 14
# The width of A4 less its margins, in points; a sign is about half an em wide.
_PORTRAIT, _LANDSCAPE = 487.0, 734.0
_SIGN = 0.47
_PADDING = 9.0
_SIZES = ((8.5, False), (7.5, False), (8.5, True), (7.5, True), (6.5, True), (5.5, True))


def broken(text: str) -> str:
    """The text with places to break in words that no line would hold."""
    return _LONG.sub(lambda found: "\u200b".join(_pieces(found.group())), text)


def _pieces(word: str) -> list[str]:
    return [word[at : at + _STEP] for at in range(0, len(word), _STEP)]


def sized(table: dict[str, Any]) -> dict[str, Any]:
    """The table with the ``size`` of its type in points and whether its page is ``turned``."""
    widths = [0.0] * table["columns"]
    for number, row in enumerate([*table["head"], *table["rows"]]):
        wrapped = WRAPPED_HEAD if number < len(table["head"]) else WRAPPED
        at = 0
        for cell in row:
            if cell["span"] == 1 and at < len(widths):
                widths[at] = max(widths[at], _signs(cell, wrapped))
            at += cell["span"]
    for size, turned in _SIZES:
        room = _LANDSCAPE if turned else _PORTRAIT
        if sum(width * size * _SIGN + _PADDING for width in widths) <= room:
            break
    return {**table, "size": size, "turned": turned}


def _signs(cell: dict[str, Any], wrapped: int) -> float:
    """So many signs a cell needs: its longest word, and a line of text before it is wrapped."""
    lines, line, drawn = [], "", 0.0
    for run in cell["runs"]:
        if "br" in run:
            lines.append(line)
            line = ""
        elif "svg" in run:
            drawn += run["width"] / 4.4
        else:
            line += run.get("text", "  ")
    lines.append(line)
    words = [word for text in lines for word in text.replace("\u200b", " ").split(" ")]
    longest = max(map(len, words), default=0)
    widest = max(map(len, lines), default=0)
    return max(longest, min(widest, wrapped)) + drawn
