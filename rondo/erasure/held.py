"""What erasure itself holds about a person: holds, which go with the person. The rest names nobody."""

from django.contrib.sessions.models import Session
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from rondo.erasure.models import Erased, Erasure, Hold, KeepRule, KeptFigure
from rondo.erasure.queries import own_holds
from rondo.foundation.holdings import Holding, Impersonal, Swept
from rondo.foundation.registry import registries

registries.holdings.add(
    "holds",
    Holding(
        "holds",
        _("Holds against erasure"),
        Hold,
        130,
        lambda records: Q(customer_id__in=records),
        told=("customer_id", "reason", "until", "at", "ended_at"),
    ),
)
registries.swept.add("holds", Swept("holds", Hold, ("reason",)))
registries.holds.add("own", own_holds)
for _model, _why in (
    (Erasure, "keys of records that hold nothing, and numbers of rows"),
    (Erased, "digests of records that hold nothing"),
    (KeepRule, "years to keep figures"),
    (KeptFigure, "figures without the person"),
    (Session, "who of those who work here is signed in; one that names an erased person is ended by the erasure"),
):
    registries.impersonal.add(_model._meta.db_table, Impersonal(_model, _why))
