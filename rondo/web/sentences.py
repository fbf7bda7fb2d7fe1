"""Sentences whose numbers open those whom they count."""

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from rondo.web import formats


def linked(count: float | None, url: str) -> SafeString | str:
    """A number that opens those whom it counts; nobody, or a number without an address, opens nothing."""
    said = formats.number(count)
    return format_html('<a href="{}">{}</a>', url, said) if count and url else said


def sentence(text: str, **parts: str) -> SafeString:
    """A translated ``text`` with its ``parts`` put in (``%(name)s``), of which some are links."""
    return mark_safe(conditional_escape(text) % {name: conditional_escape(part) for name, part in parts.items()})
