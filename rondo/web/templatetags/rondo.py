"""Template tags of the shell: numbers, money and dates in the viewer's locale, icons, public ids."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache, partial

import lucide
from django import template
from django.forms import BoundField
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from rondo.foundation.folding import CONSTANT
from rondo.foundation.models import User
from rondo.foundation.rights import enters, has_right
from rondo.web import formats
from rondo.web.sentences import linked

register = template.Library()

_CODE = re.compile(r"`([^`<>]+)`")


def _known(value: float | str | None) -> float | None:
    """The value; None for the text (an empty one) that a template makes of an attribute of None."""
    return None if isinstance(value, str) else value


@register.filter
def number(value: float | None, digits: int = 0) -> str:
    """A number: ``{{ orders|number }}``, ``{{ gap|number:1 }}``."""
    return formats.number(_known(value), digits)


@register.filter
def compact(value: float | None) -> str:
    """A number to three significant figures: 155,848 is 156 k."""
    return formats.compact_number(_known(value))


@register.filter
def allowed(right: str, user: User) -> bool:
    """Whether a user has a right: ``{% if "audit"|allowed:request.user %}``."""
    return has_right(user, right)


@register.filter
def entered(room: str, user: User) -> bool:
    """Whether a user sees anything in a room: ``{% if "reports"|entered:request.user %}``."""
    return enters(user, room)


@register.filter
def share(value: float | None, digits: int = 1) -> str:
    """A share of 0 to 1 as a percentage."""
    return formats.share(_known(value), digits)


@register.filter
def money(minor: int | float | None, currency: str = "") -> str:
    """An exact amount in minor units: ``{{ total|money }}`` (the company's currency), ``{{ total|money:"USD" }}``."""
    return formats.money(_known(minor), currency)


@register.filter
def whole_money(minor: int | float | None, currency: str = "") -> str:
    """An amount in minor units, to whole units: $1,204."""
    return formats.money(_known(minor), currency, digits=0)


@register.filter
def compact_money(minor: int | float | None, currency: str = "") -> str:
    """An amount in minor units to three significant figures: $1.21 m, 1,21 Mio. $."""
    return formats.compact_money(_known(minor), currency)


@register.filter
def day(value: date | datetime | str | None) -> str:
    """A day with its year: 1 Dec 2017."""
    return formats.day(value)


@register.filter
def short_day(value: date | datetime | str | None) -> str:
    """A day without its year: 1 Dec."""
    return formats.day(value, year=False)


@register.filter
def month(value: date | datetime | str | None) -> str:
    """A month with its year: Dec 2017."""
    return formats.month(value)


@register.filter
def moment(value: datetime | None) -> str:
    """An instant in the company's zone: 1 Dec 2017, 14:02."""
    return formats.moment(value)


@register.filter
def clock(value: datetime | None) -> str:
    """The time of day in the company's zone: 14:02."""
    return formats.clock(value)


@register.filter
def days(value: float | None) -> str:
    """A number of days with its unit."""
    return formats.days(value)


@register.filter
def unbroken(text: str) -> str:
    """Words that stay on one line wherever the text around them breaks: a date within a sentence."""
    return text.replace(" ", "\u00a0")


@register.filter
def breaking(address: str) -> SafeString:
    """An e-mail address that breaks before its @, should it have to."""
    local, at, domain = address.rpartition("@")
    return format_html("{}<wbr>{}{}", local, at, domain)


@register.filter
def coded(text: str) -> SafeString:
    """Text of the API's documents, whose `names` stand between backticks."""
    return mark_safe(_CODE.sub(r"<code>\1</code>", conditional_escape(text)))


@register.filter
def bare(field: BoundField) -> SafeString:
    """A form field without the placeholder that would only say its label again."""
    return field.as_widget(attrs={"placeholder": False})


@lru_cache(maxsize=512)
def _drawn(name: str, size: int) -> str:
    return str(
        lucide._render_icon(
            name, size, **{"class": "icon", "stroke_width": "1.75", "aria_hidden": "true", "focusable": "false"}
        )
    )


@register.simple_tag
def icon(name: str, size: int = 16) -> SafeString:
    """A lucide icon as decoration: the control around it carries the words. An unknown name raises IconDoesNotExist."""
    return mark_safe(_drawn(str(name), size))


vars(icon)[CONSTANT] = True


@register.simple_tag
def opens(count: float | str | None, url: str) -> SafeString | str:
    """A number within a sentence that opens those whom it counts: ``{% opens answered url as answered %}``. Nobody, or
    a number without an address, opens nothing."""
    return linked(_known(count), url)


@register.simple_tag
def interval(low: int | float | None, high: int | float | None, kind: str = "compact_money") -> SafeString:
    """The bounds of an estimate, as ``(low to high)``; ``kind`` is compact_money, whole_money, number or share."""
    if low is None or high is None:
        return SafeString("")
    writers: dict[str, Callable[[float], str]] = {
        "compact_money": formats.compact_money,
        "whole_money": partial(formats.money, digits=0),
        "number": formats.number,
        "share": formats.share,
    }
    write = writers[kind]
    text = _("%(low)s to %(high)s") % {"low": write(low), "high": write(high)}
    return format_html('<span class="interval">{}</span>', text)


@register.simple_tag
def sparkline(values: Iterable[float], label: str, width: int = 96, height: int = 24) -> SafeString:
    """A line of ``values`` from zero, as a small SVG that speaks ``label``; nothing for fewer than two values."""
    points = [float(value) for value in values]
    if len(points) < 2:
        return SafeString("")
    top = max([*points, 0.0]) or 1.0
    step = (width - 2) / (len(points) - 1)
    path = " ".join(
        f"{1 + i * step:.1f},{height - 1 - max(v, 0) / top * (height - 2):.1f}" for i, v in enumerate(points)
    )
    return format_html(
        '<svg class="sparkline" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<polyline points="{}" fill="none"/></svg>',
        width,
        height,
        width,
        height,
        label,
        path,
    )


@register.filter
def undo_url(message: object) -> str:
    """The address in ``extra_tags="undo:/address"`` of a message; empty if none, or if it leaves the site."""
    tags = getattr(message, "extra_tags", "") or ""
    url = next((tag[5:] for tag in tags.split() if tag.startswith("undo:")), "")
    return url if url.startswith("/") and not url.startswith("//") else ""


@register.filter
def signed(value: float) -> str:
    """A change as a number with its sign: +9."""
    return formats.signed(value, formats.number)


@register.filter
def signed_share(value: float) -> str:
    """A change as a percentage with its sign: +2.1%."""
    return formats.signed(value, formats.share)


@register.filter
def signed_money(minor: int | float) -> str:
    """A change of an amount in minor units, compact, with its sign: +$24.3 k."""
    return formats.signed(minor, formats.compact_money)
