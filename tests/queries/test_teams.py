"""Teams, their members and who may join, each only for whoever may see them."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from app import database
from app.domain.readers import Sight
from app.domain.team_list import View
from app.queries import teams as queries
from tests.cast import Cast, Person, make_cast, make_competitor, make_team
from tests.queries.test_team_matrix import frame_of

EVERYBODY = Sight(sees_everyone=True)
NOBODY = Sight(coach_id=uuid4())


@pytest.fixture
async def cast() -> Cast:
    return await make_cast()


async def names(view: View, person: Person, *assisted: UUID) -> list[str]:
    return [team.name for team in (await queries.get_page(view, await frame_of(person, *assisted))).rows]


async def test_sight_comes_first(cast: Cast) -> None:
    stranger = replace(cast.coach_a, id=uuid4())
    assert await names(View(), cast.admin) == ["Backdoor", "Firewall"]
    assert await names(View(), cast.coach_a) == ["Firewall"]
    assert await names(View(), stranger, cast.team_b) == ["Backdoor"]
    assert await names(View(), stranger) == [] and await names(View(search="wall"), stranger) == []
    assert await queries.get_team(NOBODY, cast.team_a) is None


async def test_who_may_join_are_the_coachs_own_of_the_division_who_are_not_on_it(cast: Cast) -> None:
    other = await make_team(cast.coach_a, "Kernel Panic")
    await make_competitor(cast.coach_a, "On It", team_id=cast.team_a)
    await make_competitor(cast.coach_a, "Free One")
    await make_competitor(cast.coach_a, "Else Where", team_id=other)
    await make_competitor(cast.coach_a, "Too Old", division="college")
    await make_competitor(cast.coach_b, "Some Body")
    archived = await make_competitor(cast.coach_a, "Long Gone")
    await database.execute("update competitors set archived_at = now() where id = $1", archived)
    team = await queries.get_team(EVERYBODY, cast.team_a)
    assert team and team.members == 1
    found = await queries.get_candidates(EVERYBODY, team)
    assert [(person.name, person.team) for person in found] == [("Free One", ""), ("Else Where", "Kernel Panic")]
    assert await queries.get_candidates(NOBODY, team) == ()


@pytest.mark.parametrize(("push", "error", "is_synced", "word"), [
    (None, None, True, "Synced"), (None, None, False, "Pending"), ("waiting", "not yet", True, "Pending"),
    ("parked", "refused", False, "Error"), (None, "The Game Platform did not delete this team", True, "Error"),
])
async def test_the_badge_follows_the_push_then_the_error_then_the_sync(
    cast: Cast, push: str | None, error: str | None, is_synced: bool, word: str
) -> None:
    await database.execute(
        "update teams set game_platform_sync_error = $2, game_platform_synced_at = case when $3 then now() end "
        "where id = $1",
        cast.team_a, error, is_synced,
    )
    if push:
        await database.execute(
            "insert into outbox (organization_id, kind, subject_id, state, reason) values ($1, 'team', $2, $3, $4)",
            cast.organization_id, cast.team_a, push, error,
        )
    team = await queries.get_team(EVERYBODY, cast.team_a)
    assert team and (team.sync.word, team.sync.reason) == (word, error or "")
