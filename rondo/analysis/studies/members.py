"""What a study of a segment starts from: what was known of every customer on its day, and who was a member."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from rondo.analysis.facts import past
from rondo.analysis.features.table import Known, read
from rondo.analysis.models import Run
from rondo.analysis.segments.ledger import standing_keys
from rondo.analysis.studies.models import Study
from rondo.analysis.studies.outcome import day_of, enough, present_run
from rondo.foundation.installation import installation
from rondo.warehouse.tables import open_tables


@dataclass(frozen=True)
class Members:
    """The run whose copy was read, the day looked from, everybody as known on it, and a mask of the members."""

    run: Run
    as_of: date
    known: Known
    inside: npt.NDArray[np.bool_]


def read_members(study: Study) -> Members:
    """Everybody by what was known on the day that ``config["as_of"]`` names, and who of them is in the segment.

    Raises:
        InputError: fewer than 20 members, fewer than 20 others, or no such day. StateError: no analysis yet.
    """
    assert study.segment is not None
    run = present_run()
    as_of = day_of(study, run)
    with open_tables() as tables:
        known = read(tables, past(tables, as_of, installation().currency))
    inside = known.mask(standing_keys(study.segment))
    enough(inside)
    return Members(run, as_of, known, inside)
