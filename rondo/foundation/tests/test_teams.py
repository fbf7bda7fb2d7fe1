"""Teams that are deleted and put back."""

import pytest

from rondo.errors import StateError
from rondo.foundation import teams
from rondo.foundation.actors import Actor, system
from rondo.foundation.models import AuditEntry, Team, User
from rondo.foundation.undoing import take_back

pytestmark = pytest.mark.django_db


def test_a_deleted_team_is_put_back_once_whatever_it_is_called_then(alice: User) -> None:
    actor = Actor(alice, "web")
    north, _entry = teams.add_team(system(), "North")
    coast, _entry = teams.add_team(system(), "Coast", north)
    gone = teams.delete_team(actor, coast.pk)
    take_back(actor, gone.pk)
    back = Team.objects.get(name="Coast")
    assert (back.pk, back.parent_id) == (coast.pk, north.pk), "what names it by its key names it again"
    assert AuditEntry.objects.filter(verb="team.restored", record_id=coast.pk, actor=alice).count() == 1
    teams.change_team(actor, back.pk, name="Seaside", parent=None)
    with pytest.raises(StateError, match="back already, as Seaside"):
        take_back(actor, gone.pk)
    assert sorted(Team.objects.values_list("name", flat=True)) == ["North", "Seaside"]
    again = teams.delete_team(actor, back.pk)
    take_back(actor, again.pk)
    assert Team.objects.filter(pk=coast.pk, name="Seaside").exists(), "each deletion is put back"
