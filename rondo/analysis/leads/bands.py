"""Bands of chance that leads are counted in."""

BANDS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5)
"""Lower edges; the last goes up to certainty."""
