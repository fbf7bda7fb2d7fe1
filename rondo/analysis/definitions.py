"""Every fact of a customer: key, label, definition and unit. docs/facts.md and the score table follow this list."""

from typing import Literal

from django.utils.translation import gettext_lazy as _

from rondo.foundation.registry import Fact, FactType, registries

MONEY = _("minor units of the company's currency")
DAYS = _("days")
DATE = _("business date")
SHARE = _("share from 0 to 1")
COUNT = _("number")

Group = Literal["value", "buying", "taste", "campaigns", "standing"]


def _fact(
    key: str,
    label: object,
    definition: object,
    type: FactType,
    unit: object,
    group: Group,
    *,
    estimate: bool = False,
    low: str = "",
    high: str = "",
) -> None:
    registries.facts.add(
        key,
        Fact(
            key=key,
            label=label,  # type: ignore[arg-type]
            definition=definition,  # type: ignore[arg-type]
            type=type,
            unit=unit,  # type: ignore[arg-type]
            group=group,
            estimate=estimate,
            low=low,
            high=high,
        ),
    )


_fact(
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
_fact(
    "value_low",
    _("Customer value, low"),
    _("Lower bound of the 90 % interval of what this one customer will bring; chance alone."),
    "money",
    MONEY,
    "value",
)
_fact(
    "value_high",
    _("Customer value, high"),
    _("Upper bound of the 90 % interval of what this one customer will bring; chance alone."),
    "money",
    MONEY,
    "value",
)
_fact(
    "expected_purchases",
    _("Expected purchase days"),
    _("Purchase days expected within the horizon, by the model that hold-outs chose."),
    "number",
    COUNT,
    "value",
    estimate=True,
)
_fact(
    "expected_spend",
    _("Expected spend per purchase day"),
    _("Spend expected on a coming purchase day, by the Gamma-Gamma model; before margin."),
    "money",
    MONEY,
    "value",
    estimate=True,
)
_fact(
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
_fact(
    "churn",
    _("Risk of falling silent"),
    _(
        "Probability that the customer buys nothing in the 91 days after the day of the run: repeat buyers by the "
        "model of purchases, one-time buyers by how the base came back after a first purchase."
    ),
    "share",
    SHARE,
    "standing",
    estimate=True,
)
_fact(
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
_fact(
    "risk",
    _("Risk"),
    _("Level of the risk of falling silent: low (below 20 %), elevated (below 50 %), high."),
    "text",
    _("one of low, elevated, high"),
    "standing",
)
_fact(
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
_fact(
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
_fact(
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
_fact(
    "first_purchase",
    _("First purchase"),
    _("First purchase day in the data. A purchase day is a business date with an order whose total is not negative."),
    "date",
    DATE,
    "buying",
)
_fact(
    "last_purchase",
    _("Last purchase"),
    _("Latest purchase day."),
    "date",
    DATE,
    "buying",
)
_fact(
    "recency_days",
    _("Days since the last purchase"),
    _("Days from the latest purchase day to the day of the run."),
    "days",
    DAYS,
    "buying",
)
_fact(
    "purchase_days",
    _("Purchase days"),
    _("Number of purchase days; several orders of a day count once."),
    "count",
    COUNT,
    "buying",
)
_fact(
    "orders",
    _("Orders"),
    _("Number of orders, whatever their total."),
    "count",
    COUNT,
    "buying",
)
_fact(
    "second_gap_days",
    _("Days to the second purchase"),
    _("Days from the first purchase day to the second; empty for who bought on one day alone."),
    "days",
    DAYS,
    "buying",
)
_fact(
    "typical_gap_days",
    _("Typical gap"),
    _("Median of the days between consecutive purchase days; from two purchase days on."),
    "number",
    DAYS,
    "buying",
)
_fact(
    "gap_q90_days",
    _("Usual longest gap"),
    _("90 % quantile (linear interpolation) of the days between consecutive purchase days; from three of them on."),
    "number",
    DAYS,
    "buying",
)
_fact(
    "frequency",
    _("Purchase days a month"),
    _("Repeat purchase days per 30 days since the first purchase day."),
    "number",
    _("per 30 days"),
    "buying",
)
_fact(
    "spend",
    _("Spend"),
    _("Sum of the totals of all orders; returns count negative."),
    "money",
    MONEY,
    "buying",
)
_fact(
    "spend_30",
    _("Spend in 30 days"),
    _("Spend of the last 30 days up to the day of the run."),
    "money",
    MONEY,
    "buying",
)
_fact(
    "spend_90",
    _("Spend in 90 days"),
    _("Spend of the last 90 days up to the day of the run."),
    "money",
    MONEY,
    "buying",
)
_fact(
    "spend_365",
    _("Spend in 365 days"),
    _("Spend of the last 365 days up to the day of the run."),
    "money",
    MONEY,
    "buying",
)
_fact(
    "average_basket",
    _("Average basket"),
    _("Mean total of the orders whose total is above 0, rounded to whole minor units."),
    "money",
    MONEY,
    "buying",
)
_fact(
    "categories",
    _("Categories"),
    _("Number of categories bought, counted on the second level of the category tree."),
    "count",
    COUNT,
    "taste",
)
_fact(
    "favourite_category",
    _("Favourite category"),
    _("Second-level category with the most spend; of equals the first by path."),
    "text",
    _("name of the category"),
    "taste",
)
_fact(
    "own_label_share",
    _("Own-label share"),
    _("Share of spend on own-label products, of lines above 0 whose product says whether it is one."),
    "share",
    SHARE,
    "taste",
)
_fact(
    "discount_share",
    _("Discount share"),
    _("All discounts divided by spend before discounts, of lines whose total is not negative."),
    "share",
    SHARE,
    "taste",
)
_fact(
    "stores",
    _("Stores"),
    _("Number of different stores bought at."),
    "count",
    COUNT,
    "buying",
)
_fact(
    "campaigns_received",
    _("Campaigns received"),
    _("Number of campaigns sent to the customer and not held back."),
    "count",
    COUNT,
    "campaigns",
)
_fact(
    "campaigns_answered",
    _("Campaigns answered"),
    _("Number of campaigns received to which an inbound interaction, such as a redemption, answers."),
    "count",
    COUNT,
    "campaigns",
)
_fact(
    "last_contact",
    _("Last contacted"),
    _("Day of the latest outbound interaction."),
    "date",
    DATE,
    "campaigns",
)
_fact(
    "saved",
    _("Saved by offers"),
    _("What the customer saved: all discounts and coupons of lines whose total is not negative."),
    "money",
    MONEY,
    "campaigns",
)
_fact(
    "saved_by_coupons",
    _("Saved by coupons"),
    _("The part of it that coupons gave, with what was added to match them."),
    "money",
    MONEY,
    "campaigns",
)
_fact(
    "unanswered",
    _("Waits for an answer"),
    _("Number of inbound contacts that expect an answer (call, e-mail, letter, complaint, enquiry) and have none."),
    "count",
    COUNT,
    "standing",
)
_fact(
    "interactions",
    _("Interactions"),
    _("Number of interactions of any kind, in either direction."),
    "count",
    COUNT,
    "standing",
)
_fact(
    "ladder",
    _("Loyalty ladder"),
    _(
        "Rung of the loyalty ladder: suspect (no sign of interest), prospect (interest, no purchase), customer "
        "(bought), client (at least 3 purchase days, and back within the own 90 % quantile of gaps), advocate (a "
        "client with dated evidence of recommending). A change has to hold for 14 days."
    ),
    "text",
    _("one of suspect, prospect, customer, client, advocate"),
    "standing",
)
_fact(
    "stage",
    _("Life-cycle stage"),
    _(
        "Stage of the customer life cycle by the rules of docs/standing.md: before, initiation, socialisation, growth, "
        "maturity, endangered, decline, termination, abstinence, revitalisation."
    ),
    "text",
    _("one of the ten stages"),
    "standing",
)
_fact(
    "stage_since",
    _("In this stage since"),
    _("Day on which the stage was first read (a Sunday or the run's day); empty if it held as data began."),
    "date",
    DATE,
    "standing",
)
_fact(
    "relationship",
    _("Type of relationship"),
    _(
        "What kind of relationship the customer has with us, by a survey, else by behaviour (docs/standing.md): basic "
        "exchange, business partner, buddies, best friends, fling, master and servant; unknown where the data cannot "
        "tell. A change has to hold for 28 days, an answer counts at once."
    ),
    "text",
    _("one of unknown, exchange, partner, buddies, best_friends, fling, master_servant"),
    "standing",
)
_fact(
    "relationship_confidence",
    _("Confidence in the type"),
    _(
        "How sure the type of relationship is: high (the customer said so), medium (said so and behaves otherwise, or "
        "behaviour shows it twice over), low (behaviour hints at it). Empty where the type is not known."
    ),
    "text",
    _("one of low, medium, high"),
    "standing",
)
_fact(
    "relationship_since",
    _("In this relationship since"),
    _("Day on which the type was first read (a Sunday or the run's day); empty if it held as data began."),
    "date",
    DATE,
    "standing",
)
_fact(
    "bond_local",
    _("Local bond"),
    _(
        "Share of the purchase days of the last 365 days at the store bought at most often, which stands in for the "
        "nearest. Empty below 5 purchase days, and where the data name fewer than two stores."
    ),
    "share",
    SHARE,
    "standing",
)
_fact(
    "bond_contractual",
    _("Contractual bond"),
    _(
        "Months until the contract can be left (end of term or notice, whichever is later) as a part of 12. Empty "
        "without the attributes contract_end or notice_months."
    ),
    "share",
    SHARE,
    "standing",
)
_fact(
    "bond_economic",
    _("Economic bond"),
    _(
        "Share of list prices saved by offers in the last 365 days, as a part of 30 %. Empty below 5 purchase days, "
        "and where no price was ever reduced."
    ),
    "share",
    SHARE,
    "standing",
)
_fact(
    "bond_technical",
    _("Technical-functional bond"),
    _("Number of connected products as a part of 3. Empty without the attribute connected_products."),
    "share",
    SHARE,
    "standing",
)
_fact(
    "bond_emotional",
    _("Emotional bond"),
    _(
        "Commitment (1 to 7) brought to 0 to 1, else the promoter score; at least 0.5 for members of the community. "
        "Empty where nobody asked."
    ),
    "share",
    SHARE,
    "standing",
)
_fact(
    "attachment",
    _("Attachment"),
    _(
        "Attached (the emotional bond is not weak), bound (weak, but the contractual or the economic one is strong: "
        "bound but not attached), free (weak, and neither is strong). Empty where the data cannot tell."
    ),
    "text",
    _("one of attached, bound, free"),
    "standing",
)
_fact(
    "rfm_recency",
    _("Recency score"),
    _(
        "From 5 (bought last) to 1: the fifth of the buyers by days since the last purchase. Who is alike has the same "
        "score; where many are alike there are fewer scores, and the best is 5. The cuts are stored with the run."
    ),
    "count",
    _("from 1 to 5"),
    "buying",
)
_fact(
    "rfm_frequency",
    _("Frequency score"),
    _("From 5 (bought most often) to 1: the fifth of the buyers by purchase days, cut as the recency score."),
    "count",
    _("from 1 to 5"),
    "buying",
)
_fact(
    "rfm_monetary",
    _("Monetary score"),
    _("From 5 (spent most) to 1: the fifth of the buyers by spend, cut as the recency score."),
    "count",
    _("from 1 to 5"),
    "buying",
)
_fact(
    "change",
    _("Change of buying"),
    _(
        "What differs in the last 8 weeks from the customer's own past and from what everybody did, beyond chance: "
        "rarer or oftener (purchase days a week), less or more (spend of a purchase day), other (categories), "
        "elsewhere (channels). At most one in twenty is a false alarm. Empty where nothing does, and where somebody "
        "buys too rarely to tell."
    ),
    "text",
    _("one of rarer, oftener, less, more, other, elsewhere"),
    "standing",
)
_fact(
    "change_weeks",
    _("Weeks since the change"),
    _("Of 4, 8 and 13 weeks the time in which the change shows most clearly; empty without a change."),
    "count",
    _("weeks"),
    "standing",
)
_fact(
    "change_to",
    _("Changed to"),
    _("Where somebody buys other things or elsewhere: the category or channel whose share rose most."),
    "text",
    _("name of a category or channel"),
    "standing",
)
