"""Which migrations a database has seen, and the models that its tables had then."""

from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

Node = tuple[str, str]


def seen() -> list[Node]:
    """The migrations that the database has seen, of those that this version of Rondo knows."""
    loader = MigrationLoader(connection)
    return sorted(node for node in loader.applied_migrations if node in loader.graph.nodes)


def unknown(nodes: list[Node]) -> list[Node]:
    """Those that this version of Rondo does not know."""
    loader = MigrationLoader(connection)
    return [node for node in nodes if node not in loader.graph.nodes]


def models_at(nodes: list[Node]) -> Any:
    """The models (an ``Apps``) after the migrations ``nodes``."""
    loader = MigrationLoader(connection)
    return loader.project_state(_last(loader, nodes)).apps


def bring_to(nodes: list[Node]) -> None:
    """Bring an empty database to the migrations ``nodes``, and no further."""
    executor = MigrationExecutor(connection)
    executor.migrate(_last(executor.loader, nodes))


def _last(loader: MigrationLoader, nodes: list[Node]) -> list[Node]:
    """Those of ``nodes`` that none of the others of the same app follows."""
    known = set(nodes)
    return [
        node
        for node in nodes
        if not any(child.key[0] == node[0] and child.key in known for child in loader.graph.node_map[node].children)
    ]
