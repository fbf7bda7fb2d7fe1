"""Studies: questions to the data that take longer than a page, answered by a job and kept with all they stand on.

Twins of a segment, matched controls, groups of customers: each is a kind in ``registries.studies``. A study keeps the
run whose day it looks from, its configuration, a fingerprint of the features it read, its results, and the customers it
found in their order.
"""
