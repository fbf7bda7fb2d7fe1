"""The face of a loader, as :class:`rondo.foundation.registry.ImportKind` names it; rooms below take it from the
ground."""

from rondo.foundation.loading.fields import Field, ImportOptions
from rondo.foundation.loading.job import Loader, LoadJob

__all__ = ["Field", "ImportOptions", "LoadJob", "Loader"]
