"""Public ids: what stands in URLs and the API instead of the database key.

A key is written with an alphabet shuffled once per installation, behind a letter for the record type, so that numbers
cannot be guessed from each other and no column is spent on them. The id is no secret: rights decide who sees a record.
"""

import random
import secrets
from functools import lru_cache

from sqids import Sqids

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def new_alphabet() -> str:
    """A freshly shuffled alphabet without letters that are easily confused."""
    letters = list(_LETTERS)
    random.SystemRandom().shuffle(letters)
    return "".join(letters)


@lru_cache(maxsize=4)
def _coder(alphabet: str) -> Sqids:
    return Sqids(alphabet=alphabet, min_length=8, blocklist=[])


def _alphabet() -> str:
    from rondo.foundation.installation import installation

    return installation().id_alphabet


@lru_cache(maxsize=8192)
def _text(alphabet: str, key: int) -> str:
    """A page names the same few records again and again; each costs dozens of swaps of the alphabet."""
    return _coder(alphabet).encode([key])


def encode(prefix: str, key: int) -> str:
    """The public id of a key, such as ``c_8fk2m9xq``."""
    return f"{prefix}_{_text(_alphabet(), key)}"


def decode(prefix: str, public_id: str) -> int | None:
    """The key behind a public id, or None if it is not one of this type and installation."""
    head, _, tail = public_id.partition("_")
    if head != prefix or not tail or len(tail) > 20:
        return None
    coder = _coder(_alphabet())
    numbers = coder.decode(tail)
    if len(numbers) != 1 or numbers[0] > 2**63 - 1 or coder.encode(numbers) != tail:
        return None
    return int(numbers[0])


def new_token(prefix: str) -> str:
    """An unguessable text for links and API tokens."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"
