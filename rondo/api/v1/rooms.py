"""The routers of rooms that people administer: attributes, imports, lists and views, segments, people, households,
the bin, erasure, settings, the audit log."""

from rondo.api.v1 import bin, company, duplicate_search, erasure, leaving, search
from rondo.api.v1.attributes import converting, defining
from rondo.api.v1.audit import entries
from rondo.api.v1.households import links, together
from rondo.api.v1.imports import files, runs
from rondo.api.v1.lists import customers, views
from rondo.api.v1.people import arriving, own, roles, users
from rondo.api.v1.segments import operations as segments

ROUTERS = (
    defining.router,
    converting.router,
    files.router,
    runs.router,
    search.router,
    customers.router,
    views.router,
    segments.router,
    users.router,
    roles.router,
    arriving.router,
    own.router,
    links.router,
    together.router,
    erasure.router,
    bin.router,
    company.router,
    leaving.router,
    duplicate_search.router,
    entries.router,
)
