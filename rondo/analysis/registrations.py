"""What the room `analysis` registers with the floors below: the facts of a customer, and the nightly run."""

from datetime import time, timedelta

from django.utils.translation import gettext_lazy as _

from rondo.analysis import counted, definitions, held, ruled, ruled_moves
from rondo.analysis.buying_stages import ruled as stages_ruled
from rondo.analysis.buying_stages.jobs import request_stages
from rondo.analysis.features import buying, taste
from rondo.analysis.indexing import request_indices
from rondo.analysis.leads import ruled as leads_ruled
from rondo.analysis.leads.jobs import request_leads
from rondo.analysis.next import ruled as next_ruled
from rondo.analysis.next.jobs import request_next
from rondo.analysis.segments import choices
from rondo.analysis.segments import ruled as segments_ruled
from rondo.analysis.segments.jobs import request_refreshes
from rondo.analysis.segments.queries import ROOM as SEGMENTS
from rondo.analysis.segments.queries import uses_of_attribute
from rondo.analysis.studies import names, series
from rondo.foundation.registry import AttributeUses, Periodic, Room, StudyKind, registries

__all__ = [
    "buying",
    "counted",
    "definitions",
    "held",
    "leads_ruled",
    "next_ruled",
    "ruled",
    "ruled_moves",
    "segments_ruled",
    "series",
    "stages_ruled",
    "taste",
]

registries.rooms.add(SEGMENTS, Room(SEGMENTS, _("Segments"), 20, ("none", "own", "team", "all"), usual="all"))
registries.periodic.add("analysis", Periodic("analysis", "rondo.analysis.jobs.nightly", timedelta(days=1), time(2, 10)))
# Lists first. Then what comes next: segments may ask for it.
registries.after_analysis.add("indices", request_indices)
registries.after_analysis.add("next", request_next)
registries.after_analysis.add("buying stages", request_stages)
registries.after_analysis.add("leads", request_leads)
registries.after_analysis.add("segments", request_refreshes)
registries.attribute_uses.add("segments", AttributeUses(uses_of_attribute))
registries.choice_uses.add("segment", choices.USES)
registries.studies.add(
    "controls", StudyKind("controls", _("Matched controls"), "rondo.analysis.studies.controls.answer")
)
registries.studies.add(
    "groups", StudyKind("groups", _("Groups of customers"), "rondo.analysis.studies.groups.answer", series=names.groups)
)
registries.studies.add("twins", StudyKind("twins", _("Statistical twins"), "rondo.analysis.studies.twins.answer"))
registries.studies.add(
    "buying-stages", StudyKind("buying-stages", _("Thresholds tried"), "rondo.analysis.buying_stages.thresholds.answer")
)
registries.studies.add("standing", StudyKind("standing", _("Thresholds tried"), "rondo.analysis.thresholds.answer"))
