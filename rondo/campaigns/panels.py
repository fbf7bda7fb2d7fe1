"""What the room shows on the pages of others: campaigns of one customer, and the latest ones on the home page."""

from typing import Any

from django.db.models import Case, Value, When
from django.http import HttpRequest

from rondo.campaigns import queries, types
from rondo.foundation.models import User
from rondo.foundation.reading import Reading

_ON_HOME = 4


def of_customer(_viewer: User, reading: Reading) -> dict[str, Any] | None:
    """The campaigns a customer received and answered, and the chance that they answer one more of each type; None if
    they received none."""
    received = queries.received(reading.records)
    if not received:
        return None
    return {
        "received": received,
        "answered": sum(row.reactions > 0 for row in received),
        "chances": types.chances(reading.survivor),
    }


def on_home(request: HttpRequest) -> dict[str, Any] | None:
    """The campaigns that ended last, with how they were answered; None if the viewer's customers received none.

    Campaigns that outlive the data come only after those whose answers are all in.
    """
    user = request.user
    assert isinstance(user, User)
    last_day = queries.last_day()
    over = Case(When(ends_on__lte=last_day, then=0), default=1) if last_day else Value(0)
    latest = list(queries.visible(user).order_by(over, "-ends_on", "-pk")[: 3 * _ON_HOME])
    responses = queries.responses(user, [campaign.pk for campaign in latest])
    rows = [(campaign, responses[campaign.pk]) for campaign in latest if campaign.pk in responses][:_ON_HOME]
    return {"campaigns": rows} if rows else None
