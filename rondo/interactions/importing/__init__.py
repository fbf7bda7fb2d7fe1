"""The import: ``run_import`` loads a file or an Arrow table, ``undo`` takes a run back, ``sweep_dead_loads`` tidies up.

reading and sniffing know files, staging makes typed rows of them, a loader of the room says what they mean, the engine
drives the run and makes it visible at once.
"""

from rondo.foundation.loading.fields import ImportOptions
from rondo.interactions.importing.engine import Outcome, StorageFull, run, run_import
from rondo.interactions.importing.sweeping import sweep_dead_loads
from rondo.interactions.importing.undoing import undo

__all__ = ["ImportOptions", "Outcome", "StorageFull", "run", "run_import", "sweep_dead_loads", "undo"]
