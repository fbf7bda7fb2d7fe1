"""How often a token may call: refused beyond the limit with 429, and told with every answer how much is left.

The headers are those that most clients know, ``RateLimit-Limit``, ``RateLimit-Remaining`` and ``RateLimit-Reset``, with
the policy behind them (draft-ietf-httpapi-ratelimit-headers); a refusal says in ``Retry-After`` when to go on.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from rondo.foundation.api_rates import METER, WINDOW, Standing, refusal
from rondo.foundation.models import ApiToken

_STANDING = "_rondo_rate"


def count(request: HttpRequest, token: ApiToken) -> None:
    """Count a request of a token.

    Raises:
        TooManyAttempts: the token made too many in this minute.
    """
    if not settings.RONDO_API_RATE:
        return
    standing = METER.take(token, settings.RONDO_API_RATE)
    setattr(request, _STANDING, standing)
    if not standing.allowed:
        raise refusal(standing)


def tell(request: HttpRequest, response: HttpResponse) -> None:
    """Say in the headers of an answer how the token stands."""
    standing: Standing | None = getattr(request, _STANDING, None)
    if standing is not None:
        response.headers["RateLimit-Limit"] = str(standing.limit)
        response.headers["RateLimit-Remaining"] = str(standing.remaining)
        response.headers["RateLimit-Reset"] = str(standing.reset)
        response.headers["RateLimit-Policy"] = f"{standing.limit};w={WINDOW}"
