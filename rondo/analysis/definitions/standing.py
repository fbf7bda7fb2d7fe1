"""Where a customer stands: ladder, life cycle, type of relationship, bonds, RFM, and what changed."""

from django.utils.translation import gettext_lazy as _

from rondo.analysis.definitions.fact import DATE, SHARE, fact

fact(
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
fact(
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
fact(
    "stage_since",
    _("In this stage since"),
    _("Day on which the stage was first read (a Sunday or the run's day); empty if it held as data began."),
    "date",
    DATE,
    "standing",
)
fact(
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
fact(
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
fact(
    "relationship_since",
    _("In this relationship since"),
    _("Day on which the type was first read (a Sunday or the run's day); empty if it held as data began."),
    "date",
    DATE,
    "standing",
)
fact(
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
fact(
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
fact(
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
fact(
    "bond_technical",
    _("Technical-functional bond"),
    _("Number of connected products as a part of 3. Empty without the attribute connected_products."),
    "share",
    SHARE,
    "standing",
)
fact(
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
fact(
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
fact(
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
fact(
    "rfm_frequency",
    _("Frequency score"),
    _("From 5 (bought most often) to 1: the fifth of the buyers by purchase days, cut as the recency score."),
    "count",
    _("from 1 to 5"),
    "buying",
)
fact(
    "rfm_monetary",
    _("Monetary score"),
    _("From 5 (spent most) to 1: the fifth of the buyers by spend, cut as the recency score."),
    "count",
    _("from 1 to 5"),
    "buying",
)
fact(
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
fact(
    "change_weeks",
    _("Weeks since the change"),
    _("Of 4, 8 and 13 weeks the time in which the change shows most clearly; empty without a change."),
    "count",
    _("weeks"),
    "standing",
)
fact(
    "change_to",
    _("Changed to"),
    _("Where somebody buys other things or elsewhere: the category or channel whose share rose most."),
    "text",
    _("name of a category or channel"),
    "standing",
)
