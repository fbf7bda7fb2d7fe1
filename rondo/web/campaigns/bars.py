"""A share with its interval as a small bar: drawn as SVG, since a page may carry no inline style."""

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rondo.science.proportions import Share
from rondo.web import formats

WIDTH, HEIGHT = 120, 16
_THICK = 6


def share_bar(share: Share | None, full: float) -> SafeString:
    """A bar from zero as long as the share, with a whisker over its interval.

    Args:
        share: what to draw; nothing for None.
        full: the share at which the bar fills its width, the same for all bars that are read against each other.
    """
    if share is None or full <= 0:
        return SafeString("")

    def at(value: float) -> str:
        return f"{min(value / full, 1) * (WIDTH - 2) + 1:.1f}"

    label = _("%(share)s, between %(low)s and %(high)s") % {
        "share": formats.share(share.value),
        "low": formats.share(share.low),
        "high": formats.share(share.high),
    }
    middle, top = HEIGHT / 2, (HEIGHT - _THICK) / 2
    return format_html(
        '<svg width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<rect x="1" y="{}" width="{}" height="{}" fill="var(--chart-band)"/>'
        '<path d="M{} {}H{}M{} {}v{}M{} {}v{}" fill="none" stroke="var(--chart-1)" stroke-width="1.5"/>'
        '<circle cx="{}" cy="{}" r="2.5" fill="var(--chart-1)"/></svg>',
        WIDTH,
        HEIGHT,
        WIDTH,
        HEIGHT,
        label,
        top,
        f"{float(at(share.value)) - 1:.1f}",
        _THICK,
        at(share.low),
        middle,
        at(share.high),
        at(share.low),
        middle - 3,
        6,
        at(share.high),
        middle - 3,
        6,
        at(share.value),
        middle,
    )
