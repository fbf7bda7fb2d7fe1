"""What a customer is worth, and whether they are still there."""

from django.utils.translation import gettext_lazy as _

from rondo.analysis.definitions.fact import COUNT, MONEY, SHARE, fact

fact(
    "value",
    _("Customer value"),
    _(
        "Expected margin of the coming months (12 unless set otherwise), discounted to the day of the run: expected "
        "purchases (by the model that hold-outs chose) times expected spend per purchase day (Gamma-Gamma) times the "
        "margin rate."
    ),
    "money",
    MONEY,
    "value",
    estimate=True,
    low="value_low",
    high="value_high",
)
fact(
    "value_low",
    _("Customer value, low"),
    _("Lower bound of the 90 % interval of what this one customer will bring; chance alone."),
    "money",
    MONEY,
    "value",
)
fact(
    "value_high",
    _("Customer value, high"),
    _("Upper bound of the 90 % interval of what this one customer will bring; chance alone."),
    "money",
    MONEY,
    "value",
)
fact(
    "expected_purchases",
    _("Expected purchase days"),
    _("Purchase days expected within the horizon, by the model that hold-outs chose."),
    "number",
    COUNT,
    "value",
    estimate=True,
)
fact(
    "median_purchases",
    _("Purchase days, median"),
    _(
        "Half of all customers like this one will buy on at most so many days within the horizon, half on at least so "
        "many: the usual number for one customer. For several, add up the expected ones."
    ),
    "number",
    COUNT,
    "value",
    estimate=True,
)
fact(
    "expected_spend",
    _("Expected spend per purchase day"),
    _("Spend expected on a coming purchase day, by the Gamma-Gamma model; before margin."),
    "money",
    MONEY,
    "value",
    estimate=True,
)
fact(
    "alive",
    _("Probability of being active"),
    _(
        "Probability that the customer has not left for good, by the model that hold-outs chose. Empty for those who "
        "bought once where that model calls all of them alive (BG/NBD)."
    ),
    "share",
    SHARE,
    "value",
    estimate=True,
)
fact(
    "churn",
    _("Risk of falling silent"),
    _(
        "Probability that the customer buys nothing in the 91 days after the day of the run: repeat buyers by the "
        "model of purchases, one-time buyers by how the base came back after a first purchase; both corrected by what "
        "came of such risks in earlier quarters."
    ),
    "share",
    SHARE,
    "standing",
    estimate=True,
)
fact(
    "churn_usual",
    _("Risk right after a purchase"),
    _(
        "The same probability had the customer bought on the day of the run: what the own rhythm alone gives. What the "
        "risk is above it comes from the silence since the last purchase."
    ),
    "share",
    SHARE,
    "standing",
    estimate=True,
)
fact(
    "at_stake",
    _("At stake"),
    _(
        "Margin of the last 365 days times what the silence since the last purchase adds to the risk. 0 where the risk "
        "is low, and for those who have cancelled or have been gone for 90 days and more."
    ),
    "money",
    MONEY,
    "standing",
    estimate=True,
)
fact(
    "risk",
    _("Risk"),
    _("Level of the risk of falling silent: low (below 20 %), elevated (below 50 %), high."),
    "text",
    _("one of low, elevated, high"),
    "standing",
)
fact(
    "risk_driver",
    _("What drives the risk"),
    _(
        "Why the risk is not low: silence (the pause since the last purchase makes more of it than the own rhythm), "
        "rhythm (buys so rarely that 91 days without a purchase are usual), once (bought on one day only). Empty where "
        "the risk is low."
    ),
    "text",
    _("one of silence, rhythm, once"),
    "standing",
)
fact(
    "purchases_ahead",
    _("Purchase days in 91 days"),
    _(
        "Purchase days expected in the 91 days after the day of the run, by the model that hold-outs chose; never "
        "fewer than the chance that there are any."
    ),
    "number",
    COUNT,
    "value",
    estimate=True,
    low="purchases_ahead_low",
    high="purchases_ahead_high",
)
fact(
    "purchases_ahead_low",
    _("Purchase days in 91 days, low"),
    _(
        "Lower end of the 90 % interval of how often this one customer buys in the 91 days: by the risk of falling "
        "silent, and as wide as the numbers of single customers lay apart in earlier hold-outs."
    ),
    "number",
    COUNT,
    "value",
)
fact(
    "purchases_ahead_high",
    _("Purchase days in 91 days, high"),
    _(
        "Upper end of the same interval. It is of one customer: intervals of single customers do not add up to that of "
        "a total."
    ),
    "number",
    COUNT,
    "value",
)
fact(
    "overdue",
    _("Overdue"),
    _(
        "Days since the last purchase divided by the customer's own 90 % quantile of gaps; with fewer than three "
        "purchase days by the base's 90 % quantile of gaps up to the second purchase day. Above 1: later than usual."
    ),
    "number",
    _("multiple of the usual longest gap"),
    "standing",
)
fact(
    "activity",
    _("Activity"),
    _(
        "By the own rhythm: active (overdue up to 1), late (up to 2), asleep (beyond 2), never (no purchase). Where "
        "nobody has bought on two days yet, 90 days stand in for the usual longest gap."
    ),
    "text",
    _("one of active, late, asleep, never"),
    "standing",
)
