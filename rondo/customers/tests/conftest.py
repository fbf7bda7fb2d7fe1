"""The cast as actors: the seller (Alice) owns it, the manager (Bob) may see it, the stranger (Charlie) may not."""

import pytest

from rondo.foundation.actors import Actor
from rondo.foundation.models import User


def _user(name: str, role: str, reach: str) -> User:
    return User.objects.create_user(f"{name}@rondo.example.org", name=name.title(), role=role, reach=reach)


@pytest.fixture
def seller(db: None) -> Actor:
    """Sales, sees her own customers only."""
    return Actor(_user("alice", "sales", "own"), "web")


@pytest.fixture
def manager(db: None) -> Actor:
    """Manager, sees all customers."""
    return Actor(_user("bob", "manager", "all"), "web")


@pytest.fixture
def stranger(db: None) -> Actor:
    """Sales, sees his own customers only, which Alice's are not."""
    return Actor(_user("charlie", "sales", "own"), "web")


@pytest.fixture
def reader(db: None) -> Actor:
    """Sees all, changes nothing."""
    return Actor(_user("rita", "reader", "all"), "web")
