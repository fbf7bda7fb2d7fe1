"""Folding of names for search: Müller, Mueller and muller are found by each other."""

import unicodedata

_SPECIAL = str.maketrans(
    {"ä": "a", "ö": "o", "ü": "u", "ß": "ss", "æ": "a", "ø": "o", "å": "a", "ł": "l", "đ": "d", "œ": "o"}
)


def fold(text: str) -> str:
    """Lower case, without diacritics, German two-letter umlauts folded onto one, runs of other characters as one blank.

    >>> fold("Müller"), fold("MUELLER"), fold("Muller")
    ('muller', 'muller', 'muller')
    """
    lowered = text.casefold().translate(_SPECIAL)
    plain = "".join(c for c in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(c))
    plain = plain.replace("ae", "a").replace("oe", "o").replace("ue", "u")
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def begins(title: str, text: str) -> bool:
    """Whether each word of ``text`` begins a word of ``title``, whatever their case and accents."""
    words = fold(title).split()
    return all(any(word.startswith(part) for word in words) for part in fold(text).split())
