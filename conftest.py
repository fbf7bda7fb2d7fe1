"""What every test stands on: a home of its own, the cast of people, a browser, and the demo built once a session.

The home is chosen before Django reads its settings, so that no test ever touches the home of the person who runs it.
Of that person's ``RONDO_*`` settings only ``RONDO_DATABASE_URL`` counts: it says which database the suite runs on.
"""

import atexit
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.spreading import DEMO, Spread, begin_with_long

if TYPE_CHECKING:
    from django.test import Client
    from playwright.sync_api import Browser, Page
    from pytest_django import DjangoDbBlocker
    from pytest_django.live_server_helper import LiveServer

    from rondo.foundation.models import Installation, User
    from tests.demo_home import DemoHome

assert "rondo.settings" not in sys.modules, "Unset DJANGO_SETTINGS_MODULE: the home is chosen before Django starts."
HOME = Path(tempfile.mkdtemp(prefix="rondo-tests-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
(HOME / "static").mkdir()  # WhiteNoise warns where `collectstatic` would have made it, and warnings are errors
for _name in [name for name in os.environ if name.startswith("RONDO_") and name != "RONDO_DATABASE_URL"]:
    del os.environ[_name]
os.environ.update(
    RONDO_HOME=str(HOME), RONDO_LANGUAGE="en", RONDO_LOG_LEVEL="WARNING", DJANGO_SETTINGS_MODULE="rondo.settings"
)
# One thread of arithmetic for each process, also for those that tests start: several wait for one another by spinning,
# and where the processors are taken by the rest of the suite that costs twenty times what they compute.
os.environ["OMP_NUM_THREADS"] = "1"

import django  # noqa: E402
import hypothesis  # noqa: E402

django.setup()
from django.contrib.auth.hashers import Argon2PasswordHasher  # noqa: E402

from rondo.web.charts import svg  # noqa: E402

# Hashing a password is made to take long; tests sign in by the same hasher with the least of work.
Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 64, 1
# Every drawing is held against the schema of Vega-Lite.
svg.held = True
# The same examples on every machine, however slow it is.
hypothesis.settings.register_profile("seeded", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("seeded")
# Processes that spread the suite import this file too, and have to find Django not yet set up.
del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_report_header() -> str:
    """Names the database, since the same suite runs on two."""
    from django.conf import settings

    return f"database: {settings.DATABASES['default']['ENGINE'].rpartition('.')[2]}"


STORES = {"db", "transactional_db", "live_server", "server_address"}
"""Fixtures without which a test reaches no database: the others build on one of them."""


def reaches_a_database(item: pytest.Item) -> bool:
    """Whether a test may touch the database of the suite or one beside it.

    What asks for none is refused one by pytest-django, so that it says the same on every database.
    """
    return bool(item.get_closest_marker("django_db") or STORES.intersection(getattr(item, "fixturenames", ())))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What stands once the tests are collected stays to the end, and is not looked through for garbage ever again.

    That took a third of the collection's time, and more with each test that was added.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # libraries complain of what is left when the process ends
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks the tests that reach no database, which run once, and puts those that take long first where the suite is
    spread over several processes. Within a module, those that start without its world come before it is built.
    """
    modules = {path: place for place, path in enumerate(dict.fromkeys(item.path for item in items))}
    items.sort(key=lambda item: (modules[item.path], "module_world" in getattr(item, "fixturenames", ())))
    for item in items:
        if not reaches_a_database(item):
            item.add_marker(pytest.mark.once)
        if "demo" in getattr(item, "fixturenames", ()) and not item.nodeid.startswith(DEMO):
            raise pytest.UsageError(f"{item.nodeid} needs the demo: move it to {DEMO}, where the demo is made once.")
    if hasattr(config, "workerinput"):
        begin_with_long(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Spreads the suite file by file, see :mod:`tests.spreading`."""
    config.option.loadscopereorder = False
    return Spread(config, log)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Puts the test database of SQLite into a file: threads and processes then meet it as they do in service.

    Like the private PostgreSQL it need not outlive a power cut, and is not forced to the disk at each commit.
    """
    from django.db import connection

    # Threads of the live server would keep persistent connections, and the database could not be dropped at the end.
    connection.settings_dict["CONN_MAX_AGE"] = 0
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(HOME / "test.sqlite3")
        options = connection.settings_dict["OPTIONS"]
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: "DjangoDbBlocker", empty_stores: list[str]
) -> Iterator[None]:
    """Keeps a copy of the migrated database before any test writes to it, and ends what threads of the live server left
    connected, since PostgreSQL drops no database that is in use.

    A browser that goes away in the middle of an answer leaves the thread's connection to the garbage collector.
    """
    from django.db import connection

    from tests.empty_store import keep
    from tests.emptying import empty_only_what_is_filled

    with django_db_blocker.unblock():
        empty_stores.append(keep(connection, HOME))
    if connection.vendor != "postgresql":
        yield
        return
    empty_only_what_is_filled()
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(scope="session")
def empty_stores(server_address: str) -> Iterator[list[str]]:
    """The copies that were kept, dropped at the end."""
    from tests.empty_store import drop

    kept: list[str] = []
    yield kept
    for name in kept:
        drop(name, server_address)


@pytest.fixture(scope="session")
def empty_store(django_db_setup: None, empty_stores: list[str]) -> str:
    """A migrated database without rows, of which processes that tests start get a copy, since migrating takes seconds:
    the path of a file of SQLite, or a name on the server.
    """
    return empty_stores[0]


@pytest.fixture
def migrated_home(empty_store: str, tmp_path: Path) -> Path:
    """A home with a migrated file of SQLite without rows; an empty one where the suite runs on PostgreSQL."""
    home = tmp_path / "migrated"
    home.mkdir()
    if Path(empty_store).is_file():
        shutil.copy(empty_store, home / "rondo.sqlite3")
    return home


@pytest.fixture(scope="module")
def module_world(
    django_db_setup: None, django_db_blocker: "DjangoDbBlocker", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A world that the tests of a module start from, built once by a fixture of the module that asks for this one.

    What that fixture writes stands in a transaction around the tests of the module; each of them has its own within,
    and a copy of the columnar copy by ``world_copy``. Objects must not be handed on: a test reads them anew. Tests of
    the module that do not ask for the world run before it is built, wherever they stand.
    """
    from django.db import transaction
    from django.test import override_settings

    folder = tmp_path_factory.mktemp("world") / "warehouse"
    with django_db_blocker.unblock(), override_settings(RONDO_WAREHOUSE=folder), transaction.atomic():
        yield folder
        transaction.set_rollback(True)


@pytest.fixture
def world_copy(module_world: Path, db: None, settings: Any, tmp_path: Path) -> Path:
    """The columnar copy of the module's world, for one test to read and to change."""
    shutil.copytree(module_world, tmp_path / "warehouse")
    settings.RONDO_WAREHOUSE = tmp_path / "warehouse"
    return tmp_path / "warehouse"


@pytest.fixture(autouse=True)
def _fresh_caches() -> Iterator[None]:
    """No test sees what another one left in the process: cached rows, ids, the language."""
    from django.core.cache import cache
    from django.utils import translation

    from rondo.foundation.installation import forget
    from rondo.web.customers import selection

    cache.clear()
    forget()
    selection._beyond.clear()
    yield
    cache.clear()
    forget()
    translation.activate("en")


@pytest.fixture
def installation(db: None) -> "Installation":
    """The installation as the demo sets it: a store chain in New York that counts in US dollars."""
    from rondo.foundation.actors import system
    from rondo.foundation.installation import change_installation

    return change_installation(system(), company="Corner Stores", currency="USD", time_zone="America/New_York")


@pytest.fixture
def make_user(db: None) -> "Callable[..., User]":
    """Makes a user: ``make_user("dora", role="sales", reach="own", team=team)``."""
    from rondo.foundation.models import User

    def make(name: str, **fields: Any) -> "User":
        return User.objects.create_user(f"{name}@example.org", name=name.capitalize(), **fields)

    return make


@pytest.fixture
def alice(make_user: "Callable[..., User]") -> "User":
    """Administrator, sees all customers."""
    return make_user("alice", role="administrator", reach="all")


@pytest.fixture
def bob(make_user: "Callable[..., User]") -> "User":
    """Sells, in team North, sees the customers of that team and of those below it."""
    from rondo.foundation.models import Team

    return make_user("bob", role="sales", reach="team", team=Team.objects.get_or_create(name="North")[0])


@pytest.fixture
def charlie(make_user: "Callable[..., User]") -> "User":
    """Reads, in team South, sees only customers of his own (he owns none until a test gives him one)."""
    from rondo.foundation.models import Team

    return make_user("charlie", role="reader", reach="own", team=Team.objects.get_or_create(name="South")[0])


@pytest.fixture
def signed_in(db: None) -> "Callable[[User], Client]":
    """A test client in which the given user is signed in: ``signed_in(alice).get("/")``."""
    from django.test import Client

    def sign_in(user: "User") -> "Client":
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Chromium, headless; the test is skipped, with the reason, where there is none."""
    from tests.browsing import chromium

    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: "Browser") -> "Iterator[Page]":
    """A fresh page without cookies; what the page throws or logs as an error fails the test."""
    from tests.browsing import fresh_page

    with fresh_page(browser) as opened:
        yield opened


@pytest.fixture
def page_of(live_server: "LiveServer", page: "Page", signed_in: "Callable[[User], Client]") -> "Callable[[User], Page]":
    """A page in which the given user is signed in at the live server: ``page_of(alice).goto("/customers/")``."""
    from tests.browsing import carry_session

    def open_page(user: "User") -> "Page":
        carry_session(signed_in(user), page, live_server.url)
        return page

    return open_page


@pytest.fixture(scope="session")
def server_address() -> str:
    """The address of the PostgreSQL server that the suite runs on, empty for SQLite: where a test's own processes make
    databases of their own.
    """
    return os.environ.get("RONDO_DATABASE_URL", "")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, server_address: str) -> "Iterator[DemoHome]":
    """A home with the Complete Journey loaded and analysed by ``rondo demo --no-serve``, made once a session."""
    from tests.demo_home import demo_home

    with demo_home(tmp_path_factory.mktemp("demo")) as made:
        yield made


@pytest.fixture(scope="session")
def demo_address(demo: "DemoHome") -> "Iterator[str]":
    """The address of the demo, served by ``rondo up`` on a free port."""
    from tests.demo_home import served

    with served(demo) as address:
        yield address


@pytest.fixture
def demo_page(demo: "DemoHome", demo_address: str, page: "Page") -> "Page":
    """A page of the served demo, signed in by a one-time link like the one the demo prints."""
    page.goto(demo.sign_in_link(demo_address))
    return page
