"""What a customer buys and how often, and the contacts with them."""

from django.utils.translation import gettext_lazy as _

from rondo.analysis.definitions.fact import COUNT, DATE, DAYS, MONEY, SHARE, fact

fact(
    "first_purchase",
    _("First purchase"),
    _("First purchase day in the data. A purchase day is a business date with an order whose total is not negative."),
    "date",
    DATE,
    "buying",
)
fact(
    "last_purchase",
    _("Last purchase"),
    _("Latest purchase day."),
    "date",
    DATE,
    "buying",
)
fact(
    "recency_days",
    _("Days since the last purchase"),
    _("Days from the latest purchase day to the day of the run."),
    "days",
    DAYS,
    "buying",
)
fact(
    "purchase_days",
    _("Purchase days"),
    _("Number of purchase days; several orders of a day count once."),
    "count",
    COUNT,
    "buying",
)
fact(
    "orders",
    _("Orders"),
    _("Number of orders, whatever their total."),
    "count",
    COUNT,
    "buying",
)
fact(
    "second_gap_days",
    _("Days to the second purchase"),
    _("Days from the first purchase day to the second; empty for who bought on one day alone."),
    "days",
    DAYS,
    "buying",
)
fact(
    "typical_gap_days",
    _("Typical gap"),
    _("Median of the days between consecutive purchase days; from two purchase days on."),
    "number",
    DAYS,
    "buying",
)
fact(
    "gap_q90_days",
    _("Usual longest gap"),
    _("90 % quantile (linear interpolation) of the days between consecutive purchase days; from three of them on."),
    "number",
    DAYS,
    "buying",
)
fact(
    "frequency",
    _("Purchase days a month"),
    _("Repeat purchase days per 30 days since the first purchase day."),
    "number",
    _("per 30 days"),
    "buying",
)
fact(
    "spend",
    _("Spend"),
    _("Sum of the totals of all orders; returns count negative."),
    "money",
    MONEY,
    "buying",
)
fact(
    "spend_30",
    _("Spend in 30 days"),
    _("Spend of the last 30 days up to the day of the run."),
    "money",
    MONEY,
    "buying",
)
fact(
    "spend_90",
    _("Spend in 90 days"),
    _("Spend of the last 90 days up to the day of the run."),
    "money",
    MONEY,
    "buying",
)
fact(
    "spend_365",
    _("Spend in 365 days"),
    _("Spend of the last 365 days up to the day of the run."),
    "money",
    MONEY,
    "buying",
)
fact(
    "average_basket",
    _("Average basket"),
    _("Mean total of the orders whose total is above 0, rounded to whole minor units."),
    "money",
    MONEY,
    "buying",
)
fact(
    "categories",
    _("Categories"),
    _("Number of categories bought, counted on the second level of the category tree."),
    "count",
    COUNT,
    "taste",
)
fact(
    "favourite_category",
    _("Favourite category"),
    _("Second-level category with the most spend; of equals the first by path."),
    "text",
    _("name of the category"),
    "taste",
)
fact(
    "own_label_share",
    _("Own-label share"),
    _("Share of spend on own-label products, of lines above 0 whose product says whether it is one."),
    "share",
    SHARE,
    "taste",
)
fact(
    "discount_share",
    _("Discount share"),
    _("All discounts divided by spend before discounts, of lines whose total is not negative."),
    "share",
    SHARE,
    "taste",
)
fact(
    "stores",
    _("Stores"),
    _("Number of different stores bought at."),
    "count",
    COUNT,
    "buying",
)
fact(
    "campaigns_received",
    _("Campaigns received"),
    _("Number of campaigns sent to the customer and not held back."),
    "count",
    COUNT,
    "campaigns",
)
fact(
    "campaigns_answered",
    _("Campaigns answered"),
    _("Number of campaigns received to which an inbound interaction, such as a redemption, answers."),
    "count",
    COUNT,
    "campaigns",
)
fact(
    "last_contact",
    _("Last contacted"),
    _("Day of the latest outbound interaction."),
    "date",
    DATE,
    "campaigns",
)
fact(
    "saved",
    _("Saved by offers"),
    _("What the customer saved: all discounts and coupons of lines whose total is not negative."),
    "money",
    MONEY,
    "campaigns",
)
fact(
    "saved_by_coupons",
    _("Saved by coupons"),
    _("The part of it that coupons gave, with what was added to match them."),
    "money",
    MONEY,
    "campaigns",
)
fact(
    "unanswered",
    _("Waits for an answer"),
    _("Number of inbound contacts that expect an answer (call, e-mail, letter, complaint, enquiry) and have none."),
    "count",
    COUNT,
    "standing",
)
fact(
    "interactions",
    _("Interactions"),
    _("Number of interactions in either direction; that a mail was opened or clicked is none."),
    "count",
    COUNT,
    "standing",
)
