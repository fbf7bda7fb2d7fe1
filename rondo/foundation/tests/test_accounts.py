"""Users, roles, one-time links and tokens: who may what, once, and for how long."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from rondo.errors import InputError, NotFound, PermissionRefused, StateError
from rondo.foundation import accounts, api_tokens, audit
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import ApiToken, AuditEntry, LoginLink, Role, User
from rondo.foundation.registry import registries
from rondo.foundation.rights import BUILT_IN, RIGHTS, built_in, has_right
from rondo.foundation.serving.prepare import first_link

pytestmark = pytest.mark.django_db


APART = {"administer", "delete", "erase", "integrate"}
"""Rights that no role of the daily work has."""


class TestRights:
    def test_every_installation_has_the_built_in_roles_as_the_code_says(self) -> None:
        """What the migration wrote is what a flush puts back."""
        fields = ("key", "name", "rights", "reaches", "masked", "is_builtin")
        first = [{field: getattr(built_in(key), field) for field in fields} for key in BUILT_IN]
        assert list(Role.objects.order_by("pk").values(*fields)) == first
        assert all(set(row["rights"]) <= set(RIGHTS) for row in first)
        assert all(set(row["reaches"]) == set(registries.rooms.keys()) for row in first)

    @pytest.mark.parametrize(
        ("role", "may_not"),
        [
            ("administrator", set()),
            ("manager", {"administer", "erase", "integrate"}),
            ("marketing", APART | {"merge", "audit"}),
            ("sales", APART | {"merge", "import", "analyse", "campaign", "segment", "share", "audit"}),
            ("service", APART | {"merge", "import", "export", "analyse", "campaign", "segment", "share", "audit"}),
            ("analyst", APART | {"merge", "import", "edit", "contact", "campaign", "audit"}),
            ("reader", set(RIGHTS) - {"see"}),
        ],
    )
    def test_roles(self, role: str, may_not: set[str]) -> None:
        user = User(email="x@example.org", role_id=role)
        assert {right for right in RIGHTS if not has_right(user, right)} == may_not

    def test_who_is_off_may_nothing(self, alice: User) -> None:
        alice.is_active = False
        assert not any(has_right(alice, right) for right in RIGHTS)

    def test_a_refusal_names_person_right_and_remedy(self, charlie: User) -> None:
        with pytest.raises(PermissionRefused, match=r"charlie@example.org may not merge customers .*ask an admin"):
            Actor(charlie, "web").require("merge")
        system().require("merge")


class TestUsers:
    def test_add_and_change_with_audit(self, alice: User) -> None:
        made = accounts.add_user(Actor(alice, "web"), " Dora@Example.org ", name="Dora", role="sales", reach="own")
        assert (made.email, made.role_id, made.has_usable_password()) == ("dora@example.org", "sales", False)
        accounts.change_user(Actor(alice, "web"), made, role="manager")
        assert audit.entries_of("user", made.pk)[0].changes == {"role": ["sales", "manager"]}

    @pytest.mark.parametrize(
        ("email", "fields"),
        [("dora", {}), ("dora@x.org", {"role": "king"}), ("dora@x.org", {"is_service": True})],
    )
    def test_unusable(self, email: str, fields: dict[str, object]) -> None:
        with pytest.raises(InputError):
            accounts.add_user(system(), email, **fields)

    def test_addresses_are_taken_in_any_letter_case(self, alice: User) -> None:
        with pytest.raises(StateError, match="already"):
            accounts.add_user(system(), "ALICE@example.org")

    def test_only_administrators(self, bob: User, charlie: User) -> None:
        with pytest.raises(PermissionRefused):
            accounts.add_user(Actor(bob, "web"), "eve@example.org", role="administrator")
        with pytest.raises(PermissionRefused):
            accounts.change_user(Actor(charlie, "web"), charlie, role="administrator")

    @pytest.mark.parametrize("fields", [{"role": "reader"}, {"is_active": False}])
    def test_the_last_administrator_stays(self, alice: User, bob: User, fields: dict[str, object]) -> None:
        with pytest.raises(StateError, match="last administrator"):
            accounts.change_user(system(), alice, **fields)
        alice.refresh_from_db()
        assert (alice.role_id, alice.is_active) == ("administrator", True)
        accounts.change_user(system(), bob, role="administrator")
        accounts.change_user(system(), alice, **fields)

    def test_nobody_signs_up_by_themselves(self, client: Client) -> None:
        answer = client.post(
            "/accounts/signup/",
            {"email": "eve@example.org", "password1": "long enough 1!", "password2": "long enough 1!"},
        )
        assert answer.status_code in {200, 403}
        assert not User.objects.exists()


def _token(link: str) -> str:
    return link.rsplit("/", 1)[1]


class TestLinks:
    def test_a_link_works_once(self, alice: User) -> None:
        token = _token(accounts.make_login_link(system(), alice))
        assert accounts.use_login_link(token) == alice
        assert accounts.use_login_link(token) is None

    def test_it_expires(self, alice: User) -> None:
        token = _token(accounts.make_login_link(system(), alice))
        LoginLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert accounts.use_login_link(token) is None

    def test_not_for_somebody_who_is_off(self, alice: User) -> None:
        token = _token(accounts.make_login_link(system(), alice))
        User.objects.update(is_active=False)
        assert accounts.use_login_link(token) is None

    def test_only_its_hash_is_kept(self, alice: User) -> None:
        token = _token(accounts.make_login_link(system(), alice))
        assert token not in str(LoginLink.objects.values())

    def test_rubbish(self) -> None:
        assert accounts.use_login_link("in_rubbish") is None

    def test_the_first_administrator_gets_one_until_somebody_can_sign_in(self) -> None:
        first = first_link()
        assert first is not None
        admin = User.objects.get()
        assert (admin.role_id, admin.reach, admin.has_usable_password()) == ("administrator", "all", False)
        assert first_link() is not None
        assert User.objects.count() == 1
        User.objects.update(last_login=timezone.now())
        assert first_link() is None

    def test_no_link_is_given_where_somebody_has_a_password(self) -> None:
        User.objects.create_user("alice@example.org", "a long password", role="administrator")
        assert first_link() is None


class TestTokens:
    def test_made_for_oneself_or_by_an_administrator(self, alice: User, bob: User, charlie: User) -> None:
        api_tokens.make_api_token(Actor(charlie, "web"), charlie, "mine")
        api_tokens.make_api_token(Actor(alice, "web"), charlie, "for him")
        with pytest.raises(PermissionRefused):
            api_tokens.make_api_token(Actor(bob, "web"), charlie, "not mine")
        assert ApiToken.objects.filter(user=charlie).count() == 2

    def test_the_text_is_not_kept(self, alice: User) -> None:
        text = api_tokens.make_api_token(Actor(alice, "web"), alice, "x")
        assert ApiToken.objects.get().token_hash == accounts.digest(text)
        assert text not in str(ApiToken.objects.values())

    def test_revoked_by_owner_or_administrator_and_once(self, alice: User, bob: User, charlie: User) -> None:
        api_tokens.make_api_token(Actor(charlie, "web"), charlie, "mine")
        row = ApiToken.objects.get()
        with pytest.raises(NotFound):
            api_tokens.revoke_api_token(Actor(bob, "web"), row.pk)
        api_tokens.revoke_api_token(Actor(alice, "web"), row.pk)
        row.refresh_from_db()
        first = row.revoked_at
        assert first is not None
        api_tokens.revoke_api_token(Actor(charlie, "web"), row.pk)
        row.refresh_from_db()
        assert row.revoked_at == first
        with pytest.raises(NotFound):
            api_tokens.revoke_api_token(Actor(charlie, "web"), row.pk + 99)

    def test_void_for_good_once_the_user_is_switched_off(self, alice: User, charlie: User) -> None:
        """Told token by token. Links of before are void, too; tokens of others are not."""
        texts = [api_tokens.make_api_token(Actor(charlie, "web"), charlie, name) for name in ("one", "two")]
        link = accounts.make_login_link(system(), charlie).rpartition("/")[2]
        other = api_tokens.make_api_token(system(), alice, "hers")
        accounts.change_user(Actor(alice, "web"), charlie, is_active=False)
        with pytest.raises(InputError):
            api_tokens.make_api_token(Actor(alice, "web"), charlie, "while he is off")
        accounts.change_user(Actor(alice, "web"), charlie, is_active=True)
        assert [api_tokens.use_api_token(text) for text in texts] == [None, None]
        assert accounts.use_login_link(link) is None
        assert api_tokens.use_api_token(other) == alice
        told = AuditEntry.objects.filter(verb="token.revoked", record_id=charlie.pk, actor=alice).order_by("pk")
        assert [entry.changes["token"][0].split()[1] for entry in told] == ["one", "two"]
        fresh = api_tokens.make_api_token(Actor(alice, "web"), charlie, "after")
        assert api_tokens.use_api_token(fresh) == charlie


class TestCommands:
    def _run(self, *words: str) -> str:
        out = StringIO()
        call_command(*words, stdout=out)
        return out.getvalue()

    def test_user_link_and_token(self) -> None:
        said = self._run("user", "add", "dora@example.org", "--role", "sales", "--reach", "team", "--team", "North")
        assert "dora@example.org: Sales, sees: Customers of the team" in said
        assert accounts.use_login_link(_token(said.split()[-1])) is not None
        self._run("user", "change", "DORA@example.org", "--off")
        with pytest.raises(StateError, match="--on"):
            self._run("link", "dora@example.org")
        with pytest.raises(InputError, match="does not have this right"):
            self._run("token", "dora@example.org", "--name", "till")
        assert self._run("user", "list") == "dora@example.org\t\tsales\tteam\tNorth\toff\n"
        self._run("user", "change", "dora@example.org", "--on")
        text = self._run("token", "dora@example.org", "--name", "till", "--scope", "edit", "--scope", "see").strip()
        assert ApiToken.objects.get().scopes == ["edit", "see"]
        assert ApiToken.objects.get().token_hash == accounts.digest(text)

    def test_errors_say_what_to_do(self) -> None:
        with pytest.raises(NotFound, match="rondo user list"):
            self._run("link", "nobody@example.org")
        with pytest.raises(NotFound, match="rondo user add"):
            self._run("user", "list")
        User.objects.create_user("dora@example.org")
        with pytest.raises(InputError, match="--days 0"):
            self._run("token", "dora@example.org", "--name", "x", "--days", "0")
