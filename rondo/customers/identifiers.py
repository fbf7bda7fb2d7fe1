"""Identifiers in their normal form: what is compared and kept unique, and what is shown.

The guard rails follow what customer-data platforms learnt (Segment Unify): values that every broken form sends are
blocked, and a customer holds at most a few identifiers of a kind, so that a shared value cannot join strangers.
"""

import re
import unicodedata
from typing import NamedTuple

import phonenumbers
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

from rondo.customers.models import Identifier
from rondo.errors import InputError

Kind = Identifier.Kind

LIMITS: dict[str, int] = {
    Kind.EXTERNAL: 1,
    Kind.EMAIL: 5,
    Kind.PHONE: 5,
    Kind.CARD: 5,
    Kind.ANONYMOUS: 5,
    Kind.DEVICE: 5,
}
"""How many identifiers of a kind one customer may hold (within one source, for kinds that have a source)."""

PRIORITY: tuple[str, ...] = (Kind.EXTERNAL, Kind.EMAIL, Kind.PHONE, Kind.CARD, Kind.DEVICE, Kind.ANONYMOUS)
"""Which kind decides when identifiers of one row point to different customers: the first that is known."""

UNNAMED_KINDS: frozenset[str] = frozenset({Kind.ANONYMOUS, Kind.DEVICE})
"""Kinds that recognise a browser or a device, not a person: a record with only these is not *known*."""

MAX_LENGTH = 255

DOTS = "••••"
"""What stands for a value that is masked."""
_TOLD = 4
"""So many characters at the end of a long number are told, by which people recognise what they know already."""
_LONG = 8

_BLOCKED_PATTERN = re.compile(r"[0-]*")
_BLOCKED = frozenset({"-1", "null", "none", "nil", "nan", "anonymous", "undefined", "unknown", "n/a", "#n/a"})
_TEST_LOCALS = frozenset({"test", "tester", "testing", "example", "email", "mail", "user", "asdf", "abc", "xxx"})
_TEST_DOMAINS = frozenset({"test.com", "test.de", "example.com", "example.org", "example.net", "asdf.com", "abc.com"})
_SEPARATORS = re.compile(r"[\s.\-/_\u2010-\u2015]+")


class Normalised(NamedTuple):
    """An identifier in normal form: ``value`` is compared and unique, ``shown`` is what people read."""

    value: str
    shown: str


def normalise(kind: str, value: str, region: str | None = None) -> Normalised:
    """The normal form of an identifier.

    E-mail addresses are checked for form (RFC 5321/5322 and internationalised ones, without asking the DNS) and case
    folded; phone numbers become E.164; card numbers lose blanks and hyphens and are in capitals; numbers of other
    systems, anonymous ids and device ids are taken as they are, without blanks at their ends.

    Args:
        kind: a value of :class:`Identifier.Kind`.
        value: as given by a person or a file.
        region: ISO 3166 alpha-2 country that a phone number without ``+`` belongs to.

    Raises:
        InputError: the value is empty, blocked, too long, or not of its kind.
    """
    if kind not in LIMITS:
        raise InputError(
            _("Identifier kind %(kind)r is not known; one of %(kinds)s is needed.")
            % {"kind": kind, "kinds": ", ".join(LIMITS)}
        )
    text = unicodedata.normalize("NFC", value).strip()
    if any(unicodedata.category(c) == "Cc" for c in text):
        raise InputError(_("%(value)r holds control characters; remove them.") % {"value": value[:60]})
    if len(text) > MAX_LENGTH:
        raise InputError(
            _("%(value)s… has %(length)d characters; an identifier has at most %(limit)d.")
            % {"value": text[:40], "length": len(text), "limit": MAX_LENGTH}
        )
    _refuse_blocked(text)
    if kind == Kind.EMAIL:
        return _email(text)
    if kind == Kind.PHONE:
        return _phone(text, region)
    if kind == Kind.CARD:
        return _card(text)
    return Normalised(text, text)


def _refuse_blocked(text: str) -> None:
    if not text:
        raise InputError(_("The identifier is empty; give a value or leave it out."))
    if _BLOCKED_PATTERN.fullmatch(text) or text.casefold() in _BLOCKED:
        raise InputError(
            _("%(value)r stands for “no value” and would join strangers; leave the identifier out.") % {"value": text}
        )


def _email(text: str) -> Normalised:
    try:
        shown = validate_email(text, check_deliverability=False, test_environment=False).normalized
    except EmailNotValidError as error:
        raise InputError(
            _("%(value)r is no e-mail address (%(reason)s); write it as name@example.org.")
            % {"value": text, "reason": str(error).rstrip(".")}
        ) from error
    value = shown.casefold()
    local, _at, domain = value.rpartition("@")
    if local in _TEST_LOCALS and domain in _TEST_DOMAINS:
        raise InputError(_("%(value)r is a test address and would join strangers; leave it out.") % {"value": text})
    return Normalised(value, shown)


def _phone(text: str, region: str | None) -> Normalised:
    if not region and not text.startswith(("+", "00", "tel:+")):
        raise InputError(
            _("Phone number %(value)r has no country; write it as +49 30 123456 or give the customer's country.")
            % {"value": text}
        )
    if text.startswith("00") and not region:
        text = "+" + text[2:]
    try:
        number = phonenumbers.parse(text, region.upper() if region else None)
    except phonenumbers.NumberParseException as error:
        raise InputError(_("%(value)r is no phone number; write it as +49 30 123456.") % {"value": text}) from error
    if not phonenumbers.is_possible_number(number):
        raise InputError(
            _("Phone number %(value)r is too short or too long for its country; write it as +49 30 123456.")
            % {"value": text}
        )
    return Normalised(
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL),
    )


def _card(text: str) -> Normalised:
    value = _SEPARATORS.sub("", text).upper()
    if not value or not value.isascii() or not value.isalnum():
        raise InputError(
            _("Card number %(value)r may hold letters, digits, blanks and hyphens only.") % {"value": text}
        )
    _refuse_blocked(value)
    return Normalised(value, " ".join(text.split()))


def masked_text(kind: str, shown: str) -> str:
    """An identifier for those for whom identifiers are masked: of a long number the last four characters are told."""
    told = kind in {Kind.PHONE, Kind.CARD, Kind.EXTERNAL} and sum(c.isalnum() for c in shown) >= _LONG
    return f"{DOTS} {''.join(c for c in shown if c.isalnum())[-_TOLD:]}" if told else DOTS


def check_limit(kind: str, held: int, owner: str) -> None:
    """Refuse one more identifier of ``kind`` for a customer (``owner``, as shown) that holds ``held`` of them.

    Raises:
        InputError: the limit of the kind is reached.
    """
    if held >= LIMITS[kind]:
        raise InputError(
            _("%(owner)s holds %(held)d of at most %(limit)d identifiers of the kind “%(kind)s”; remove one first.")
            % {"owner": owner, "held": held, "limit": LIMITS[kind], "kind": Kind(kind).label}
        )
