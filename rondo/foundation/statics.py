"""Static files under names that change with what is in them, so that browsers may keep them for ever."""

from whitenoise.storage import CompressedManifestStaticFilesStorage

_FROM = r"""(?P<matched>from "(?P<url>\./[^"]+)")"""


class Statics(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # WhiteNoise says no types
    """A module of ours that imports another names it by its changing name, too: after an update no page mixes old and
    new. Django's own switch for this would read every package's scripts, and stumble over examples in their comments.
    """

    patterns = (*CompressedManifestStaticFilesStorage.patterns, ("rondo/*.js", ((_FROM, 'from "%(url)s"'),)))
