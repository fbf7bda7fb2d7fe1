"""Roles as rows: made, changed, put back and deleted; nobody is locked out, whoever changes what at once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from rondo.errors import InputError, NotFound, PermissionRefused, StateError
from rondo.foundation import accounts, audit, roles
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import Role, Team, User
from rondo.foundation.rights import BUILT_IN, RIGHTS, has_right, masked, reach_of

MakeUser = Callable[..., User]


@pytest.mark.django_db
class TestRoles:
    def test_a_copy_is_changed_and_told_of_field_by_field(self, alice: User, make_user: MakeUser) -> None:
        actor = Actor(alice, "web")
        made = roles.add_role(actor, "  Key   accounts ", like="sales")
        assert (made.key, made.name, made.rights) == ("key-accounts", "Key accounts", sorted(BUILT_IN["sales"].rights))
        _role, entry = roles.change_role(
            actor, made.key, rights=["see", "export"], reaches={"customers": "team"}, masked=["notes"]
        )
        assert entry is not None
        assert entry.changes["rights"] == [["contact", "edit", "export", "see"], ["export", "see"]]
        assert entry.changes["masked"] == [[], ["notes"]]
        dora = make_user("dora", role=made.key)
        dora = User.objects.get(pk=dora.pk)
        assert {right for right in RIGHTS if has_right(dora, right)} == {"see", "export"}
        assert (reach_of(dora, "customers"), masked(dora, "notes"), masked(dora, "identifiers")) == (
            "team",
            True,
            False,
        )
        assert roles.change_role(actor, made.key, rights=["see", "export"])[1] is None

    @pytest.mark.parametrize(
        "fields",
        [
            {"rights": ["fly"]},
            {"masked": ["shoes"]},
            {"reaches": {"customers": "none"}},
            {"reaches": {"attic": "all"}},
            {"name": "Manager"},
            {"name": " \t"},
            {"is_builtin": True},
        ],
    )
    def test_what_no_role_can_be(self, fields: dict[str, Any]) -> None:
        made = roles.add_role(system(), "Own", like="reader")
        with pytest.raises(InputError):
            roles.change_role(system(), made.key, **fields)

    def test_the_reach_of_a_user_narrows_what_tells_of_customers_alone(self, make_user: MakeUser) -> None:
        dora = make_user("dora", role="manager", reach="own")
        rooms = ("customers", "imports", "audit", "segments")
        assert [reach_of(dora, room) for room in rooms] == ["own", "own", "own", "all"]
        roles.change_role(system(), "manager", reaches={"customers": "team", "segments": "none"})
        dora = User.objects.get(pk=dora.pk)
        dora.reach = "all"
        assert [reach_of(dora, room) for room in rooms] == ["team", "all", "team", "none"]

    def test_built_in_roles_go_back_to_what_they_were_and_stay(self, alice: User) -> None:
        roles.change_role(system(), "reader", name="Guests", rights=[], masked=["notes"], reaches={"customers": "own"})
        row, _entry = roles.reset_role(Actor(alice, "web"), "reader")
        assert (row.name, row.rights, row.masked, row.reaches["customers"]) == ("", ["see"], [], "all")
        with pytest.raises(StateError, match="built in"):
            roles.delete_role(system(), "reader")
        with pytest.raises(StateError, match="fixed"):
            roles.change_role(system(), "administrator", rights=["see"])

    def test_only_a_role_that_nobody_has_is_deleted_and_it_can_be_put_back(
        self, alice: User, make_user: MakeUser
    ) -> None:
        made = roles.add_role(system(), "Temps", like="service")
        dora = make_user("dora", role=made.key)
        with pytest.raises(StateError, match="1 user has the role Temps"):
            roles.delete_role(system(), made.key)
        accounts.change_user(system(), dora, role="reader")
        gone = roles.delete_role(Actor(alice, "web"), made.key)
        with pytest.raises(NotFound):
            roles.find_role(made.key)
        back = roles.put_back_role(Actor(alice, "web"), gone)
        assert (back.key, back.name, back.rights) == (made.key, made.name, made.rights)
        roles.change_role(system(), back.key, name="Helpers")
        with pytest.raises(StateError, match="back already, as Helpers"):
            roles.put_back_role(Actor(alice, "web"), gone)

    def test_only_administrators(self, bob: User) -> None:
        actor = Actor(bob, "web")
        for change in (
            lambda: roles.add_role(actor, "Mine", like="administrator"),
            lambda: roles.change_role(actor, "sales", rights=list(RIGHTS)),
            lambda: roles.reset_role(actor, "sales"),
            lambda: roles.delete_role(actor, "sales"),
        ):
            with pytest.raises(PermissionRefused):
                change()

    def test_the_last_who_may_administer_by_a_role_of_the_company_keeps_it(self, make_user: MakeUser) -> None:
        made = roles.add_role(system(), "Keepers", like="administrator")
        dora = make_user("dora", role=made.key)
        make_user("robot", role="administrator", is_service=True)
        for change in (
            lambda: roles.change_role(system(), made.key, rights=["see"]),
            lambda: accounts.change_user(system(), dora, role="reader"),
        ):
            with pytest.raises(StateError, match="last administrator"):
                change()
        assert audit.entries_of("role", made.pk)[0].verb == "role.added"


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_take_each_others_role_at_once(make_user: MakeUser) -> None:
    """One by the user, one by the role, at the same moment: one of them is refused, and one administrator stays. Who
    begins after the other has ended is no administrator any more, and is refused for that."""
    keepers = roles.add_role(system(), "Keepers", like="administrator")
    alice, dora = make_user("alice", role="administrator"), make_user("dora", role=keepers.key)
    start = threading.Barrier(2)
    refused: list[Exception] = []

    def run(change: Callable[[], object]) -> None:
        try:
            start.wait()
            change()
        except Exception as error:  # whatever it is, the test tells of it
            refused.append(error)
        finally:
            connection.close()

    changes = (
        lambda: roles.change_role(Actor(alice, "web"), keepers.key, rights=["see"]),
        lambda: accounts.change_user(Actor(dora, "web"), alice, role="reader"),
    )
    threads = [threading.Thread(target=run, args=(change,)) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1 and isinstance(refused[0], StateError | PermissionRefused), refused
    assert roles.administrators().count() == 1


@pytest.mark.django_db(transaction=True)
def test_users_of_an_older_release_keep_their_role() -> None:
    """Texts of the column become roles; a flush brings the built-in roles back, without which nobody can be added."""
    executor = MigrationExecutor(connection)
    executor.migrate([("foundation", "0004_changes")])
    old = executor.loader.project_state([("foundation", "0004_changes")]).apps.get_model("foundation", "User")
    old.objects.create(email="a@example.org", role="manager", reach="team")
    old.objects.create(email="b@example.org", role="king")
    executor.loader.build_graph()
    executor.migrate(executor.loader.graph.leaf_nodes())
    manager, king = User.objects.order_by("email")
    assert (str(manager.role), manager.reach, has_right(manager, "merge")) == ("Manager", "team", True)
    assert (str(king.role), [right for right in RIGHTS if has_right(king, right)]) == ("king", [])
    User.objects.all().delete()
    Team.objects.all().delete()
    call_command("flush", interactive=False, verbosity=0)
    assert set(Role.objects.values_list("key", flat=True)) == set(BUILT_IN)
