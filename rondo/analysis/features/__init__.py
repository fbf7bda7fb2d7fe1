"""The feature table: what is known of every customer on one day, as the models of likeness and forecast take it.

Written once as Ibis expressions over the columnar copy, group by group; the rooms register their groups
(``registries.features``). Nothing after the day of the :class:`~rondo.analysis.facts.Past` is read, and no names or
free text: the copy holds none. Attributes stay out, since nobody knows on which day they became known.
"""

from rondo.foundation.registry import Feature, registries


def _all() -> list[Feature]:
    return [feature for group in registries.features for feature in group.features]


def names() -> tuple[str, ...]:
    """The columns of the feature table in their order, without ``customer_id``."""
    return tuple(feature.key for feature in _all())


def feature_of(key: str) -> Feature | None:
    """A feature by its column; None where no room registers it any more."""
    return next((feature for feature in _all() if feature.key == key), None)
