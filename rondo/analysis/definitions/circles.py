"""What belongs together: the household somebody lives in and the organisation they belong to, as facts of each."""

from django.utils.translation import gettext_lazy as _

from rondo.analysis.definitions.fact import COUNT, MONEY, fact

fact(
    "household_members",
    _("Members of the household"),
    _(
        "How many belong to the household of the customer, directly or by way of others, each once; of a household: to "
        "it. Empty for who belongs to none. Who belongs to several has the figures of the one that is worth most."
    ),
    "count",
    COUNT,
    "value",
    of_others=True,
)
fact(
    "household_value",
    _("Value of the household"),
    _("Customer values of the household and of all who belong to it, each once, added up. Empty where nobody has one."),
    "money",
    MONEY,
    "value",
    estimate=True,
    low="household_value_low",
    high="household_value_high",
    of_others=True,
)
fact(
    "household_value_low",
    _("Value of the household, low"),
    _("Lower bounds of the same customers added up: the interval if all of them move as one, which is the wide one."),
    "money",
    MONEY,
    "value",
    of_others=True,
)
fact(
    "household_value_high",
    _("Value of the household, high"),
    _("Upper bounds of the same customers added up: the interval if all of them move as one, which is the wide one."),
    "money",
    MONEY,
    "value",
    of_others=True,
)
fact(
    "organisation_members",
    _("Members of the organisation"),
    _(
        "How many belong to the organisation that the customer belongs to directly (people and subsidiaries, theirs "
        "too, each once); of an organisation: to it. Empty for who belongs to none. Who belongs to several has the "
        "figures of the one that is worth most."
    ),
    "count",
    COUNT,
    "value",
    of_others=True,
)
fact(
    "organisation_value",
    _("Value of the organisation"),
    _(
        "Customer values of the organisation and of all who belong to it, each once, added up. Empty where nobody has "
        "one."
    ),
    "money",
    MONEY,
    "value",
    estimate=True,
    low="organisation_value_low",
    high="organisation_value_high",
    of_others=True,
)
fact(
    "organisation_value_low",
    _("Value of the organisation, low"),
    _("Lower bounds of the same customers added up: the interval if all of them move as one, which is the wide one."),
    "money",
    MONEY,
    "value",
    of_others=True,
)
fact(
    "organisation_value_high",
    _("Value of the organisation, high"),
    _("Upper bounds of the same customers added up: the interval if all of them move as one, which is the wide one."),
    "money",
    MONEY,
    "value",
    of_others=True,
)
