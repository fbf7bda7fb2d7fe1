"""What the chain adds to the product: kinds of interaction with their usual axes, import kinds, tables of a load.

Direction: who came to whom. Initiative: pull, found by the customer; push, reached independent of demand. Medium:
owned, paid or earned. See docs and DOMAIN for the definitions.
"""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from rondo.foundation.registry import ImportKind, InteractionKind, LoadedTable, Periodic, registries
from rondo.interactions import copied, ruled
from rondo.interactions.importing.chain import InteractionLoader
from rondo.interactions.importing.orders import OrderLoader
from rondo.interactions.models import About, Departure, Interaction, Order, OrderLine

for kind in (
    InteractionKind("purchase", _("Purchase"), "shopping-basket", "store", "inbound", "pull", "owned"),
    InteractionKind("return", _("Return"), "undo-2", "store", "inbound", "pull", "owned", signals="after_purchase"),
    InteractionKind("redemption", _("Redemption"), "ticket-percent", "store", "inbound", "pull", "owned"),
    InteractionKind("campaign_mail", _("Campaign mail"), "mail", "mail", "outbound", "push", "owned"),
    InteractionKind("mail_open", _("Mail opened"), "mail-check", "email", "inbound", "pull", "owned", trace=True),
    InteractionKind(
        "mail_click",
        _("Link in a mail clicked"),
        "mouse-pointer-click",
        "email",
        "inbound",
        "pull",
        "owned",
        trace=True,
    ),
    InteractionKind("note", _("Note"), "sticky-note", "internal", "inbound", "pull", "owned", by_hand=True),
    InteractionKind(
        "call_in",
        _("Call from the customer"),
        "phone-incoming",
        "phone",
        "inbound",
        "pull",
        "owned",
        expects_answer=True,
        by_hand=True,
    ),
    InteractionKind(
        "call", _("Call to the customer"), "phone-outgoing", "phone", "outbound", "push", "owned", by_hand=True
    ),
    InteractionKind(
        "email_in",
        _("E-mail from the customer"),
        "mail-open",
        "email",
        "inbound",
        "pull",
        "owned",
        expects_answer=True,
        by_hand=True,
    ),
    InteractionKind(
        "email_out", _("E-mail to the customer"), "send", "email", "outbound", "push", "owned", by_hand=True
    ),
    InteractionKind(
        "letter_in",
        _("Letter from the customer"),
        "inbox",
        "mail",
        "inbound",
        "pull",
        "owned",
        expects_answer=True,
        by_hand=True,
    ),
    InteractionKind(
        "letter_out", _("Letter to the customer"), "mailbox", "mail", "outbound", "push", "owned", by_hand=True
    ),
    InteractionKind("meeting", _("Meeting"), "users", "in_person", "outbound", "push", "owned", by_hand=True),
    InteractionKind(
        "visit", _("Visit"), "store", "store", "inbound", "pull", "owned", by_hand=True, signals="information_search"
    ),
    InteractionKind(
        "web_visit",
        _("Visit of the website"),
        "globe",
        "web",
        "inbound",
        "pull",
        "owned",
        signals="information_search",
    ),
    InteractionKind(
        "content_read",
        _("Content read"),
        "book-open",
        "web",
        "inbound",
        "pull",
        "owned",
        signals="need_recognised",
    ),
    InteractionKind(
        "product_view",
        _("Product or category viewed"),
        "eye",
        "web",
        "inbound",
        "pull",
        "owned",
        signals="information_search",
    ),
    InteractionKind(
        "comparison", _("Products compared"), "scale", "web", "inbound", "pull", "owned", signals="evaluation"
    ),
    InteractionKind(
        "basket", _("Put into the basket"), "shopping-cart", "web", "inbound", "pull", "owned", signals="evaluation"
    ),
    InteractionKind("review", _("Review"), "star", "web", "inbound", "pull", "earned", signals="after_purchase"),
    InteractionKind("advert", _("Advertisement seen"), "megaphone", "web", "outbound", "push", "paid"),
    InteractionKind(
        "complaint",
        _("Complaint"),
        "message-circle-warning",
        "email",
        "inbound",
        "pull",
        "owned",
        expects_answer=True,
        by_hand=True,
        signals="after_purchase",
    ),
    InteractionKind(
        "notice",
        _("Notice given"),
        "calendar-x",
        "email",
        "inbound",
        "pull",
        "owned",
        expects_answer=True,
        by_hand=True,
    ),
    InteractionKind(
        "cancellation",
        _("Cancellation"),
        "log-out",
        "email",
        "inbound",
        "pull",
        "owned",
        expects_answer=True,
        by_hand=True,
    ),
    InteractionKind(
        "support",
        _("Support request"),
        "life-buoy",
        "email",
        "inbound",
        "pull",
        "owned",
        expects_answer=True,
        by_hand=True,
        signals="after_purchase",
    ),
    InteractionKind(
        "enquiry",
        _("Enquiry"),
        "circle-question-mark",
        "email",
        "inbound",
        "pull",
        "owned",
        expects_answer=True,
        by_hand=True,
        signals="information_search",
    ),
):
    registries.interaction_kinds.add(kind.key, kind)

for key, label, loader in (
    ("orders", _("Orders"), OrderLoader),
    ("interactions", _("Interactions"), InteractionLoader),
):
    registries.import_kinds.add(
        key,
        ImportKind(
            key,
            label,
            {name: field.meaning for name, field in loader.fields.items() if field.required},
            {name: field.meaning for name, field in loader.fields.items() if not field.required},
            loader,
        ),
    )

registries.loaded_tables.add("interactions", LoadedTable("interactions", Interaction, 30))
registries.loaded_tables.add("abouts", LoadedTable("abouts", About, 33))
registries.loaded_tables.add("departures", LoadedTable("departures", Departure, 34))
registries.loaded_tables.add("orders", LoadedTable("orders", Order, 31))
registries.loaded_tables.add("order_lines", LoadedTable("order_lines", OrderLine, 32))

__all__ = ["copied", "ruled"]

registries.periodic.add("sweep", Periodic("sweep", "rondo.interactions.jobs.sweep", timedelta(minutes=5)))
